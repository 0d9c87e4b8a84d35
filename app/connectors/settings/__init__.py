"""How a connection is set, version by version: who changed what and why, what the difference is, and the way back."""
