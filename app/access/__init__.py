"""Roles, assignments, delegations. Verbs: require, grant, delegate, revoke, explain. Every operation asks here."""
