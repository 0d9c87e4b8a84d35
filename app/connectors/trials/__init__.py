"""What every connector must keep, tried against its own stand-in: by our tests, and by an author with the CLI."""
