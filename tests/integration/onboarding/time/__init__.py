"""Time: who is told when, and what does not run on."""
