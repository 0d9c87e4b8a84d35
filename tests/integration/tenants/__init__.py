"""The ground floor under attack: each breach is refused by PostgreSQL itself."""
