"""The kit and the catalogue without a database."""
