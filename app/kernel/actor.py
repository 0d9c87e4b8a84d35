"""Who does something now: a person, a service account or a job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. `roles` are those held by assignment in `organisation_id`, read in this very request.

    Roles inside a tenant (member row, delegation) are not here: they are read in the tenant's own transaction.
    `groups` are the organisation's groups of staff that a person is in; `stepped_up` says that a person has proved who
    they are again a short while ago; `only` are the scopes of a machine's token: nothing else, whatever its roles.
    """

    kind: Literal["person", "service", "job"]
    id: UUID
    name: str
    organisation_id: UUID | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    groups: frozenset[UUID] = field(default_factory=frozenset)
    stepped_up: bool = False
    only: frozenset[str] | None = None

    @property
    def label(self) -> str:
        """Short text for the database's `app.actor` setting and for logs: kind and id, never a name."""
        return f"{self.kind}:{self.id}"


def job_actor(job_id: UUID, kind: str) -> Actor:
    """The actor of work that no person asked for at this moment."""
    return Actor(kind="job", id=job_id, name=kind)
