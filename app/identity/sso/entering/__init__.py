"""Coming in by a provider, and going out again: attempts, who is let in and as what, sessions, logout both ways."""
