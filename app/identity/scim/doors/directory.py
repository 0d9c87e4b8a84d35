"""The one route of SCIM and its table of what there is: so every answer is SCIM's, also to what is not there."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import Request, Response, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath, RawBody

from app.identity.scim.doors import lists, people, teams
from app.identity.scim.doors.wire import ROOT, Call, call_of, no_such, note, read_body, tell
from app.identity.scim.resources import KINDS, MOST_BYTES, PROVIDER
from app.kernel.errors import SlipwayError
from tenants.sessions import DatabaseAway

Answering = Callable[[Call], Response[bytes]]
_ATTRIBUTE = re.compile(r"[A-Za-z][\w.:$-]{0,120}")
_WITH_BODY = {"POST", "PUT", "PATCH"}


class NoSuchMethod(HTTPException):
    """The address is there, but does not take this method."""

    status_code = 405


@route(
    f"{ROOT}/{{rest:path}}",
    http_method=["GET", "POST", "PUT", "PATCH", "DELETE"],
    opt={"door": "directory"},
    include_in_schema=False,
    request_max_body_size=MOST_BYTES,
    exception_handlers=dict.fromkeys((SlipwayError, HTTPException, DatabaseAway, Exception), tell),
    status_code=200,
    sync_to_thread=True,
)
def serve_directory(request: Request[Any, Any, Any], rest: FromPath[str], body: RawBody) -> Response[Any]:
    """Whatever a directory asks; its last requests are remembered for the page that explains."""
    steps = rest.strip("/").split("/")
    call = call_of(request, _place(steps))
    try:
        with PROVIDER:
            answered = _perform(call, steps, body)
    except Exception as error:  # noqa: BLE001 - told as SCIM says it; what nobody expected is logged there
        answered = tell(request, error)
    note(call, answered)
    return answered


def _perform(call: Call, steps: list[str], body: bytes) -> Response[bytes]:
    found = _doors(steps)
    if not found:
        raise no_such("addresses")
    answering = found.get(str(call.request.method))
    if answering is None:
        raise NoSuchMethod(headers={"allow": ", ".join(sorted(found))})
    if call.request.method in _WITH_BODY:
        call.said = read_body(call.request, body)
        call.place += _operated(call.said)
    return answering(call)


def _doors(steps: list[str]) -> dict[str, Answering]:
    """What can be done at this address, by method; empty where there is nothing."""
    found: dict[str, Answering] = {}
    match steps:
        case [kind] if kind in KINDS:
            at = people if kind == "Users" else teams
            found = {"GET": partial(lists.find, kind=kind), "POST": partial(_named, at.create, "")}
        case [kind, ".search"] if kind in KINDS:
            found = {"POST": partial(lists.search, kind=kind)}
        case [".search"]:
            found = {"POST": partial(lists.search, kind="")}
        case [kind, written] if kind in KINDS:
            at = people if kind == "Users" else teams
            made = {"GET": at.read, "PUT": at.replace, "PATCH": at.change, "DELETE": at.remove}
            found = {method: partial(_named, door, written) for method, door in made.items()}
        case ["ServiceProviderConfig"]:
            found = {"GET": partial(_named, lists.config, "")}
        case [("ResourceTypes" | "Schemas") as kind, *name] if len(name) < 2:  # noqa: PLR2004 - itself, or one of them
            found = {"GET": partial(lists.describe, kind=kind, name="".join(name))}
    return found


def _named(door: Callable[[Call, str], Response[bytes]], written: str, call: Call) -> Response[bytes]:
    return door(call, written)


def _place(steps: list[str]) -> str:
    """The address without ids: whose they are is personal, and what they are about is not."""
    known = {*KINDS, ".search", "ServiceProviderConfig", "ResourceTypes", "Schemas"}
    return "/" + "/".join(step if step in known else "…" for step in steps[:3])


def _operated(said: dict[str, Any]) -> str:
    """What a PATCH does to which attributes, without a value."""
    operations = next((value for name, value in said.items() if name.lower() == "operations"), None)
    told = []
    for one in operations[:5] if isinstance(operations, list) else []:
        lowered = {name.lower(): value for name, value in one.items()} if isinstance(one, dict) else {}
        path, value = lowered.get("path"), lowered.get("value")
        named = [str(path)] if path else list(value) if isinstance(value, dict) else []
        attributes = [found[0] for name in named[:5] if (found := _ATTRIBUTE.match(str(name)))]
        told.append(f"{str(lowered.get('op', '?'))[:8].lower()} {', '.join(attributes)}".strip())
    return f" {'; '.join(told)}" if told else ""
