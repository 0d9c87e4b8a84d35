"""What lets a custom integration out, and what holds it."""
