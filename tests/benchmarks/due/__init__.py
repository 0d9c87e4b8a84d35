"""Fifty thousand SLA clocks that run out at one moment, fifty in each of a thousand workspaces."""
