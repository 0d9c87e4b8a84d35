"""The JSON doors of running work: reading it, and commands that happen once, from a known version."""
