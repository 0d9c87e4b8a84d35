"""What a tenant is to everybody else: a value that says whose data and where it lives."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

# DESIGN 4: every step is repeatable; only `active` does work.
STATES = ("requested", "claimed", "seeding", "active", "suspended", "exporting", "shredded", "dropped")

# From which states the directory lets somebody bring a tenant into which. One that is on its way here (`requested`,
# or `seeding` for an import) becomes active by what makes it alone, with its place; it can only be given up. One that
# is `exporting` comes back by its export's end alone: it may have moved, and would live twice.
TRANSITIONS: dict[str, frozenset[str]] = {
    "active": frozenset({"suspended"}),
    "suspended": frozenset({"active"}),
    "exporting": frozenset({"requested", "seeding", "active", "suspended"}),
    "shredded": frozenset({"active", "suspended", "exporting"}),
    "dropped": frozenset({"shredded"}),
}


@dataclass(frozen=True, slots=True)
class Tenant:
    """One isolated workspace: of a customer of a partner, or the home of a partner or of the operator."""

    id: UUID
    organisation_id: UUID
    kind: str  # home | customer | sandbox
    name: str
    cell: str
    schema: str
    role: str
    gateway: int
    state: str
