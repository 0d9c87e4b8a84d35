"""django-tenants on the tables of our tenant schema; runs in an environment of its own (README.md)."""
