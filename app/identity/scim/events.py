"""What a directory has done, for the trail of the home or the tenant it speaks for."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class AccessFollowed(Event, frozen=True, kw_only=True):
    """A person's roles now are what their directory says: `before` and `after`; none is no access."""

    type: ClassVar[str] = "identity.directory.access_followed"
    subject_kind: ClassVar[str] = "person"
    personal: ClassVar[frozenset[str]] = frozenset({"name", "email"})

    directory: str
    name: str
    email: str
    before: list[str]
    after: list[str]


class DirectoryChanged(Event, frozen=True, kw_only=True):
    """A directory was set up, got a new token, another role for a group, was disabled or enabled again."""

    type: ClassVar[str] = "identity.directory.changed"
    subject_kind: ClassVar[str] = "directory"

    name: str
    what: str
    before: str = ""
    after: str = ""
