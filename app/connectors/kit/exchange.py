"""From a call to an HTTP request and from an answer to a meaning, by the manifest alone. Sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.connectors.auth.blotting import blot
from app.connectors.auth.signing import Proof, sign
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.manifest import Action, ErrorRule, Then
from app.kernel.errors import Invalid
from app.kernel.outbound.client import OutboundRequest, OutboundResponse
from app.kernel.outbound.world_clock import world_time

LONGEST_PAUSE = timedelta(minutes=15)
LONGEST_RETRY_AFTER = timedelta(hours=24)
EXCERPT = 500
_NOTHING = object()


class InputUnfit(Invalid):
    """The input does not fit the action's schema, or cannot stand where the request needs it."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an answer means: `done` with a result (None if there is none), `unreadable`, or the error table's word."""

    word: Then | str
    result: dict[str, Any] | None = None


def build_request(connector: Connector, action: Action, call: ActionCall, timeout: float) -> OutboundRequest:
    """The request of a call. Raises InputUnfit or SecretNotStored."""
    wrong = next(connector.inputs[call.action].iter_errors(dict(call.input)), None)
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.instance_path)
        said = f"The input of {call.action} does not fit at /{place}: {wrong.message[:200]}."
        raise InputUnfit(said, errors=[(f"/{place}", wrong.message)])
    shape = action.request
    headers = {"Accept": "application/json"}
    if action.key_header is not None:
        headers[action.key_header] = call.idempotency_key
    content = b""
    if shape.body is not None:
        headers["Content-Type"] = "application/json"
        content = json.dumps(_filled(shape.body, call.input), ensure_ascii=False).encode()
    request = OutboundRequest(
        method=shape.method,
        url=connector.manifest.address + _target(action, call.input),
        headers=headers,
        content=content,
        timeout=timeout,
        max_bytes=connector.manifest.limits.max_response_bytes,
        ports=connector.manifest.egress.ports,
        sandbox=call.sandbox,
    )
    return sign(connector.manifest.way(call.auth), request, Proof(call.secrets, call.auth, world_time()))


def _target(action: Action, given: Mapping[str, Any]) -> str:
    segments = []
    for part in action.request.path.split("/"):
        value = _filled(part, given)
        if part.startswith("{") and (value is _NOTHING or str(value) in {"", ".", ".."}):
            raise InputUnfit(
                f"The field {part} cannot stand in a path.", errors=[(f"/{part[1:-1]}", "cannot stand in a path")]
            )
        segments.append(quote(str(value), safe="") if part.startswith("{") else part)
    query = {
        name: value for name, text in action.request.query.items() if (value := _filled(text, given)) is not _NOTHING
    }
    return "/".join(segments) + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def _filled(part: Any, given: Mapping[str, Any]) -> Any:  # Any: JSON in, JSON out
    """A part of a request with the input in place; what the input leaves out is left out."""
    if isinstance(part, str) and part.startswith("{") and part.endswith("}"):
        return given.get(part[1:-1], _NOTHING)
    if isinstance(part, dict):
        return {k: v for k, raw in part.items() if (v := _filled(raw, given)) is not _NOTHING}
    if isinstance(part, list):
        return [v for raw in part if (v := _filled(raw, given)) is not _NOTHING]
    return part


def read_answer(connector: Connector, name: str, answer: OutboundResponse) -> Meaning:
    """What the answer means by the action's output schema and error table."""
    action = connector.manifest.actions[name]
    document = _document(answer.content)
    if answer.status >= 300:  # noqa: PLR2004  2xx is success, all else is for the table
        return Meaning(_table_word(action.errors, answer.status, document))
    if document is _NOTHING:
        return Meaning("unreadable")
    found = at_pointer(document, action.result)
    if found is _NOTHING:
        return Meaning("done", None)
    if not connector.outputs[name].is_valid(found):
        return Meaning("unreadable")
    return Meaning("done", {key: value for key, value in found.items() if key in action.output["properties"]})


def _document(content: bytes) -> Any:  # Any: JSON of any shape
    if not content.strip():
        return {}
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return _NOTHING


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is not JSON")


def at_pointer(document: Any, pointer: str) -> Any:  # Any: JSON of any shape
    """The value at a JSON Pointer, or a marker that is no JSON value where there is none."""
    for part in pointer.split("/")[1:]:
        if isinstance(document, dict) and part in document:
            document = document[part]
        elif isinstance(document, list) and part.isdecimal() and part.isascii() and int(part) < len(document):
            document = document[int(part)]
        else:
            return _NOTHING
    return document


def _table_word(table: tuple[ErrorRule, ...], status: int, document: Any) -> Then:
    for rule in table:
        if rule.status == status and (rule.at is None or at_pointer(document, rule.at) == rule.equals):
            return rule.then
    if status in {401, 403} or status < 400:  # noqa: PLR2004  a redirect is never followed: the address is wrong
        return "fail_config"
    if status == 429:  # noqa: PLR2004  statuses of RFC 9110
        return "rate_limited"
    return "retry" if status >= 500 or status == 408 else "fail_permanent"  # noqa: PLR2004  statuses of RFC 9110


def pause_before(attempt: int, key: str) -> timedelta:
    """The pause after an attempt: 5 s, 10 s, 20 s … up to 15 minutes, spread by a tenth so that a crowd thins out."""
    seconds = min(5.0 * 2 ** min(attempt - 1, 10), LONGEST_PAUSE.total_seconds())
    spread = hashlib.sha256(f"{key}:{attempt}".encode()).digest()[0] / 255 * 0.2 - 0.1
    return timedelta(seconds=round(seconds * (1 + spread), 3))


def retry_after(headers: Mapping[str, str], fallback: timedelta) -> timedelta:
    """How long the peer asks us to wait (RFC 9110), at most 24 hours. A date is read against the peer's own clock."""
    text = headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return min(timedelta(seconds=int(text[:9])), LONGEST_RETRY_AFTER)
    try:
        asked = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return fallback
    return min(max(asked, timedelta()), LONGEST_RETRY_AFTER)


def excerpt(content: bytes, call: ActionCall) -> str:
    """The start of an answer for people to read, with every secret of the call blotted out, in whatever dress."""
    text = blot(content[: EXCERPT * 128], call.secrets.values()).decode("utf-8", "replace")
    return "".join(c if c.isprintable() else " " for c in text)[:EXCERPT]
