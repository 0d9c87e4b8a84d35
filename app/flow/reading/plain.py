"""Small parts that every section of a document is made of: paths, texts with placeholders, fields, lengths of time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from app.flow.communications.text import MESSAGE_FIELDS
from app.flow.definition import Duration
from app.flow.fields import Field, Text
from app.flow.kinds.signatures import SIGNATURE_FIELDS

Path = tuple[str | int, ...]
Document = Mapping[str, Any]  # the schema has checked it; values are plain JSON
USUAL_MB = 25  # the largest file where a template says nothing
Say = Callable[[Mapping[str, str]], Text]

APPROVAL_FIELDS = (
    Field(id="approved", label={"en": "Approved", "de": "Freigegeben", "ar": "معتمَد"}, type="boolean", required=True),
    Field(id="comment", label={"en": "Comment", "de": "Kommentar", "ar": "تعليق"}, type="long_text"),
)
IMPLICIT_FIELDS = {"approval": APPROVAL_FIELDS, "signature": SIGNATURE_FIELDS}
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_PLAIN_FIELD_KEYS = frozenset({"id", "type", "required", "minimum", "maximum", "default", "personal"})


class Texts:
    """The brandable texts of one document, and how they stand in others."""

    def __init__(self, document: Document) -> None:
        self.default = document["default_locale"]
        self.named: dict[str, Text] = {key: dict(text) for key, text in document.get("texts", {}).items()}

    def say(self, value: Mapping[str, str]) -> Text:
        """A localised text with its placeholders (`{provider}`) filled from the brandable texts."""
        return {language: self._filled(language, sentence) for language, sentence in value.items()}

    def _filled(self, language: str, sentence: str) -> str:
        def replacement(match: re.Match[str]) -> str:
            found = self.named.get(match.group(1), {})
            return found.get(language) or found.get(self.default) or match.group()

        return _PLACEHOLDER.sub(replacement, sentence)


def as_written(value: Mapping[str, str]) -> Text:
    """A text whose placeholders stay: where only names and types are asked for."""
    return dict(value)


def read_fields(entries: Iterable[Document], say: Say) -> tuple[Field, ...]:
    """Typed fields from their documents, without the conditions of questions."""
    return tuple(
        msgspec.convert(
            {
                **{name: entry[name] for name in entry.keys() & _PLAIN_FIELD_KEYS},
                "label": say(entry["label"]),
                "help": say(entry.get("help", {})),
                "options": [{"id": each["id"], "label": say(each["label"])} for each in entry.get("options", ())],
            },
            Field,
        )
        for entry in entries
    )


def read_slots(task: Document, say: Say) -> tuple[Field, ...]:
    """What a task of kind file asks for: each place as a field whose answer are references."""
    return tuple(
        Field(
            id=slot["id"],
            label=say(slot["label"]),
            help=say(slot.get("help", {})),
            type="files",
            required=slot.get("at_least", 1) > 0,
            minimum=slot.get("at_least", 1),
            maximum=slot.get("at_most", max(1, slot.get("at_least", 1))),
            accept=tuple(slot["accept"]),
            max_mb=slot.get("max_mb", USUAL_MB),
        )
        for slot in task.get("files", ())
    )


def with_implicit(task: Document, fields: tuple[Field, ...]) -> tuple[Field, ...]:
    """The fields of a task: an approval or signature asks for the word itself; what sends, for what is sent."""
    if "sends" in task:
        implicit = {field.id for field in MESSAGE_FIELDS}
        return (*(field for field in fields if field.id not in implicit), *MESSAGE_FIELDS)
    if task["kind"] not in IMPLICIT_FIELDS:
        return fields
    own = {field.id for field in fields}
    return fields + tuple(field for field in IMPLICIT_FIELDS[task["kind"]] if field.id not in own)


def duration(value: Document | None) -> Duration | None:
    """A length of business time, or None where none is written."""
    return None if value is None else Duration(**value)


def path_text(document: Document, path: Path) -> str:
    """A path as people read it: list elements by their id (`stages.kickoff.milestones.held.exit`)."""
    words: list[str] = []
    node: Any = document
    for step in path:
        node = below(node, step)
        words.append(str(node.get("id", step)) if isinstance(step, int) and isinstance(node, Mapping) else str(step))
    return ".".join(words)


def below(node: Any, step: str | int) -> Any:
    """One step down a document; an empty mapping where nothing is written."""
    if isinstance(node, list) and isinstance(step, int):
        return node[step]
    return node.get(step, {}) if isinstance(node, Mapping) else {}
