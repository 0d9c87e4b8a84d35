"""Clocks that stand still, and reminders."""
