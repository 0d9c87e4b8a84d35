"""Dates in people's own calendars: a private address for each person and workspace, read with the rights of now."""
