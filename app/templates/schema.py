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
_ITEM = r"stage|milestone|task|gate"
_PATTERNS = {  # what a pattern of the schemas asks for, in words; by the start of the pattern
    "^[a-z]{2}(-[A-Z]{2})?$": "a language, such as en or de-AT",
    f"^({_ITEM})": "the full name of a stage, milestone, task or gate, such as task.describe",
    "^[a-z][a-z0-9_]{": "a short name: small letters, digits and _",
    "^[a-z][a-z0-9-]{": "a short name: small letters, digits and -",
    "^(0|[1-9]": "three numbers, such as 1.0.0",
    "^component/": "a component with its version, such as component/exception-routes@1.0.0",
}
_KEY = re.compile(r'"(\w+)":')
_CHOICES = frozenset({"anyOf", "oneOf"})
_KINDS = {
    "array": "a list: [ … ], or a line with - for each",
    "object": "names with values: {name: value}",
    "string": "text",
    "integer": "a whole number",
    "boolean": "true or false",
}


Language = Literal["template", "overlay", "component", "tests", "sample", "package"]


@cache
def _validator(name: Language) -> tuple[jsonschema_rs.Draft202012Validator, dict[str, Any]]:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))
    return jsonschema_rs.Draft202012Validator(schema), schema


def check_schema(source: Source, name: Language) -> list[Problem]:
    """Everything the schema refuses, in the file's order."""
    validator, schema = _validator(name)
    errors = list(validator.iter_errors(source.document))
    misspelt = {tuple(each.instance_path) for each in errors if _rule(each) == "additionalProperties"}
    told = [each for each in errors if _rule(each) not in _CHOICES or tuple(each.instance_path) not in misspelt]
    return sorted({_problem(source, schema, error) for error in told})


def _rule(error: jsonschema_rs.ValidationError) -> str | int:
    return error.schema_path[-1] if error.schema_path else ""


def _problem(source: Source, schema: dict[str, Any], error: jsonschema_rs.ValidationError) -> Problem:
    path: Path = tuple(error.instance_path)
    rule = _rule(error)
    quoted = _QUOTED.findall(error.message)
    above = _at(schema, list(error.schema_path)[:-1])
    if rule == "additionalProperties" and quoted:
        known = above.get("properties", {}) if isinstance(above, dict) else {}
        fix = likely_fix(quoted[0], known) or f"Known here: {', '.join(known)}. {_how(above)}".strip()
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
        wanted = above.get("properties", {}).get(missing, {}) if isinstance(above, dict) else {}
        wanted = _at(schema, wanted["$ref"].removeprefix("#/").split("/")) if "$ref" in wanted else wanted
        return source.problem(path, f"“{missing}” is missing here.", _how(wanted, missing))
    if error.message.startswith("False schema"):
        return source.problem(path, "This does not belong to this kind of element.", key=True)
    return source.problem(path, *_in_words(rule, error, path, above))


def _in_words(rule: str | int, error: jsonschema_rs.ValidationError, path: Path, above: Any) -> tuple[str, str]:
    """A value of the wrong form: what it should be, and how that is written, so far as the schema tells."""
    name = next((f"“{step}”" for step in reversed(path) if isinstance(step, str)), "This")
    name = f"Each of {name}" if path and isinstance(path[-1], int) else name
    if rule == "type" and isinstance(above, dict) and above.get("type") in _KINDS:
        told = f"{name} must be {_KINDS[above['type']]}."
        return told, _how(above)
    if rule == "pattern" and isinstance(above, dict):
        pattern = str(above["pattern"])
        if words := next((words for start, words in _PATTERNS.items() if pattern.startswith(start)), ""):
            return f"{json.dumps(error.instance, ensure_ascii=False)} is not {words}.", ""
    return f"{error.message[:300]}.", ""


def _how(schema: Any, name: str = "") -> str:
    """An example of what belongs here, written as people write it, where the schema gives one."""
    examples = schema.get("examples", ()) if isinstance(schema, dict) else ()
    written = _KEY.sub(r"\1:", json.dumps(examples[0], ensure_ascii=False)) if examples else ""
    return f"For example: {name + ': ' if name else ''}{written}." if written else ""


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
