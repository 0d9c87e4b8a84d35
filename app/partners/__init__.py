"""Organisations, their tree, hosts and brands. Verbs: admit, name, brand. For operator and partner admins."""
