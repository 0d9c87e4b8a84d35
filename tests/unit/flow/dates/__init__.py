"""Dates that follow what happens, and business time against a plain model."""
