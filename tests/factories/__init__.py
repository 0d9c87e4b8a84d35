"""One module per capability: makes named people and places, through the operations a user would call."""
