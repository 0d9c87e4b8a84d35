"""From a call to an HTTP request, by the manifest and the connection's settings alone. Sends nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.connectors.auth.blotting import blot
from app.connectors.auth.signing import Proof, sign
from app.connectors.kit.answers.mapping import MappingWrong, evaluate, rename
from app.connectors.kit.answers.meaning import NOTHING
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.manifest import Action
from app.connectors.kit.settings import CONFIG, host_filled
from app.kernel.errors import Invalid
from app.kernel.outbound.client import OutboundRequest
from app.kernel.outbound.world_clock import world_time

LONGEST_PAUSE = timedelta(minutes=15)
LONGEST_RETRY_AFTER = timedelta(hours=24)
EXCERPT = 500


class InputUnfit(Invalid):
    """The input does not fit the action's schema, or cannot stand where the request needs it."""


def signed(connector: Connector, call: ActionCall, request: OutboundRequest) -> OutboundRequest:
    """The request with the proof of who sends it. Raises SecretNotStored."""
    return sign(connector.manifest.way(call.auth), request, Proof(call.secrets, call.auth, world_time()))


def shape_request(connector: Connector, action: Action, call: ActionCall, timeout: float) -> OutboundRequest:
    """The request without any credential. Raises InputUnfit."""
    wrong = next(connector.inputs[call.action].iter_errors(dict(call.input)), None)
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.instance_path)
        said = f"The input of {call.action} does not fit at /{place}: {wrong.message[:200]}."
        raise InputUnfit(said, errors=[(f"/{place}", wrong.message)])
    given = _given(action, call)
    headers = {"Accept": "application/json"}
    for name, text in {**connector.manifest.headers, **action.request.headers}.items():
        if (value := _filled(text, given)) is not NOTHING:
            headers[name] = str(value)
    if action.key_header is not None:
        headers[action.key_header] = call.idempotency_key
    content, kind = _body(action, given)
    return OutboundRequest(
        method=action.request.method,
        url=host_filled(connector.manifest.address, call.config.settings) + _target(action, given),
        headers=headers | ({"Content-Type": kind} if kind else {}),
        content=content,
        timeout=timeout,
        max_bytes=connector.manifest.limits.max_response_bytes,
        ports=connector.manifest.egress.ports,
        sandbox=call.sandbox,
    )


def _given(action: Action, call: ActionCall) -> dict[str, Any]:
    """What may stand in the request, by name: the input, what is made of it, the connection's settings."""
    given = dict(call.input)
    try:
        given |= {name: found for name, text in action.derive.items() if (found := evaluate(text, given)) is not None}
        field, side = action.mapped.request, call.config.side(call.action, "request")
        if field in given and side:
            given[field] = rename(side, given[field])
    except MappingWrong as error:
        raise InputUnfit(f"The input of {call.action} cannot be mapped: {error}", errors=[("/", str(error))]) from error
    return given | {CONFIG + name: value for name, value in call.config.settings.items()}


def _body(action: Action, given: Mapping[str, Any]) -> tuple[bytes, str]:
    """The body and its media type; nothing where the action sends none."""
    if action.request.body is None:
        return b"", ""
    filled = _filled(action.request.body, given)
    if action.request.encoding == "form":
        return urlencode(list(_form(filled)), quote_via=quote).encode(), "application/x-www-form-urlencoded"
    return json.dumps({} if filled is NOTHING else filled, ensure_ascii=False).encode(), "application/json"


def _form(part: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Fields of a form: an object within is written `a[b]`, a list `a[0]`."""
    if isinstance(part, dict | list):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from _form(value, f"{name}[{key}]" if name else str(key))
    else:
        yield name, "" if part is None else str(part).lower() if isinstance(part, bool) else str(part)


def _target(action: Action, given: Mapping[str, Any]) -> str:
    """The path and the query. A segment holds one value; only `{+config.name}` may hold several."""
    segments: list[str] = []
    for part in action.request.path.split("/"):
        if not part.startswith("{"):
            segments.append(part)
            continue
        value = str(_filled(part.replace("{+", "{", 1), given, missing=""))
        pieces = [each for each in value.split("/") if each] if part.startswith("{+") else [value]
        if any(each in {"", ".", ".."} for each in pieces):
            where = f"/{part.strip('{+}')}"
            raise InputUnfit(f"The field {part} cannot stand in a path.", errors=[(where, "cannot stand in a path")])
        segments += [quote(each, safe="") for each in pieces]
    query = _filled(action.request.query, given)
    return "/".join(segments) + (f"?{urlencode(query, quote_via=quote)}" if query else "")


def _filled(part: Any, given: Mapping[str, Any], missing: Any = NOTHING) -> Any:  # Any: JSON in, JSON out
    """A part of a request with what is given in place; what is not given is left out."""
    if isinstance(part, str) and part.startswith("{") and part.endswith("}"):
        return given.get(part[1:-1], missing)
    if isinstance(part, dict):
        filled = ((_filled(name, given, name), _filled(each, given)) for name, each in part.items())
        return {str(name): each for name, each in filled if each is not NOTHING}
    if isinstance(part, list):
        return [v for raw in part if (v := _filled(raw, given)) is not NOTHING]
    return part


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
