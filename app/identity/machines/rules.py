"""How long credentials and tokens live, what software may never be given, what a credential is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from app.access.permissions import Permission

Kind = Literal["secret", "key"]
SERVICE: Final = "service"  # the kind of member that is software
ACTIVE, DISABLED, REMOVED = "active", "disabled", "removed"

TOKEN: Final = "/oauth/token"  # noqa: S105 - the path of a door, no secret
TOKEN_LIFETIME: Final = timedelta(minutes=15)
ASSERTION_LIFETIME: Final = timedelta(minutes=5)  # beyond it a signed assertion is refused, however it is signed
CLOCKS_APART: Final = timedelta(seconds=30)  # between the client's clock and the database's
CREDENTIAL_DAYS, MOST_DAYS = 365, 730
SOON: Final = timedelta(days=30)  # before its end a credential is warned of
MOST_LIVE: Final = 2  # credentials of a kind: the one in use, and the one that takes over
MOST_ACCOUNTS: Final = 100  # of one tenant
_KEPT: Final = 8  # credentials that are still shown after their end

# Decisions that need a person: a second pair of eyes, or a customer's own word.
FOR_PEOPLE: Final = frozenset({Permission.GATE_DECIDE, Permission.WORKFLOW_APPROVE, Permission.DELEGATION_APPROVE})


@dataclass(frozen=True, slots=True)
class Credential:
    """One credential of an account. `digest` (hex) is of a secret, `jwk` a public key; `hint` tells it from others."""

    id: UUID
    kind: Kind
    hint: str
    made_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    digest: str | None = None
    jwk: dict[str, Any] | None = None

    def is_live(self, now: datetime) -> bool:
        """Whether it is good at this moment."""
        return self.ended_at is None and now < self.expires_at

    def ends_soon(self, now: datetime) -> bool:
        """Whether it is time to roll over."""
        return self.is_live(now) and self.expires_at - now <= SOON


@dataclass(frozen=True, slots=True)
class Account:
    """A service account as its tenant keeps it; each change is a new `version`."""

    id: UUID
    name: str
    state: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    version: int
    made_at: datetime
    credentials: tuple[Credential, ...] = ()

    def live(self, kind: Kind, now: datetime) -> list[Credential]:
        """The credentials of that kind that are good now."""
        return [each for each in self.credentials if each.kind == kind and each.is_live(now)]

    def shown(self) -> list[Credential]:
        """Those that have not been ended, newest first."""
        return sorted((each for each in self.credentials if not each.ended_at), key=lambda c: c.made_at, reverse=True)

    def with_one_more(self, credential: Credential) -> Account:
        """The account with this credential; what ended long ago is let go."""
        ended = [each for each in self.credentials if each.ended_at][-_KEPT:]
        open_ones = [each for each in self.credentials if not each.ended_at]
        return replace(self, credentials=(*ended, *open_ones, credential))

    def with_ended(self, ended: Iterable[UUID], now: datetime) -> Account:
        """The account with those credentials ended."""
        gone = frozenset(ended)
        kept = (
            replace(each, ended_at=now) if each.id in gone and not each.ended_at else each for each in self.credentials
        )
        return replace(self, credentials=tuple(kept))
