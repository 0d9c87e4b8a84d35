"""Who has come in, for those who ask it far from any door: no web framework is read for this."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from tenants.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in person, or software with a token, on a site; `tenant` is that of the path, when it is theirs too.

    `proof` is what they have proved themselves with in the last quarter of an hour, beside the session;
    `proved_just_now` says that it came with this very request.
    `reach`: the only tenant that this session enters, where a customer's identity provider opened it.
    """

    actor: Actor
    email: str
    locale: str
    tenant: Tenant | None = None
    proof: str | None = None
    proved_just_now: bool = False
    reach: UUID | None = None


@dataclass(frozen=True, slots=True)
class Refusals:
    """Writes down who was refused what, and where; the trail fulfils it, bootstrap wires it."""

    note: Callable[[Runtime, Actor, Tenant | None, str, str], None]
