"""What tasks of some kinds ask besides questions: credentials to hand over, a text to sign."""

from __future__ import annotations

import json
from functools import lru_cache

from cel_expr_python import cel

from app.flow.criteria import Criterion, CriterionFailed, CriterionRefused, Vocabulary
from app.flow.kinds.credentials import LONGEST_VALUE, TYPED, CredentialField, Handover
from app.flow.kinds.signatures import Signing
from app.flow.reading.plain import Document, Path
from app.flow.reading.reader import Reader


def read_handover(reader: Reader, task: Document, path: Path) -> Handover | None:
    """The credential of a task, if it is one. Raises CriterionRefused for a pattern that is none."""
    written = task.get("credential")
    if written is None:
        return None
    fields = enumerate(written["fields"])
    return Handover(
        connector=written["connector"],
        fields=tuple(_field(reader, each, (*path, "credential", "fields", index)) for index, each in fields),
    )


def read_signing(reader: Reader, task: Document) -> Signing | None:
    """The text of a task that is signed, with its placeholders filled."""
    written = task.get("signature")
    if written is None:
        return None
    signers = written.get("signers", 1)
    everyone = signers == "all"
    return Signing(
        text=reader.say(written["text"]),
        role=written.get("role", task["owner"] if everyone else None),
        signers=1 if everyone else signers,
        everyone=everyone,
    )


def _field(reader: Reader, written: Document, path: Path) -> CredentialField:
    return CredentialField(
        id=written["id"],
        label=reader.say(written["label"]),
        help=reader.say(written.get("help", {})),
        type=written.get("type", "secret"),
        required=not written.get("optional", False),
        shape=_shape(reader, written["pattern"], (*path, "pattern")) if "pattern" in written else None,
        shortest=written.get("min_length", 1),
        longest=written.get("max_length", LONGEST_VALUE),
    )


def _shape(reader: Reader, pattern: str, path: Path) -> Criterion | None:
    try:
        return compiled(pattern)
    except CriterionRefused as trouble:
        if reader.refused is None:
            raise
        reader.refused.append((path, trouble))
        return None


@lru_cache(maxsize=512)
def compiled(pattern: str) -> Criterion:
    """A pattern of the whole value. In CEL, whose patterns (RE2) take linear time whatever is typed.

    Raises CriterionRefused.
    """
    whole = json.dumps(f"^(?:{pattern})$", ensure_ascii=False)
    shape = Vocabulary({TYPED: cel.Type.STRING}).condition(f"{TYPED}.matches({whole})", "pattern")
    try:
        shape.value({TYPED: ""})
    except CriterionFailed as trouble:  # what is no pattern is only noticed when it is used
        raise CriterionRefused(f"This is not a pattern (RE2): {trouble.reason}") from None
    return shape
