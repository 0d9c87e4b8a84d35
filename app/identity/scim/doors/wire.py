"""SCIM on the wire: one request of a directory, what it may send, and every answer and error in SCIM's own form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    NotFoundException,
    PreconditionFailedException,
    ResponseParameters,
)
from scim2_models.exceptions import SCIMException
from scim2_models.resources.resource import Resource
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.identity.scim.queries import Visitor
from app.identity.scim.rules import LAST_REQUESTS, is_storable
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.web.begin import DirectoryUnknown, front_of, runtime_of, site_of, trace_of
from app.web.wire.reading import is_known
from tenants.sessions import DatabaseAway, lookup_session, partner_session

PageRequest = Request[Any, Any, Any]
SCIM = "application/scim+json"
ROOT = "/scim/v2"
_JSON = (SCIM, "application/json")
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_NOTE = text("SELECT control.note_directory_request(:directory, :id, :method, :place, :status, :type, :most)")
_TAKEN = "Another user of this directory has this userName, or the same mail address."
_AWAY = "A part of this service cannot be reached right now. Try again in a moment."
_SURPRISE = "Something unexpected happened on our side. Quote the trace id when you ask about it."
_log = structlog.get_logger()


class MediaTypeUnknown(SCIMException):
    """The body is no JSON, or does not say so."""

    status = 415
    _default_detail = "Send the body as application/scim+json."


@dataclass
class Call:
    """One request of a directory. `place` is what it was about, without any value of a person."""

    request: PageRequest
    directory: Visitor
    place: str
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def runtime(self) -> Runtime:
        """What this process has at hand."""
        return runtime_of(self.request)

    @property
    def trace_id(self) -> str:
        """The trace id of the request."""
        return trace_of(self.request)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address; of one that is there twice, the last."""
        return dict(parse_qsl(self.request.scope["query_string"].decode("latin-1"), keep_blank_values=True))

    @contextmanager
    def control(self) -> Iterator[tuple[Session, datetime]]:
        """One transaction over the directory's rows."""
        organisation_id, databases = self.directory.organisation_id, self.runtime.databases
        with partner_session(databases, organisation_id, actor=self.directory.label) as opened:
            yield opened

    def locate(self, kind: str, resource_id: UUID | str) -> str:
        """The address of a resource."""
        return front_of(self.request).url(site_of(self.request).host, f"{ROOT}/{kind}/{resource_id}")

    def match(self, version: int) -> None:
        """Go on only if the sender has this version, where it says which one it has. Raises 412."""
        wished = self.request.headers.get("if-match", "").strip()
        tags = {tag.removeprefix("W/") for tag in _TAG.findall(wished)}
        if wished and wished != "*" and f'"{version}"' not in tags:
            raise PreconditionFailedException


def call_of(request: PageRequest, place: str) -> Call:
    """The request of the directory that the door let in."""
    return Call(request, cast("Visitor", request.scope["state"]["directory"]), place)


def read_body(request: PageRequest, raw: bytes) -> dict[str, Any]:
    """The object that was sent. Raises MediaTypeUnknown, InvalidSyntaxException, InvalidValueException."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
        raise MediaTypeUnknown
    try:
        said = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidSyntaxException(detail="The body is not JSON.") from None
    if not isinstance(said, dict):
        raise InvalidSyntaxException(detail="The body is not a JSON object.")
    if not all(is_storable(part) for part in _texts(said)):
        raise InvalidValueException(detail="A text holds a sign that cannot be kept (NUL).")
    return said


def no_such(kind: str) -> NotFoundException:
    """The directory has nothing under this id: it never had, it deleted it, or it is another directory's."""
    return NotFoundException(detail=f"This directory has no such resource among its {kind}.")


def read_resource(call: Call, model: type[Resource[Any]], ctx: Context) -> Resource[Any]:
    """What was sent, as a resource. Raises ValidationError."""
    return model.model_validate(call.said, scim_ctx=ctx)


