"""Dates of running work, over rows and over HTTP."""
