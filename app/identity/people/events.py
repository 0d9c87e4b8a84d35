"""What happened to people: in the trail of the workspace, or of the partner's home for its staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class _OfPerson(Event):
    subject_kind: ClassVar[str] = "person"
    personal: ClassVar[frozenset[str]] = frozenset({"name", "email"})

    name: str
    email: str
    before: list[str]
    after: list[str]


@dataclass(frozen=True, kw_only=True)
class MemberInvited(_OfPerson):
    """Somebody was asked into this workspace; a mail with a way in follows."""

    type: ClassVar[str] = "identity.member.invited"

    by: str
    locale: str


@dataclass(frozen=True, kw_only=True)
class MemberChanged(_OfPerson):
    """Somebody's role in this workspace is another one."""

    type: ClassVar[str] = "identity.member.changed"


@dataclass(frozen=True, kw_only=True)
class MemberRemoved(_OfPerson):
    """Somebody does not belong to this workspace any more; their sessions are over."""

    type: ClassVar[str] = "identity.member.removed"


@dataclass(frozen=True, kw_only=True)
class StaffInvited(_OfPerson):
    """Somebody works for this partner now; a mail with a way in follows."""

    type: ClassVar[str] = "identity.staff.invited"

    by: str
    locale: str


@dataclass(frozen=True, kw_only=True)
class StaffChanged(_OfPerson):
    """Somebody who works here has other roles."""

    type: ClassVar[str] = "identity.staff.changed"


@dataclass(frozen=True, kw_only=True)
class StaffRemoved(_OfPerson):
    """Somebody does not work here any more; their sessions are over, and no delegation lets them in."""

    type: ClassVar[str] = "identity.staff.removed"
