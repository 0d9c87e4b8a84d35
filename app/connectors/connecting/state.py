"""What is kept of a connection besides its row and its secrets: a journey under way, the last try, values on trial."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.operations.documents import drop_document, keep_document
from app.audit.queries.documents import find_document
from app.kernel.work import Work

JOURNEY: Final = "connection_journey"
CHECK: Final = "connection_check"
LIFETIME: Final = timedelta(minutes=10)
GRANT: Final = "grant"  # the stage of a code and its verifier
TRIAL: Final = "trial"  # the stage of credentials that have to prove themselves
REMOVED: Final = "removed"  # the stage of a token that is still to be revoked


@dataclass(frozen=True, slots=True)
class Journey:
    """A person's way to the peer and back; one a connection, a new one takes the place of the one before.

    `digest` is of its state, `by` and `session` are who went, `step`: away | exchanging | refused.
    """

    digest: str
    by: str
    session: str
    redirect_uri: str
    expires_at: str
    step: str = "away"
    said: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether it has taken too long."""
        return now >= datetime.fromisoformat(self.expires_at)


@dataclass(frozen=True, slots=True)
class Check:
    """How the last try went. `asked_at` is newer than `at` while one is under way; `trial`: of new credentials.

    `auth` are the plain fields that come with those. `worked_at`: when one last went well.
    """

    asked_at: str = ""
    at: str = ""
    works: bool = False
    code: str = ""
    said: str = ""
    trial: bool = False
    worked_at: str = ""
    auth: dict[str, str] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        """Whether nobody knows the end yet."""
        return self.asked_at > self.at

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """From what was kept."""
        return cls(**body)


def find_journey(session: Session, connection_id: UUID, *, lock: bool = False) -> Journey | None:
    """The journey of a connection; with `lock` nobody else takes it before the commit."""
    found = find_document(session, JOURNEY, str(connection_id), lock=lock)
    return Journey(**found.body) if found and found.body else None


def keep_journey(work: Work, connection_id: UUID, journey: Journey) -> None:
    """Write it in place of the one before."""
    keep_document(work, JOURNEY, str(connection_id), asdict(journey))


def end_journey(work: Work, connection_id: UUID) -> None:
    """It is over, and nobody asks how it was."""
    drop_document(work, JOURNEY, str(connection_id))


def find_check(session: Session, connection_id: UUID, *, lock: bool = False) -> Check:
    """How the last try of a connection went."""
    found = find_document(session, CHECK, str(connection_id), lock=lock)
    return Check.read(found.body if found else {})


def keep_check(work: Work, connection_id: UUID, check: Check) -> None:
    """Write it in place of the one before."""
    keep_document(work, CHECK, str(connection_id), asdict(check))
