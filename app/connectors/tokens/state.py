"""What is known of a connection's token without its secrets: one document, which is also the lock of its renewal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.operations.documents import keep_document, lock_document
from app.audit.queries.documents import find_document
from app.kernel.work import Work

KIND: Final = "connection_token"
KEPT: Final = "token.kept"  # the field of the sealed token; no slot of a manifest has a dot
LEASE: Final = timedelta(seconds=30)  # a renewal takes 8 s at most; after this its worker is dead
MOST_LOST: Final = 3  # renewals in a row that nobody knows the end of


@dataclass(frozen=True, slots=True)
class TokenState:
    """`version` counts tokens. `holder` renews it until `until` (the database's clock).

    `lost` counts renewals of which nobody knows the end, in a row. `owner` is the person who connected it, `said` the
    peer's word for the last refusal.
    """

    version: int = 0
    holder: str = ""
    until: datetime | None = None
    lost: int = 0
    expires_at: datetime | None = None
    renewed_at: datetime | None = None
    owner: str | None = None
    said: str = ""

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """From what was kept; nothing kept is a token that never was."""
        times = {name: _time(body.get(name)) for name in ("until", "expires_at", "renewed_at")}
        return cls(**(body | times))

    def is_held(self, now: datetime) -> bool:
        """Whether somebody is renewing it at this moment."""
        return self.until is not None and self.until > now

    def claimed(self, holder: UUID, now: datetime) -> TokenState:
        """Held by this one; a claim before it that nobody gave back counts as lost."""
        return replace(self, holder=str(holder), until=now + LEASE, lost=self.lost + bool(self.holder))

    def released(self, *, lost: bool = False, said: str = "") -> TokenState:
        """Held by nobody."""
        return replace(self, holder="", until=None, lost=self.lost + lost, said=said)


def lock_state(work: Work, connection_id: UUID) -> TokenState:
    """The state, which nobody else changes before the commit."""
    return TokenState.read(lock_document(work, KIND, str(connection_id)).body)


def find_state(session: Session, connection_id: UUID) -> TokenState:
    """The state as it is."""
    found = find_document(session, KIND, str(connection_id))
    return TokenState.read(found.body if found else {})


def keep_state(work: Work, connection_id: UUID, state: TokenState) -> None:
    """Write it in place of the one there was."""
    body = {k: v.isoformat() if isinstance(v, datetime) else v for k, v in asdict(state).items()}
    keep_document(work, KIND, str(connection_id), body)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
