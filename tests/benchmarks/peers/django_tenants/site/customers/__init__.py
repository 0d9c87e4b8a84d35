"""Who the tenants are."""
