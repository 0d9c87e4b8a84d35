"""Opens a connection's address, gives it another one, closes it. The workspace decides; `control` only leads here."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import drop_document
from app.audit.queries.documents import list_documents
from app.connectors.inbound.events import HookClosed, HookOpened
from app.connectors.inbound.operations.hooks import lock_source, save
from app.connectors.inbound.operations.secrets import forget_secrets
from app.connectors.inbound.queries import HOOK, Source, find_hook, hook_of
from app.connectors.inbound.rules import MOST_AT_ONCE, Address, Hook
from app.kernel.errors import Conflict
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.translations import mark
from tenants.models import Hook as Signpost
from tenants.sessions import partner_session
from tenants.tenant import Tenant

_HINT: Final = 6  # characters of a token that may be shown: the other 37 cannot be guessed

SYSTEM_ONLY = {
    "follow_all": "called by the job that hears of an import",
    "is_open": "asked by the job that lets control follow",
    "let_control_follow": "follows the workspace's commit, by its job",
}


class AddressChanging(Conflict):
    """The address before this one still answers: a third would cut it off early."""


class ConnectionInactive(Conflict):
    """The connection is not in use: nothing could come in by it."""


def open_address(work: Work, hook_id: UUID, *, overlap_hours: int) -> tuple[Hook, Secret]:
    """Give a connection an address, or another one: those before answer for so many hours more, with 0 no more.

    Returns the hook and the token, which is kept nowhere. Raises NotPermitted, HookUnknown, ConnectionInactive,
    AddressChanging.
    """
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)  # what is answered shows the hook
    source, now = lock_source(work, hook_id), work.database_now
    if source.state != "active":
        raise ConnectionInactive(mark("This connection is not in use. Put it right first, then open its address."))
    before = source.hook.open(now)
    if overlap_hours and len(before) >= MOST_AT_ONCE:
        raise AddressChanging(
            mark("The address before this one still answers. Wait until its time is over, or let no other one answer.")
        )
    token, until = Secret(secrets.token_urlsafe(32)), now + timedelta(hours=overlap_hours)
    made = Address(digest_of(token.reveal()), token.reveal()[:_HINT], now)
    kept = tuple(replace(each, until=each.until or until) for each in before) if overlap_hours else ()
    hook = save(work, replace(source.hook, addresses=(*kept, made)))
    for each in source.hook.addresses:
        _follow(work, hook.id, each, at=until if each in before and overlap_hours else now)
    _follow(work, hook.id, made, at=now)
    connector, shown = source.manifest.provider, made.digest[:12]
    work.announce(HookOpened(subject_id=hook.id, connector=connector, overlap_hours=overlap_hours, mark=shown))
    return hook, token


def close_hook(work: Work, hook_id: UUID) -> Source:
    """Let its addresses lead nowhere, at once, and forget its secrets. What came in stays until it is forgotten.

    Raises NotPermitted, HookUnknown.
    """
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)
    source = lock_source(work, hook_id)
    for each in source.hook.addresses:
        _follow(work, hook_id, each, at=work.database_now)
    forget_secrets(work, source.hook)
    drop_document(work, HOOK, str(hook_id))
    if source.hook.addresses or source.hook.keys:
        work.announce(HookClosed(subject_id=hook_id, connector=source.manifest.provider))
    return source


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_open(work: Work, hook_id: UUID, digest: str) -> bool:
    """Whether this address answers now."""
    hook = find_hook(work, hook_id)
    return hook is not None and hook.answers(digest, work.database_now)


def follow_all(work: Work) -> int:
    """Let control follow every address of a workspace that has come from elsewhere. Returns how many."""
    found = [
        (UUID(stored.key), each) for stored in list_documents(work.session, HOOK) for each in hook_of(stored).addresses
    ]
    for hook_id, address in found:
        _follow(work, hook_id, address, at=work.database_now)
        if address.until is not None:
            _follow(work, hook_id, address, at=address.until)
    return len(found)


def let_control_follow(runtime: Runtime, tenant: Tenant, hook_id: UUID, digest: str, *, leads: bool) -> None:
    """Let the address lead to the workspace, or nowhere. Repeatable: a token is opened once and never again."""
    token_hash = bytes.fromhex(digest)
    with partner_session(runtime.databases, tenant.organisation_id, actor="connectors.hooks") as (session, now):
        if not leads:
            session.execute(delete(Signpost).where(Signpost.token_hash == token_hash, Signpost.tenant_id == tenant.id))
            return
        whose = {"organisation_id": tenant.organisation_id, "tenant_id": tenant.id, "connection_id": hook_id}
        wanted = insert(Signpost).values(token_hash=token_hash, source="connection", made_at=now, **whose)
        session.execute(wanted.on_conflict_do_nothing())


def _follow(work: Work, hook_id: UUID, address: Address, *, at: datetime) -> None:
    args: dict[str, object] = {"hook_id": str(hook_id), "digest": address.digest}
    work.enqueue("connectors.follow_address", args=args, run_at=at)
