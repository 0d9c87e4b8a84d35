"""What happened to packages in a partner's home."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class PackageDrafted(Event, frozen=True, kw_only=True):
    """A draft of a package was changed; what it says now is kept as `version` of the draft."""

    type: ClassVar[str] = "templates.package.drafted"
    subject_kind: ClassVar[str] = "package"

    package: str
    version: int


class PackageRetired(Event, frozen=True, kw_only=True):
    """A package is not sold any more; what was sold with it goes on."""

    type: ClassVar[str] = "templates.package.retired"
    subject_kind: ClassVar[str] = "package"

    package: str
