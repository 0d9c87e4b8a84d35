"""What is kept of an integration on its way live: what people recorded, its stages, and how its checks went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.operations.documents import keep_document
from app.audit.queries.documents import find_document, list_documents
from app.connectors.models import Run
from app.kernel.work import Work

SYSTEM_ONLY = {
    "keep_guide": "part of an operation that has checked its own permission",
    "keep_trial": "part of an operation that has checked its own permission",
}
GUIDE: Final = "integration"
TRIAL: Final = "integration_trial"

Noted = Mapping[str, Any]  # what a person recorded: `by`, `by_id`, `at`, `mark` and the step's own values


@dataclass(frozen=True, slots=True)
class Staged:
    """One change of the stage, with the version of the settings at that time."""

    stage: str
    share: int
    chosen: list[str]
    version: int
    by: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The steps of one connection. `reached`: when a milestone was first found to be."""

    begun_at: str = ""
    scope: Noted = field(default_factory=dict)
    risk: Noted = field(default_factory=dict)
    consent: Noted = field(default_factory=dict)
    quality: Noted = field(default_factory=dict)
    history: tuple[Staged, ...] = ()
    reached: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """From what was kept."""
        return cls(**{**body, "history": tuple(Staged(**each) for each in body.get("history", ()))})

    @property
    def pilot_since(self) -> str:
        """When it was last let out from a stage in which nothing is live."""
        since = ""
        for earlier, each in zip((None, *self.history), self.history, strict=False):
            dark = earlier is None or earlier.stage in {"off", "sandbox"}
            since = each.at if dark and each.stage in {"pilot", "all"} else since
        return since


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept in a sandbox run."""

    action: str
    check: str
    said: str


@dataclass(frozen=True, slots=True)
class Trial:
    """How the checks of one configuration went. `asked_at` is newer than `at` while they are being run."""

    asked_at: str = ""
    at: str = ""
    by: str = ""
    kept: Mapping[str, int] = field(default_factory=dict)  # by action
    broken: tuple[Broken, ...] = ()
    said: str = ""  # why they could not be run at all

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """From what was kept."""
        return cls(**{**body, "broken": tuple(Broken(**each) for each in body.get("broken", ()))})

    @property
    def under_way(self) -> bool:
        """Whether nobody knows the end yet."""
        return self.asked_at > self.at

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        return bool(self.at) and not self.under_way and not self.broken and not self.said and bool(self.kept)


def find_guide(session: Session, connection_id: UUID, *, lock: bool = False) -> Guide:
    """The steps of a connection; with `lock` nobody else records one before the commit."""
    found = find_document(session, GUIDE, str(connection_id), lock=lock)
    return Guide.read(found.body if found else {})


def keep_guide(work: Work, connection_id: UUID, guide: Guide) -> None:
    """Write it in place of the one before."""
    keep_document(work, GUIDE, str(connection_id), asdict(guide))


def find_trial(session: Session, connection_id: UUID, mark: str, *, lock: bool = False) -> Trial:
    """How the checks of a configuration went."""
    found = find_document(session, TRIAL, f"{connection_id}:{mark}", lock=lock)
    return Trial.read(found.body if found else {})


def has_trials(session: Session, connection_id: UUID) -> bool:
    """Whether any configuration of a connection was validated before."""
    return any(Trial.read(each.body).passed for each in list_documents(session, TRIAL, prefix=f"{connection_id}:"))


def keep_trial(work: Work, connection_id: UUID, mark: str, trial: Trial) -> None:
    """Write it in place of the one before."""
    keep_document(work, TRIAL, f"{connection_id}:{mark}", asdict(trial))


def recent_runs(session: Session, connection_id: UUID, *, most: int = 500) -> list[Run]:
    """The newest runs of a connection, the newest first."""
    query = select(Run).where(Run.connection_id == connection_id).order_by(Run.requested_at.desc()).limit(most)
    return list(session.scalars(query))