def read_parameters(call: Call, model: type[Resource[Any]]) -> ResponseParameters[Any]:
    """Which attributes the answer is to hold. Raises ValidationError."""
    bound: Any = ResponseParameters.__class_getitem__(model)
    wished = {name: value for name, value in call.query.items() if name in {"attributes", "excludedAttributes"}}
    parameters: ResponseParameters[Any] = bound.model_validate(wished)
    return parameters


def read_id(kind: str, written: str) -> UUID:
    """The id in the address, as we write ids. Raises NotFoundException."""
    try:
        found = UUID(written)
    except ValueError:
        raise no_such(kind) from None
    if str(found) != written:
        raise no_such(kind)
    return found


def answer(payload: Mapping[str, Any] | None, *, status: int = 200, **headers: str) -> Response[bytes]:
    """A SCIM answer; without a payload only its status."""
    content = b"" if payload is None else msgspec.json.encode(payload)
    return Response(content, status_code=status, media_type=SCIM, headers=headers)


def answer_resource(call: Call, payload: dict[str, Any], version: int, *, status: int = 200) -> Response[bytes]:
    """A resource with its version as ETag, or 304 for who has it; a new one with its address."""
    etag = f'W/"{version}"'
    if call.request.method == "GET" and is_known(call.request, f'"{version}"'):
        return answer(None, status=304, etag=etag)
    kind = call.request.url.path.rstrip("/").rpartition("/")[2]
    location = {"location": call.locate(kind, payload["id"])} if status == HTTPStatus.CREATED else {}
    return answer(payload, status=status, etag=etag, **location)


def tell(request: PageRequest, error: Exception) -> Response[Any]:
    """Any trouble as a SCIM error (RFC 7644 3.12)."""
    said, headers = _said(error), {}
    if isinstance(error, DirectoryUnknown):
        headers = {"www-authenticate": 'Bearer realm="scim"'}
    if said.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers = {"retry-after": str(getattr(error, "retry_after", 5))}
    if said.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("web.unexpected", method=request.method, path=request.url.path, exc_info=error)
    return answer(said.model_dump(), status=said.status or 500, **headers)


def note(call: Call, answered: Response[Any]) -> None:
    """Remember what the directory sent last and how we answered: for the page that explains. Never raises."""
    scim_type = None
    status = answered.status_code or HTTPStatus.OK
    if status >= HTTPStatus.BAD_REQUEST and answered.content:
        scim_type = msgspec.json.decode(answered.content).get("scimType")
    values: dict[str, Any] = {
        "directory": call.directory.id,
        "id": new_id(),
        "method": call.request.method,
        "place": call.place[:200],
    }
    values |= {"status": status, "type": scim_type, "most": LAST_REQUESTS}
    try:
        with lookup_session(call.runtime.databases, actor="identity.note_directory_request") as (session, _now):
            session.execute(_NOTE, values)
    except DatabaseAway:
        _log.warning("identity.directory.not_noted", directory_id=str(call.directory.id))


def _said(error: Exception) -> Error:
    if isinstance(error, SCIMException):
        said = error.to_error()
    elif isinstance(error, ValidationError):
        said = Error.from_validation_errors(error)[0]
    elif isinstance(error, IntegrityError):
        said = Error(status=409, scim_type="uniqueness", detail=_TAKEN)
    elif isinstance(error, SlipwayError):
        said = Error(status=error.status, detail=error.message)
    elif isinstance(error, DatabaseAway):
        said = Error(status=503, detail=_AWAY)
    elif isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        said = Error(status=error.status_code, detail=f"{HTTPStatus(error.status_code).phrase}.")
    else:
        said = Error(status=500, detail=_SURPRISE)
    return said


def _texts(said: Any) -> Iterator[str]:
    """Every text in a JSON value, names included."""
    waiting = [said]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
