"""Writes a changed document over its YAML text: comments, quotes and layout stay where nothing changed."""

from __future__ import annotations

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from app.templates.document import DEEPEST, read_yaml
from app.templates.merging.lines import without
from app.templates.overlays.tree import is_keyed, same

_WIDEST = 1_000_000  # a line is as long as its author made it


class _SpelledOut(RoundTripRepresenter):
    """Writes null as `null`: a key with nothing behind it looks like a mistake."""

    def represent_none(self, _data: None) -> Any:
        """The word."""
        return self.represent_scalar("tag:yaml.org,2002:null", "null")


_SpelledOut.add_representer(type(None), _SpelledOut.represent_none)


def rewritten(text: str, document: dict[str, Any]) -> str:
    """The text, changed so that it says what the document does. Raises TemplateRefused for what is no YAML of ours."""
    text = without(text, read_yaml(text, "").document, document)
    before = read_yaml(text, "").document
    yaml = _yaml(*indents(text))
    written = yaml.load(text)
    _mapping(written, before, document)
    return _dumped(yaml, written)


def spelled(value: Any, sequence: int = 4, offset: int = 2) -> str:
    """A new value as YAML that ends with a line break; lists stand in as `indents` says."""
    return _dumped(_yaml(sequence, offset), _fresh(value))


def spelled_in_a_row(value: Any) -> str:
    """The same on one line, as it may stand inside of brackets."""
    row = CommentedMap(k=_fresh(value))  # behind a name: what stands in a list alone loses its braces
    row.fa.set_flow_style()
    return _dumped(_yaml(4, 2), row).strip().removeprefix("{k: ").removesuffix("}")


def _yaml(sequence: int, offset: int) -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.Representer = _SpelledOut
    yaml.preserve_quotes = True
    yaml.width = _WIDEST
    yaml.max_depth = 2 * DEEPEST
    yaml.indent(mapping=2, sequence=sequence, offset=offset)
    return yaml


def _dumped(yaml: YAML, written: Any) -> str:
    out = io.StringIO()
    yaml.dump(written, out)
    return out.getvalue()


def indents(text: str) -> tuple[int, int]:
    """How far list elements stand in from their key, as the file does it first: `sequence` and `offset` of ruamel."""
    above = 0
    for line in text.splitlines():
        bare = line.lstrip(" ")
        if bare.startswith("- "):
            offset = max(len(line) - len(bare) - above, 0)
            return offset + 2, offset
        if bare and not bare.startswith("#"):
            above = len(line) - len(bare)
    return 4, 2


def _mapping(written: CommentedMap, before: dict[str, Any], after: dict[str, Any]) -> None:
    for name in before:
        if name not in after:
            del written[name]
    for index, (name, value) in enumerate(after.items()):
        if name not in before:
            written.insert(min(index, len(written)), name, _fresh(value))
        elif not same(before[name], value):
            written[name] = _changed(written[name], before[name], value)


def _changed(written: Any, before: Any, after: Any) -> Any:
    if isinstance(before, dict) and isinstance(after, dict):
        _mapping(written, before, after)
        return written
    if is_keyed(before) and is_keyed(after):
        _elements(written, before, after)
        return written
    return _fresh(after)


def _elements(written: CommentedSeq, before: list[Any], after: list[Any]) -> None:
    """Elements that stay keep their text; the patch of an overlay never changes their order."""
    kept = {each["id"] for each in after}
    for index in range(len(before) - 1, -1, -1):
        if before[index]["id"] not in kept:
            del written[index]
    was = {each["id"]: each for each in before}
    for index, each in enumerate(after):
        if each["id"] not in was:
            written.insert(index, _fresh(each))
        elif not same(was[each["id"]], each):
            _mapping(written[index], was[each["id"]], each)


def _fresh(value: Any) -> Any:
    """A new value as a person would write it: texts of several languages and other small mappings on one line."""
    if isinstance(value, dict):
        made = CommentedMap((name, _fresh(each)) for name, each in value.items())
        if not any(isinstance(each, dict | list) for each in value.values()):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        row = CommentedSeq(_fresh(each) for each in value)
        if not any(isinstance(each, dict | list) for each in value):
            row.fa.set_flow_style()
        return row
    return DoubleQuotedScalarString(value) if isinstance(value, str) and (" " in value or "\n" in value) else value
