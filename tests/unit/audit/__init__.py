"""The trail's leaves: what changes them, and what a destroyed salt leaves behind."""
