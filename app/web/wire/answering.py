"""Answers software: JSON with its version as ETag, 304 for who has it already, a trouble as the body of a problem."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Request, Response

from app.web.wire.reading import JSON, is_known

PageRequest = Request[Any, Any, Any]
REPLAYED = "idempotency-replayed"


def etag_of(content: bytes) -> str:
    """The version of a representation: a hash of its bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def write(shape: Any) -> bytes:
    """A shape as JSON; always the same bytes for the same facts."""
    return msgspec.json.encode(shape, order="deterministic")


def answer_read(request: PageRequest, content: bytes, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """The answer to a GET, or 304 for who has this very version."""
    etag = etag_of(content)
    told = {"etag": etag, **(headers or {})}
    if is_known(request, etag):
        return Response(b"", status_code=304, headers=told, media_type=JSON)
    return Response(content, headers=told, media_type=JSON)


def answer_done(
    content: bytes, *, status: int, headers: Mapping[str, str] | None = None, replayed: bool = False
) -> Response[bytes]:
    """The answer to a change; `replayed` where it was done before by the same key."""
    told = {**(headers or {}), **({REPLAYED: "true"} if replayed else {})}
    return Response(content, status_code=status, headers=told, media_type=JSON)


def link_next(request: PageRequest, cursor: str | None) -> dict[str, str]:
    """The `Link` header to the page behind this one, with the same filters; none on the last page."""
    if cursor is None:
        return {}
    asked = dict(parse_qsl(request.url.query)) | {"cursor": cursor}
    return {"link": f'<{request.url.path}?{urlencode(asked)}>; rel="next"'}
