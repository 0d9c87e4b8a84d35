"""What events say: a JSON Schema for each type and version, and what a new version may change. Reads no database."""
