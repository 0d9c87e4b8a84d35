"""Which page the reader is on: where "Open the page again" leads to, and where a form of the frame comes back to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from litestar import Request
from litestar.routes import HTTPRoute

_SAFE = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")  # nothing that a browser would read as another host


def page_path(request: Request[Any, Any, Any]) -> str:
    """The path of the page that the reader looks at.

    An answer to a form stands under the form's own address, which often takes nothing but the form. There it is the
    page that the form stood on, else the nearest page above it, else the start page.
    """
    if request.method == "GET":
        return request.url.path
    path = _came_from(request)
    while path != "/" and not _can_be_opened(request, path):
        path = path.rstrip("/").rpartition("/")[0] or "/"
    return path


def _came_from(request: Request[Any, Any, Any]) -> str:
    """The path of the Referer on this very host, else the start page."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    is_ours = parts.netloc.lower() == request.headers.get("host", "").lower()
    return parts.path if is_ours and _SAFE.fullmatch(parts.path) else "/"


def _can_be_opened(request: Request[Any, Any, Any], path: str) -> bool:
    """Whether a door answers GET there; whether it lets this reader in, it tells itself."""
    parts = [unquote(part) for part in path.split("/") if part]
    pages = (route for route in request.app.routes if isinstance(route, HTTPRoute) and "GET" in route.methods)
    return any(_fits(route.path_components, parts) for route in pages)


def _fits(components: list[Any], parts: list[str]) -> bool:
    return len(components) == len(parts) and all(
        part == component if isinstance(component, str) else _reads(component, part)
        for component, part in zip(components, parts, strict=True)
    )


def _reads(component: Any, part: str) -> bool:
    """Whether a part of a path is what a parameter of a route takes."""
    try:
        return component.parser is None or component.parser(part) is not None
    except ValueError:
        return False
