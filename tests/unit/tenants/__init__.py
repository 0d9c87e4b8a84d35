"""Names, scopes and rules of the ground floor, without a database."""
