"""What happened to templates in a partner's home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class VersionPublished(Event):
    """A version of a template, or of an overlay on one, is published; its content never changes any more."""

    type: ClassVar[str] = "templates.version.published"
    subject_kind: ClassVar[str] = "template"

    kind: str
    template: str
    version: str
    digest: str
