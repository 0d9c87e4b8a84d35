"""Documents against the JSON Schemas of `templates_library/schema`; each error with its place and a likely fix."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path as FilePath
from typing import Any, Literal

import jsonschema_rs

from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

FOLDER = FilePath(__file__).parents[2] / "templates_library" / "schema"
_QUOTED = re.compile(r"'([^']+)'")


Language = Literal["template", "overlay", "component", "tests", "sample", "package"]


@cache
def _validator(name: Language) -> tuple[jsonschema_rs.Draft202012Validator, dict[str, Any]]:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema), schema


def check_schema(source: Source, name: Language) -> list[Problem]:
    """Everything the schema refuses, in the file's order."""
    validator, schema = _validator(name)
    return sorted({_problem(source, schema, error) for error in validator.iter_errors(source.document)})


def _problem(source: Source, schema: dict[str, Any], error: jsonschema_rs.ValidationError) -> Problem:
    path: Path = tuple(error.instance_path)
    rule = error.schema_path[-1] if error.schema_path else ""
    quoted = _QUOTED.findall(error.message)
    above = _at(schema, list(error.schema_path)[:-1])
    if rule == "additionalProperties" and quoted:
        known = above.get("properties", {}) if isinstance(above, dict) else {}
        fix = likely_fix(quoted[0], known) or f"Known here: {', '.join(known)}."
        return source.problem((*path, quoted[0]), f"There is no “{quoted[0]}” here.", fix, key=True)
    if rule == "enum" and isinstance(above, dict):
        choices = [str(each) for each in above["enum"]]
        word = str(_at(source.document, list(path)))
        return source.problem(path, f"“{word}” is not one of: {', '.join(choices)}.", likely_fix(word, choices))
    if rule in {"anyOf", "oneOf"} and isinstance(above, dict) and (known := _known_words(above[rule])):
        found = _at(source.document, list(path))
        word = str(next(iter(found), "") if isinstance(found, dict) else found)
        return source.problem(path, f"“{word[:40]}” is not one of: {', '.join(known)}.", likely_fix(word, known))
    if rule in {"required", "dependentRequired"}:
        missing = error.message.split('"')[1] if '"' in error.message else "something"
        return source.problem(path, f"“{missing}” is missing here.")
    if error.message.startswith("False schema"):
        return source.problem(path, "This does not belong to this kind of element.", key=True)
    return source.problem(path, f"{error.message[:300]}.")


def _known_words(alternatives: list[dict[str, Any]]) -> list[str]:
    """The words that alternatives are chosen by: a key that must be there, or one of several words."""
    return [str(word) for each in alternatives for word in [*each.get("required", ())[:1], *each.get("enum", ())]]


def _at(document: Any, path: list[str | int]) -> Any:
    """The value at a path of a schema or document; `$ref` is followed, as the validator's paths do not show it."""
    node = document
    for step in path:
        if step == "$ref" and isinstance(node, dict):
            node = _at(document, node["$ref"].removeprefix("#/").split("/"))
        elif isinstance(node, dict):
            node = node.get(str(step), {})
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return {}
    return node
