"""What the database is made of: migrations, the head of a tenant as one batch, roles and rights, installation."""
