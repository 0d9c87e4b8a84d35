"""Verbs of tenants as a service: creating them, and what happens to them as a whole."""
