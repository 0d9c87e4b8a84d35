"""Jobs and timers: PostgreSQL is the only authority, Dramatiq and Valkey are wake-ups (DESIGN 8)."""
