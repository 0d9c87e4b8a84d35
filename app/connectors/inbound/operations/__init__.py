"""What is done with hooks, and with what comes in by them."""
