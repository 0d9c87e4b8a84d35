"""Operations and queries on real PostgreSQL, always with two tenants so that a leak shows."""
