"""What happened to people: in the trail of the workspace, or of the partner's home for its staff."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class _OfPerson(Event, frozen=True, kw_only=True):
    subject_kind: ClassVar[str] = "person"
    personal: ClassVar[frozenset[str]] = frozenset({"name", "email"})

    name: str
    email: str
    before: list[str]
    after: list[str]


class MemberInvited(_OfPerson, frozen=True, kw_only=True):
    """Somebody was asked into this workspace; a mail with a way in follows."""

    type: ClassVar[str] = "identity.member.invited"

    by: str
    locale: str


class MemberChanged(_OfPerson, frozen=True, kw_only=True):
    """Somebody's role in this workspace is another one."""

    type: ClassVar[str] = "identity.member.changed"


class MemberRemoved(_OfPerson, frozen=True, kw_only=True):
    """Somebody does not belong to this workspace any more; their sessions are over."""

    type: ClassVar[str] = "identity.member.removed"


class StaffInvited(_OfPerson, frozen=True, kw_only=True):
    """Somebody works for this partner now; a mail with a way in follows."""

    type: ClassVar[str] = "identity.staff.invited"

    by: str
    locale: str


class StaffChanged(_OfPerson, frozen=True, kw_only=True):
    """Somebody who works here has other roles."""

    type: ClassVar[str] = "identity.staff.changed"


class StaffRemoved(_OfPerson, frozen=True, kw_only=True):
    """Somebody does not work here any more; their sessions are over, and no delegation lets them in."""

    type: ClassVar[str] = "identity.staff.removed"
