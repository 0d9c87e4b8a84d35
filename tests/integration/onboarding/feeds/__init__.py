"""Dates in people's own calendars."""
