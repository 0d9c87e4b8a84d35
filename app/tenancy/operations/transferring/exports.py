"""A bundle of a tenant, asked for by API: requested, read, fetched, cancelled. Written by the job of the home."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Forbidden, Missing
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.bundles.errors import HomeStays
from app.tenancy.events import ExportRequested
from app.tenancy.folder import BundleFolder
from app.tenancy.models import Transfer
from app.tenancy.operations.lifecycle import change_tenant
from app.tenancy.operations.telling import Change
from app.tenancy.operations.transferring.transfers import (
    OPEN,
    Ended,
    TransferUnknown,
    end,
    find_transfer,
    let_go,
    requested,
    start,
)
from app.tenancy.queries import find_entry, scope_of
from app.tenancy.rules import Staff, TenantUnknown, WrongState, check_reason
from app.tenancy.schemas import ExportWanted
from app.vault.bundle_keys import BundleKeyUnreadable, fingerprint_of, read_bundle_key
from app.vault.envelope import Place
from app.vault.sealed_box import seal_to
from app.vault.secret import Secret
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import partner_session

_GOING = frozenset({"active", "suspended"})
_ERASED = frozenset({"shredded", "dropped"})


class ExportRunning(Conflict):
    """The workspace is being exported already; one at a time."""


class BundleNotReady(Conflict):
    """The bundle is not whole yet."""

    retry_after = 5


class BundleGone(Missing):
    """There is no file any more, or never was one: it has expired, was removed, or came to no end."""

    status = 410


class RecipientNotNamed(Forbidden):
    """Whoever runs this installation has not said that bundles may go to that one."""


@dataclass(frozen=True, slots=True)
class OpenBundle:
    """A finished bundle, open to be read, and what is known of it."""

    transfer: Transfer
    file: BinaryIO


def request_export(
    runtime: Runtime, actor: Actor, tenant_id: UUID, wanted: ExportWanted, *, key: str, trace_id: str
) -> Transfer:
    """Ask for a bundle of the tenant; asked again with the same key, the same one.

    Raises NotPermitted, BundleKeyUnreadable, RecipientNotNamed, TenantUnknown, OwnHome, HomeStays, WrongState and
    ExportRunning.
    """
    require(Staff.of(actor), Permission.TENANT_EXPORT)
    recipient = _check_recipient(wanted.recipient)
    if wanted.recipient not in runtime.service(BundleFolder).vouched:
        raise RecipientNotNamed(_NOT_NAMED)
    request_key, reason = f"{actor.id}:{key}", check_reason(wanted.reason)
    facts = {"to": wanted.recipient, "fingerprint": fingerprint_of(recipient)}
    facts_of_kind = {"secrets": wanted.secrets, "stays": wanted.stays}
    change = Change(new_id(), ExportRequested.type, actor, reason, trace_id, {**facts, **facts_of_kind})

    def ask(session: Session, entry: TenantEntry, now: datetime) -> bool:
        if requested(session, entry.organisation_id, request_key) is not None:
            return False
        _require_exportable(session, entry)
        row = {"peer": wanted.recipient, "reason": reason, "trace_id": trace_id, **facts_of_kind}
        who = {"requested_by": actor.id, "requested_name": actor.name, "requested_at": now}
        where = {"organisation_id": entry.organisation_id, "tenant_id": entry.id, "request_key": request_key}
        counts = {"rows": 0, "parts": 0, "bytes": 0}
        session.add(Transfer(id=change.id, direction="out", state="queued", **row, **who, **where, **counts))
        return True

    entry = change_tenant(runtime, actor, tenant_id, change, ask)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        made = requested(session, entry.organisation_id, request_key)
    if made is None:
        raise TenantUnknown(mark("There is no such workspace."))
    start(runtime, made)
    return made


def _check_recipient(written: str) -> bytes:
    """The 32 bytes of the key, which something can be sealed to. Raises BundleKeyUnreadable."""
    try:
        recipient = read_bundle_key(written)
        seal_to(recipient, Place(("bundle", "probe"), 1), Secret(b""))
    except (ValueError, BundleKeyUnreadable) as error:
        unfit = mark("This is no bundle key. Copy what `slipway tenants key` prints over there, whole.")
        raise BundleKeyUnreadable(unfit, errors=[("/recipient", unfit)]) from error
    return recipient


def read_export(runtime: Runtime, actor: Actor, tenant_id: UUID, export_id: UUID) -> Transfer:
    """An export of this tenant as it stands. Raises NotPermitted, TenantUnknown, TransferUnknown."""
    require(Staff.of(actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        return _of(tenant_id, find_transfer(session, export_id, direction="out"))


def open_export(runtime: Runtime, actor: Actor, tenant_id: UUID, export_id: UUID) -> OpenBundle:
    """The finished file. Raises as `read_export` does, BundleNotReady, BundleGone."""
    require(Staff.of(actor), Permission.TENANT_EXPORT)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, now):
        found = _of(tenant_id, find_transfer(session, export_id, direction="out"))
        erased = find_entry(session, tenant_id).state in _ERASED
    if found.state in OPEN and not erased:
        raise BundleNotReady(mark("The bundle is not whole yet. Ask again in a moment."))
    if found.state == "done" and not erased and found.expires_at and found.expires_at > now:
        with suppress(OSError):
            return OpenBundle(found, runtime.service(BundleFolder).file(export_id).open("rb"))
    raise BundleGone(mark("This bundle is not here any more. Ask for a new export."))


def discard_export(runtime: Runtime, actor: Actor, tenant_id: UUID, export_id: UUID) -> Transfer:
    """Cancel an export that is under way, so that the tenant goes on with its work; of a finished one remove the file.

    Done before, it stays done. Raises NotPermitted, TenantUnknown, TransferUnknown.
    """
    require(Staff.of(actor), Permission.TENANT_EXPORT)
    require(Staff.of(actor), Permission.TENANT_READ)  # the answer shows it
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, now):
        found = _of(tenant_id, find_transfer(session, export_id, direction="out"))
        if found.state == "done" and found.expires_at and found.expires_at > now:
            found.expires_at = found.ended_at  # from the beginning: there is nothing to be fetched
    if end(runtime, found.organisation_id, export_id, Ended("cancelled")):
        let_go(runtime, found)  # its job may be dead; one that lives sees at its next part that it is over
    runtime.service(BundleFolder).remove(export_id)
    return read_export(runtime, actor, tenant_id, export_id)


def _require_exportable(session: Session, entry: TenantEntry) -> None:
    if entry.kind == "home":
        raise HomeStays(mark("A home is part of its installation: customers' workspaces and sandboxes are exported."))
    running = Transfer.tenant_id == entry.id, Transfer.direction == "out", Transfer.state.in_(OPEN)
    if session.query(Transfer.id).filter(*running).first() is not None:
        raise ExportRunning(mark("This workspace is being exported already. Wait for the end of it, or cancel it."))
    if entry.state not in _GOING:
        error = WrongState(mark("The state of this workspace does not allow that."))
        error.extensions = {"state": entry.state}
        raise error


def _of(tenant_id: UUID, found: Transfer) -> Transfer:
    if found.tenant_id != tenant_id:
        raise TransferUnknown(mark("There is no such export or import."))
    return found


# A bundle holds all that the customer has: who may ask for one could else read it with a key of their own, whatever
# the customer delegated to them.
_NOT_NAMED = mark(
    "Bundles go by API only to installations that whoever runs this one has named (SLIPWAY_BUNDLE_RECIPIENTS)."
    " Ask them."
)
