"""A folder for the path of programs under test; nothing is imported from it by name."""
