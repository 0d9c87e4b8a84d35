"""The JSON doors of a trail."""
