"""Files that people hand over for a task: looked at as they come in, sealed, listed, read again, taken back."""
