"""Timers: never early, once, many at once, and together."""
