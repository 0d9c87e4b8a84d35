"""Tenants as a service: creating them, and what an operator sees of them. Mechanism is in `tenants/`."""
