"""The versions of a connection's settings, kept as documents, and the difference between two of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.queries.documents import newest_documents
from app.connectors.kit.settings import ConnectionConfig

VERSION: Final = "connection_settings"
KEPT: Final = 50  # versions of one connection
_LONGEST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Version:
    """One version as it was saved: what is set, by whom, when, why; `restored` is the version that it repeats, or 0."""

    number: int
    config: ConnectionConfig
    by: str
    at: str
    reason: str
    restored: int = 0
    approved: str = ""  # who else let it do more than its connector gives by itself

    def body(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"config": self.config.document()}

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Version:
        """From what was kept."""
        return cls(**{**body, "config": ConnectionConfig.read(body["config"])})


@dataclass(frozen=True, slots=True)
class Change:
    """One place that two versions differ in; empty texts where one of them has nothing there."""

    place: str
    before: str
    after: str


def key_of(connection_id: UUID, number: int) -> str:
    """Where a version is kept: the keys of one connection stand in the order of its versions."""
    return f"{connection_id}:{number:09d}"


def list_versions(session: Session, connection_id: UUID) -> list[Version]:
    """The versions that are kept of a connection, the newest first."""
    found = newest_documents(
        session, VERSION, after=f"{connection_id}:", before=f"{connection_id}:~", limit=KEPT
    )  # the tilde stands behind all digits
    return [Version.read(each.body) for each in found]


def compare(before: ConnectionConfig, after: ConnectionConfig) -> list[Change]:
    """Every place that differs, by name."""
    old, new = dict(_places(before.document())), dict(_places(after.document()))
    return [
        Change(place, old.get(place, ""), new.get(place, ""))
        for place in sorted({*old, *new})
        if old.get(place, "") != new.get(place, "")
    ]


def _places(part: object, at: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping):
        for name, value in part.items():
            if at or name != "version":
                yield from _places(value, f"{at}/{name}")
    elif part is not None:
        yield at, str(part)[:_LONGEST_SHOWN]
