"""Opens a tenant to its partner for a time and with named roles, and closes it again (DESIGN 5)."""

from app.access.operations.founding import end_delegations, give_default_delegation

__all__ = ["end_delegations", "give_default_delegation"]
