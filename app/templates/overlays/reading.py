"""An overlay as it is written, checked for its own shape. What it changes is checked when it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.templates.document import Source, read_yaml
from app.templates.language import address
from app.templates.overlays.marks import check_marks
from app.templates.rules import TemplateRefused
from app.templates.schema import check_schema


@dataclass(frozen=True, slots=True)
class Overlay:
    """A checked overlay: its document, content address and source."""

    document: Mapping[str, Any]
    digest: str
    source: Source

    @property
    def id(self) -> str:
        """The overlay's own name."""
        return str(self.document["overlay"])

    @property
    def written_for(self) -> str:
        """The address of the document it was written for: a template's, or that of one with overlays on it."""
        return str(self.document["base"]["digest"])


def read_overlay(text: str, file: str) -> Overlay:
    """Read an overlay and check its own shape. Raises TemplateRefused. What it changes is checked when applied."""
    source = read_yaml(text, file)
    problems = check_schema(source, "overlay") or check_marks(source)
    if problems:
        raise TemplateRefused(problems)
    return Overlay(source.document, address(source.document), source)
