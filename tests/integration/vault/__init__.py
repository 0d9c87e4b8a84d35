"""Keys under attack with real servers: OpenBao, PostgreSQL, killed workers."""
