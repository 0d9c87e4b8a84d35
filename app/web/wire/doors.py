"""How JSON doors are declared: what each shows or does, its stable name, and its story in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from litestar import get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from app.web.wire.openapi import Described, described


def reads(path: str, name: str, story: Described) -> HTTPRouteHandler:
    """A door that shows something; `name` is stable in the document, `story` what that says of it."""
    return get(path, operation_id=name, operation_class=described(story), sync_to_thread=True)


def commands(
    path: str,
    name: str,
    story: Described,
    *,
    method: type[post | put | patch] = post,
    status: int = 200,
    opt: dict[str, Any] | None = None,
    most: int | None = None,
) -> HTTPRouteHandler:
    """A door that does one thing; `opt` as the guards read it (`BEGINS_WORK`), `most` the bytes of a large body."""
    more: dict[str, Any] = {"request_max_body_size": most} if most else {}
    more |= {"operation_class": described(story), "operation_id": name, "opt": opt}
    return method(path, status_code=status, sync_to_thread=True, **more)
