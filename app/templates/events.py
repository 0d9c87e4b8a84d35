"""What happened to templates in a partner's home."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class VersionPublished(Event, frozen=True, kw_only=True):
    """A version of a template, or of an overlay on one, is published; its content never changes any more."""

    type: ClassVar[str] = "templates.version.published"
    subject_kind: ClassVar[str] = "template"

    kind: str
    template: str
    version: str
    digest: str


class LineMoved(Event, frozen=True, kw_only=True):
    """From now on another version, or another chain of overlays, is what the partner offers of a template."""

    type: ClassVar[str] = "templates.line.moved"
    subject_kind: ClassVar[str] = "template"

    template: str
    seq: int
    template_digest: str
    overlay_digest: str | None
    why: str
