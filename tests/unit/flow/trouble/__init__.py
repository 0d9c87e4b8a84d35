"""What is done about exceptions, and what happens while nothing is."""
