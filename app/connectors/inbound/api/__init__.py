"""The JSON doors of hooks, and of what came in by them."""
