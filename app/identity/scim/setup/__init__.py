"""The people's side of a directory: set it up, give it a token, say which group gets which role, look what it sent."""
