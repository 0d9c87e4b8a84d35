"""Who does something now: a person, a service account or a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, Self
from uuid import UUID

from app.kernel.events import Event


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


class Rights(frozenset[str]):
    """The names of the roles that an actor has in a tenant, and on whose behalf.

    `delegations` let them in, for `on_behalf_of`: each entry of the trail says so. `entered` is news of that, for the
    trail of this very transaction; `unnoted` are delegations whose use the trail does not tell of yet.
    """

    on_behalf_of: UUID | None
    delegations: tuple[UUID, ...]
    entered: tuple[Event, ...]
    unnoted: tuple[UUID, ...]

    def __new__(
        cls,
        names: Iterable[str] = (),
        *,
        on_behalf_of: UUID | None = None,
        delegations: tuple[UUID, ...] = (),
        entered: tuple[Event, ...] = (),
        unnoted: tuple[UUID, ...] = (),
    ) -> Self:
        """Of these names."""
        self = super().__new__(cls, names)
        self.on_behalf_of, self.delegations = on_behalf_of, delegations
        self.entered, self.unnoted = entered, unnoted
        return self


def job_actor(job_id: UUID, kind: str) -> Actor:
    """The actor of work that no person asked for at this moment."""
    return Actor(kind="job", id=job_id, name=kind)
