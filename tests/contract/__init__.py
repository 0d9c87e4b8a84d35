"""One suite over every connector of the catalogue, each against its own stand-in."""
