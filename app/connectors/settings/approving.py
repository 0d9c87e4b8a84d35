"""A wish that a connection may do more than its connector gives by itself: kept until somebody else decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.operations.documents import drop_document, keep_document
from app.audit.queries.documents import find_document
from app.connectors.kit.manifest import Manifest
from app.connectors.kit.settings import LEVELS, ConnectionConfig
from app.kernel.errors import Forbidden, Missing
from app.kernel.work import Work
from app.web.translations import mark

SYSTEM_ONLY = {
    "keep_wish": "part of an operation that has checked its own permission",
    "drop_wish": "part of an operation that has checked its own permission",
    "decide_for": "part of an operation that has checked its own permission",
}
WISH: Final = "connection_access"


class OwnWish(Forbidden):
    """Nobody approves what they have asked for themselves."""


class PersonNeeded(Forbidden):
    """Access beyond the usual is asked for and approved by people, never by a machine's token."""


class NothingAsked(Missing):
    """Nobody is waiting for a decision about this connection."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a connection to be set to; `seen` is the version that it was asked from."""

    config: Mapping[str, Any]
    seen: int
    level: str
    by: str
    by_id: str
    at: str
    reason: str
    restored: int = 0

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """From what was kept."""
        return cls(**body)


def find_wish(session: Session, connection_id: UUID, *, version: int, lock: bool = False) -> Wish | None:
    """What waits for a decision; None also where the settings have changed since it was asked."""
    found = find_document(session, WISH, str(connection_id), lock=lock)
    wish = Wish.read(found.body) if found and found.body else None
    return wish if wish and wish.seen == version else None


def keep_wish(work: Work, connection_id: UUID, wish: Wish) -> None:
    """Write it in place of the one before."""
    keep_document(work, WISH, str(connection_id), asdict(wish))


def drop_wish(work: Work, connection_id: UUID) -> None:
    """It is decided, or it is about settings that are no more."""
    drop_document(work, WISH, str(connection_id))


def decide_for(work: Work, connection_id: UUID, *, version: int) -> Wish:
    """The wish that this actor is about to approve. Raises NothingAsked, OwnWish, PersonNeeded."""
    wish = find_wish(work.session, connection_id, version=version, lock=True)
    if wish is None:
        raise NothingAsked(mark("Nothing waits for a decision here, or the settings have changed since it was asked."))
    ask_person(work)
    if str(work.actor.id) == wish.by_id:
        raise OwnWish(mark("Somebody else has to approve this: you have asked for it yourself."))
    return wish


def ask_person(work: Work) -> None:
    """Go on only for a person: a token could be held by who asks. Raises PersonNeeded."""
    if work.actor.kind != "person":
        raise PersonNeeded(mark("A person has to do this, signed in: no token may ask for more access, or approve it."))


def is_beyond(manifest: Manifest, config: ConnectionConfig, before: ConnectionConfig) -> bool:
    """Whether a connection would be allowed more than before, and more than its connector gives by itself."""
    default = manifest.default_level
    wanted, had = LEVELS.index(config.level or default), LEVELS.index(before.level or default)
    return wanted > had and wanted > LEVELS.index(default)
