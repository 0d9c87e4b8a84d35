"""Files of a tenant outside the database: how they are sealed, and the folder they lie in."""
