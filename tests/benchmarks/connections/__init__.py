"""Thousands of connections that are called at once: how long a call waits, and what waiting costs."""
