"""DBOS running workflows of as many steps as ours; runs in an environment of its own (README.md)."""
