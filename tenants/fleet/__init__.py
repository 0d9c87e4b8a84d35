"""The fleet: every tenant schema of every cell, brought from one revision to the next. Plain SQL, the owner's login."""
