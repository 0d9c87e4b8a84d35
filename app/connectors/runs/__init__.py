"""A run of an action after it was asked for: how it ends, and how it is stopped."""
