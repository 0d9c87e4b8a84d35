"""A bundle that was uploaded by API, to become a tenant here: allowed, kept, read. Imported by the job of the home."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid
from app.kernel.runtime import Runtime
from app.tenancy.bundles.verification import open_bundle, read_header
from app.tenancy.folder import BundleFolder
from app.tenancy.models import Transfer
from app.tenancy.operations.transferring.transfers import OPEN, TransferUnknown, find_transfer, requested, start
from app.tenancy.queries import find_organisation, scope_of
from app.tenancy.rules import Staff, check_reason
from app.tenancy.schemas import ImportQuery
from app.web.translations import mark
from tenants.sessions import partner_session

MOST: Final = 10  # bundles of one organisation that wait at once: each takes its room on the disk
SYSTEM_ONLY = {"check_upload": "looks at a file that was received from somebody who may import"}


class BundleDamaged(Invalid):
    """What arrived is not the file whose hash was said."""


class ImportsWaiting(Conflict):
    """So many bundles wait to be imported already that no further one is received."""

    retry_after = 30


class BundleTooLarge(Invalid):
    """The file is larger than this installation takes."""

    status = 413


class UploadCut(Invalid):
    """The file ended before all of it had come; nothing of it is kept."""

    status = 400


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived whole."""

    id: UUID
    file: BinaryIO
    sha256: str
    bytes: int


def allow_import(runtime: Runtime, actor: Actor, asked: ImportQuery, *, key: str) -> UUID:
    """The organisation that gets the tenant. Asked before the file is received.

    Raises NotPermitted, OrganisationUnknown, TenantUnknown, ReasonMissing, ImportsWaiting.
    """
    require(Staff.of(actor), Permission.TENANT_IMPORT)
    check_reason(asked.reason)
    slug = None if asked.organisation is UNSET else str(asked.organisation)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        organisation_id = find_organisation(session, scope_of(actor), slug)[0]
        waiting = Transfer.organisation_id == organisation_id, Transfer.direction == "in", Transfer.state.in_(OPEN)
        known = requested(session, organisation_id, f"{actor.id}:{key}") is not None
        if not known and len(session.scalars(select(Transfer.id).where(*waiting).limit(MOST)).all()) == MOST:
            raise ImportsWaiting(mark("Other bundles wait to be imported. Send this one when they are done."))
        return organisation_id


def check_upload(folder: BundleFolder, received: Received, asked: ImportQuery) -> None:
    """Give the file its name, if it is the one that was meant and begins as a bundle. The rest is its job's.

    Raises BundleDamaged, BundleBroken, BundlesAway.
    """
    if asked.sha256 is not UNSET and asked.sha256 != received.sha256:
        told = mark("This is not the file you meant: its hash is another one. Send it again.")
        raise BundleDamaged(told, errors=[("/sha256", received.sha256)])
    folder.finish_upload(received.id, received.file)
    with open_bundle(folder.file(received.id)) as file:
        read_header(file)


def request_import(
    runtime: Runtime, actor: Actor, asked: ImportQuery, received: Received, *, key: str, trace_id: str
) -> Transfer:
    """Have the bundle imported; asked again with the same key, the same one, and this file is not needed.

    Raises as `allow_import` and `check_upload` do.
    """
    require(Staff.of(actor), Permission.TENANT_IMPORT)
    organisation_id = allow_import(runtime, actor, asked, key=key)
    check_upload(runtime.service(BundleFolder), received, asked)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, now):
        row = {
            "id": received.id,
            "direction": "in",
            "organisation_id": organisation_id,
            "request_key": f"{actor.id}:{key}",
            "state": "queued",
            "peer": asked.sender,
            "secrets": False,
            "stays": False,
            "reason": check_reason(asked.reason),
            "trace_id": trace_id,
            "requested_by": actor.id,
            "requested_name": actor.name,
            "requested_at": now,
            "rows": 0,
            "parts": 0,
            "bytes": received.bytes,
            "sha256": received.sha256,
        }
        session.connection().execute(insert(Transfer).values(**row).on_conflict_do_nothing())
        made = requested(session, organisation_id, f"{actor.id}:{key}")
    if made is None:
        raise TransferUnknown(mark("There is no such export or import."))
    start(runtime, made)
    return made


def read_import(runtime: Runtime, actor: Actor, import_id: UUID) -> Transfer:
    """An import as it stands. Raises NotPermitted, TenantUnknown, TransferUnknown."""
    require(Staff.of(actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        return find_transfer(session, import_id, direction="in")
