"""A text changed so that it says what a document does: only the words that change, whatever stands around them.

A writer of whole trees (`app.templates.merging.layout`) keeps comments, but sets what spans several lines, or stands in
columns, in its own way. A person who changed one date wants to find one line changed; so the words themselves are
exchanged at their places. What has no place of its own in the text is left to that writer, and what either wrote is
read again: a text that says anything else is refused.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml.error import YAMLError

from app.kernel.errors import Invalid
from app.templates.document import read_yaml
from app.templates.merging import rewritten
from app.templates.overlays.tree import same
from app.templates.rules import TemplateRefused
from app.templates.studio.editing.splicing import NoPlace, spliced
from app.web.translations import mark


class NotWritten(Invalid):
    """The change cannot be written into this text."""


def respelled(text: str, document: dict[str, Any]) -> str:
    """The text that says what the document does. Raises TemplateRefused for what is no YAML of ours, NotWritten."""
    before = read_yaml(text, "").document
    if same(before, document):
        return text
    for write in (spliced, _rewritten):
        try:
            made = write(text, before, document)
            if same(read_yaml(made, "").document, document):
                return made
        except (NoPlace, YAMLError, TemplateRefused, LookupError, ValueError, TypeError):
            continue
    raise NotWritten(mark("This change cannot be written into the source by itself. Make it in the source."))


def _rewritten(text: str, _before: dict[str, Any], document: dict[str, Any]) -> str:
    return rewritten(text, document)
