"""The studio as its page takes it: structure, form of the chosen element, source, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.templates.authoring.checking import Checked
from app.templates.document import Source
from app.templates.preview import facts_of
from app.templates.rules import Problem
from app.templates.studio.editing.applying import form_of, locales_of
from app.templates.studio.editing.elements import Element
from app.templates.studio.editing.forms import UNIT, Asked, fields_of, shown_values, unit_of
from app.templates.studio.editing.kinds import Part, Property
from app.templates.studio.editing.outline import Say, elements_by_place, outline_of, texts_of

MOST_PROBLEMS: Final = 100  # that are shown; the rest is counted
_LONGEST_LINE = 160  # characters of a line that are shown beside its problem
_LARGE = frozenset({"description", "help", "body", "message", "first_response", "why", "text"})
_MORE = frozenset({"help", "optional", "personal", "sends", "after", "depends_on", "audience", "lifecycle"})
_ONLY_OF = {  # properties and lists of tasks of some kinds
    "action": frozenset({"action"}),
    "on_refusal": frozenset({"approval", "signature"}),
    "sends": frozenset({"message"}),
    "files": frozenset({"file"}),
    "credential": frozenset({"credential"}),
    "signature": frozenset({"signature"}),
    "fields": frozenset({"form", "check", "approval", "meeting", "training", "message", "action", "file"}),
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One look at a text: the text, what was found in it, which element is open, and what was typed into its form."""

    text: str
    source: Source | None
    checked: Checked
    at: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def studio_of(sheet: Sheet, say: Say) -> dict[str, Any]:
    """Everything that hangs on the text."""
    return findings_of(sheet, say) | {"source": sheet.text, "element": _element(sheet, say)}


def findings_of(sheet: Sheet, say: Say) -> dict[str, Any]:
    """The structure and what is wrong: what follows each key that is typed."""
    made = sheet.checked.effective.compile() if sheet.checked.effective else None
    structured = sheet.source if sheet.source and _is_template(sheet.source) else None
    found, by_place = sheet.checked.problems, elements_by_place(structured) if structured else {}
    wrong = [by_place.get((each.line, each.column), "") for each in found]
    lines = sheet.text.splitlines()
    return {
        "outline": outline_of(structured, wrong, say) if structured else None,
        "texts": texts_of(structured, say) if structured else [],
        "readable": sheet.source is not None,
        "at": sheet.at,
        "problems": [
            _problem(each, lines, at if structured else None)
            for each, at in zip(found[:MOST_PROBLEMS], wrong[:MOST_PROBLEMS], strict=True)
        ],
        "more_problems": len(found[MOST_PROBLEMS:]),
        "made": {"title": say(dict(made.title)), "version": made.version} if made else None,
        "facts": facts_of(made, lambda said: say(dict(said))) if made else None,
    }


def _is_template(source: Source) -> bool:
    return "overlay" not in source.document and "component" not in source.document


def _problem(problem: Problem, lines: Sequence[str], at: str | None) -> dict[str, Any]:
    written = lines[problem.line - 1] if 0 < problem.line <= len(lines) else ""
    return {
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "fix": problem.fix,
        "written": written.strip()[:_LONGEST_LINE],
        "at": at,
    }


def _element(sheet: Sheet, say: Say) -> dict[str, Any] | None:
    if sheet.source is None or not _is_template(sheet.source):
        return None
    document = sheet.source.document
    element = form_of(document, sheet.at)
    locales = locales_of(document)
    asked = [each for each in fields_of(element, locales) if _fits(element, each.property)]
    values = {**shown_values(asked, element), **sheet.typed}
    fields = [_field(each, values, _roles(document, say), sheet.errors) for each in asked]
    adding = [part for part in element.kind.parts if part.adding and _fits(element, part)]
    return {
        "at": element.at,
        "kind": element.kind.name,
        "label": element.kind.label,
        "line": sheet.source.place(element.path)[0],
        "several": len(locales) > 1,
        "fields": [each for each in fields if not each["more"]],
        "more": [each for each in fields if each["more"]],
        "adds": [{"name": part.name, "text": part.adding} for part in adding],
        "moves": bool(element.path) and isinstance(element.path[-1], int),
        "goes": bool(element.path),
    }


def _fits(element: Element, one: Property | Part) -> bool:
    """Whether a property, or a list, is any of this element's: an action's of an action alone."""
    head = one.name.partition(".")[0]
    kind = element.value.get("kind") if element.kind.name == "task" else None
    if head not in _ONLY_OF or not isinstance(kind, str):
        return True
    return head in element.value or kind in _ONLY_OF[head]


def _field(
    asked: Asked, values: Mapping[str, str], roles: list[tuple[str, str]], errors: Mapping[str, str]
) -> dict[str, Any]:
    one, value = asked.property, values[asked.name]
    types = {"text": "text", "word": "text", "number": "integer", "duration": "duration", "select": "select"}
    types |= {"role": "select", "names": "list", "roles": "list", "flag": "boolean", "condition": "condition"}
    large = one.widget == "text" and (one.name.rpartition(".")[2] in _LARGE or "\n" in value)
    options = roles if one.widget == "role" else [(each, each.replace("_", " ")) for each in one.options]
    if value and options and value not in {name for name, _ in options}:
        options = [*options, (value, value)]
    return {
        "id": asked.name,
        "label": one.label,
        "language": asked.language,
        "type": "long_text" if large else types[one.widget],
        "value": value,
        "unit": values.get(f"{asked.name}{UNIT}") or unit_of(None),
        "help": one.help,
        "options": options,
        "error": errors.get(asked.name, ""),
        "more": one.widget == "condition" or one.name.partition(".")[0] in _MORE | {"trouble"},
    }


def _roles(document: Mapping[str, Any], say: Say) -> list[tuple[str, str]]:
    roles = document.get("roles")
    found = [each for each in roles if isinstance(each, dict)] if isinstance(roles, list) else []
    return [(str(each.get("id")), _called(each, say)) for each in found if each.get("id")]


def _called(role: Mapping[str, Any], say: Say) -> str:
    label = role.get("label")
    texts = (
        {str(name): each for name, each in label.items() if isinstance(each, str)} if isinstance(label, dict) else {}
    )
    return say(texts) or str(role.get("id"))
