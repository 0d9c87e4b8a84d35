"""How the doors of exports and imports answer: what was asked for, how far it is, and a file or a part of it."""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from typing import Any, Final

from litestar import Request, Response
from litestar.background_tasks import BackgroundTask
from litestar.response import Stream

from app.tenancy.folder import pieces
from app.tenancy.models import Transfer
from app.tenancy.operations.once import Reply
from app.tenancy.operations.transferring.exports import OpenBundle
from app.tenancy.schemas import ExportLinks, ExportOut, ImportLinks, ImportOut, Stop
from app.vault.bundle_keys import fingerprint_of, read_bundle_key
from app.web.wire.answering import etag_of, write
from app.web.wire.openapi import FILE
from app.web.wire.reading import is_known

PageRequest = Request[Any, Any, Any]
_RANGE: Final = re.compile(r"bytes=(\d{1,18})-(\d{0,18})")


def export_out(found: Transfer) -> ExportOut:
    """An export as software sees it. `bundle` leads to the file while it is there to be fetched."""
    api = f"/api/v1/tenants/{found.tenant_id}/exports/{found.id}"
    ready = found.ended_at is not None and found.expires_at is not None and found.expires_at > found.ended_at
    return ExportOut(
        id=found.id,
        tenant_id=found.tenant_id,  # type: ignore[arg-type]  # an export has one from the beginning
        state=found.state,  # type: ignore[arg-type]  # the column holds no other words
        recipient=found.peer,
        recipient_fingerprint=fingerprint_of(read_bundle_key(found.peer)),
        secrets=found.secrets,
        stays=found.stays,
        reason=found.reason,
        requested_by=found.requested_name,
        requested_at=found.requested_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
        expires_at=found.expires_at,
        rows=found.rows,
        parts=found.parts,
        bytes=found.bytes,
        sha256=found.sha256,
        signed_by=found.signed_by,
        trouble=_stop(found),
        links=ExportLinks(api=api, bundle=f"{api}/bundle" if ready else None),
    )


def import_out(found: Transfer) -> ImportOut:
    """An import as software sees it."""
    tenant = f"/api/v1/tenants/{found.tenant_id}" if found.tenant_id else None
    return ImportOut(
        id=found.id,
        tenant_id=found.tenant_id,
        state=found.state,  # type: ignore[arg-type]  # the column holds no other words
        sender=found.peer,
        secrets=found.secrets if found.state == "done" else None,
        reason=found.reason,
        requested_by=found.requested_name,
        requested_at=found.requested_at,
        started_at=found.started_at,
        ended_at=found.ended_at,
        rows=found.rows,
        parts=found.parts,
        bytes=found.bytes,
        sha256=found.sha256 or "",
        trouble=_stop(found),
        links=ImportLinks(api=f"/api/v1/tenants/imports/{found.id}", tenant=tenant),
    )


def accepted(out: ExportOut | ImportOut) -> Reply:
    """It was asked for, and is carried out without whoever asked."""
    content = write(out)
    tenants = (out.tenant_id,) if out.tenant_id else ()
    return Reply(HTTPStatus.ACCEPTED, content, tenants=tenants, location=out.links.api, etag=etag_of(content))


def answer_file(request: PageRequest, bundle: OpenBundle) -> Response[Any]:
    """The file, or the bytes of it that were asked for; 304 for who has it."""
    etag, whole = f'"{bundle.transfer.sha256}"', os.fstat(bundle.file.fileno()).st_size
    headers = {"etag": etag, "accept-ranges": "bytes"}
    if is_known(request, etag):
        bundle.file.close()
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=FILE)
    first, last = _wanted(request, etag, whole)
    status = HTTPStatus.OK if (first, last) == (0, whole - 1) else HTTPStatus.PARTIAL_CONTENT
    if status is HTTPStatus.PARTIAL_CONTENT:
        headers["content-range"] = f"bytes {first}-{last}/{whole}"
    headers["content-length"] = str(last - first + 1)
    headers["content-disposition"] = f'attachment; filename="{bundle.transfer.tenant_id}.bundle"'
    sent = pieces(bundle.file, first, last - first + 1)
    closing = BackgroundTask(bundle.file.close)  # also for a reader who goes away in the middle
    return Stream(sent, status_code=status, headers=headers, media_type=FILE, background=closing)


def _wanted(request: PageRequest, etag: str, whole: int) -> tuple[int, int]:
    """First and last byte; all of them unless one range is asked for that the file has."""
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if asked is None or request.headers.get("if-range", etag) != etag:
        return 0, whole - 1
    first, last = int(asked[1]), min(int(asked[2] or whole), whole - 1)
    return (first, last) if first <= last else (0, whole - 1)


def _stop(found: Transfer) -> Stop | None:
    return Stop(type=found.trouble, detail=found.said or "") if found.trouble else None
