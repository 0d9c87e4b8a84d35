"""Lists over SCIM: search by address or by POST, and what the service says of itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from litestar import Response
from scim2_models import Context, InvalidFilterException, ListResponse, SearchRequest
from scim2_models.resources.resource import Resource

from app.identity.scim.doors.wire import Call, answer, no_such
from app.identity.scim.queries import list_resources
from app.identity.scim.resources import CONFIG, KINDS, PROVIDER

LONGEST_FILTER = 8_000  # characters
_REMEMBERED = 1_000  # characters of a filter that are looked at for the page; a pattern over all of it could take long
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMPARED = re.compile(r"(?<![\w.:$-])([A-Za-z][\w.:$-]*)\s+(eq|ne|co|sw|ew|gt|ge|lt|le|pr)(?![\w$-])", re.IGNORECASE)
_BY_ADDRESS = {"attributes", "excludedAttributes", "filter", "startIndex", "count"}


def find(call: Call, kind: str) -> Response[bytes]:
    """GET with a filter and a page in the address."""
    asked = {name: value for name, value in call.query.items() if name in _BY_ADDRESS}
    return _page(call, [kind], asked)


def search(call: Call, kind: str) -> Response[bytes]:
    """POST `.search`: of one kind, or of both where none is named."""
    asked = {name: value for name, value in call.said.items() if name.lower() not in {"cursor", "sortby", "sortorder"}}
    return _page(call, [kind] if kind else list(KINDS), asked)


def config(_call: Call, _name: str) -> Response[bytes]:
    """What the service can do."""
    return answer(_discovered(CONFIG, "ServiceProviderConfig"))


def describe(call: Call, kind: str, name: str) -> Response[bytes]:
    """ResourceTypes or Schemas, all or the one that is named."""
    known: Sequence[Resource[Any]] = PROVIDER.resource_types if kind == "ResourceTypes" else PROVIDER.schemas
    resources = [_discovered(one, kind, call) for one in known]
    if not name:
        return answer(_listed(len(resources), 1, resources))
    found = next((one for one in resources if name in {one.get("id"), one.get("name")}), None)
    if found is None:
        raise no_such(kind)
    return answer(found)


def compared(filter_: str) -> str:
    """Which attributes a filter asks about and how, without what they are compared to."""
    return ", ".join(" ".join(pair) for pair in _COMPARED.findall(_QUOTED.sub('""', filter_[:_REMEMBERED])))


def _page(call: Call, kinds: Sequence[str], asked: dict[str, Any]) -> Response[bytes]:
    filter_ = str(asked.get("filter") or "")
    call.place += f" {compared(filter_)}" if filter_ else ""
    if len(filter_) > LONGEST_FILTER:
        raise InvalidFilterException(detail=f"A filter has at most {LONGEST_FILTER} characters.")
    models: Any = reduce(or_, (KINDS[kind] for kind in kinds))
    bound: Any = SearchRequest.__class_getitem__(models)
    request: SearchRequest[Any] = bound.model_validate(asked)
    with call.control() as (session, _now):
        page = list_resources(session, call.directory, kinds, request, call.locate)
    told = [one.model_dump(scim_ctx=Context.SEARCH_RESPONSE, response_parameters=request) for one in page.resources]
    return answer(_listed(page.total, page.start, told))


def _listed(total: int, start: int, resources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": [str(ListResponse.__schema__)],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _discovered(resource: Resource[Any], kind: str, call: Call | None = None) -> dict[str, Any]:
    told = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    if call is not None:
        told["meta"] = {"resourceType": kind.removesuffix("s"), "location": call.locate(kind, str(told["id"]))}
    return told
