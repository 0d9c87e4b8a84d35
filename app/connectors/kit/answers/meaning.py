"""What an answer means, by the action's output schema and error table. Hostile input: nothing here trusts it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from app.connectors.kit.answers.mapping import MappingWrong, evaluate, rename
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.graphql.answers import codes_of, word_of
from app.connectors.kit.manifest import Action, ErrorRule, Then
from app.kernel.outbound.client import OutboundResponse

NOTHING = object()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means: `done` with a result (None if there is none), `unreadable`, or the error table's word."""

    word: Then | str
    result: dict[str, Any] | None = None


def read_answer(connector: Connector, call: ActionCall, answer: OutboundResponse) -> Meaning:
    """What the answer means by the action's output schema, its error table and the connection's mapping."""
    action = connector.manifest.actions[call.action]
    document = read_document(answer.content)
    if (word := _table_word(action, answer, document)) is not None:
        return Meaning(word)
    if document is NOTHING:
        return Meaning("unreadable")
    found = at_pointer(document, action.result)
    return Meaning("done") if found is NOTHING else _result(connector, call, found)


def _result(connector: Connector, call: ActionCall, found: Any) -> Meaning:  # Any: JSON of any shape
    """What is kept of a success: the declared fields, if they are what the action promises."""
    action = connector.manifest.actions[call.action]
    try:
        found = _transformed(action, call, found)
    except MappingWrong:
        return Meaning("unreadable")
    if found is None and action.transform:
        return Meaning("done")
    if not connector.outputs[call.action].is_valid(found):
        return Meaning("unreadable")
    return Meaning("done", {key: value for key, value in found.items() if key in action.output["properties"]})


def _transformed(action: Action, call: ActionCall, found: Any) -> Any:  # Any: JSON of any shape
    """By the manifest's expression first, then by what the connection itself has renamed."""
    found = evaluate(action.transform, found) if action.transform else found
    field, side = action.mapped.answer, call.config.side(call.action, "answer")
    if field and side and isinstance(found, dict) and field in found:
        return found | {field: rename(side, found[field])}
    return found


def read_document(content: bytes) -> Any:  # Any: JSON of any shape
    """The JSON of a body, an empty object for none, or a marker that is no JSON value."""
    if not content.strip():
        return {}
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return NOTHING


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def at_pointer(document: Any, pointer: str) -> Any:  # Any: JSON of any shape
    """The value at a JSON Pointer, or a marker that is no JSON value where there is none; `-1` ends a list."""
    for part in pointer.split("/")[1:]:
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and document and part == "-1":
            document = document[-1]
        elif isinstance(document, list) and part.isdecimal() and part.isascii() and int(part) < len(document):
            document = document[int(part)]
        else:
            return NOTHING
    return document


def _table_word(action: Action, answer: OutboundResponse, document: Any) -> Then | Literal["unreadable"] | None:
    """The error table's word; without a line for it, what the answer says by itself; None for success."""
    for rule in action.errors:
        if rule.status in {0, answer.status} and _fits(rule, answer, document):
            return rule.then
    status = answer.status
    if status < 300:  # noqa: PLR2004  2xx is success
        return word_of(document) if action.graphql is not None else None
    if status in {401, 403} or status < 400:  # noqa: PLR2004  a redirect is never followed: the address is wrong
        return "fail_config"
    if status == 429:  # noqa: PLR2004  statuses of RFC 9110
        return "rate_limited"
    return "retry" if status >= 500 or status == 408 else "fail_permanent"  # noqa: PLR2004  statuses of RFC 9110


def _fits(rule: ErrorRule, answer: OutboundResponse, document: Any) -> bool:
    wanted = (*rule.one_of, *(() if rule.equals is None else (rule.equals,)))
    if rule.at is not None and not _among(at_pointer(document, rule.at), wanted):
        return False
    if rule.header is not None and answer.headers.get(rule.header.lower()) not in [str(each) for each in wanted]:
        return False
    if rule.code and rule.code not in codes_of(document):
        return False
    return rule.contains is None or rule.contains.encode() in answer.content


def _among(found: Any, wanted: tuple[str | int | float | bool, ...]) -> bool:
    """Equal in kind too: for Python, `true` is 1."""
    return any(found == each and isinstance(found, bool) == isinstance(each, bool) for each in wanted)
