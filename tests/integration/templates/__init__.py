"""The publish flow, from the home to `control`."""
