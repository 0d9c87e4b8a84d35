"""The marketplace on a real PostgreSQL."""
