"""Roles, rights and decisions: compiled against Casbin, windows to the second, refusals that say what to do."""
