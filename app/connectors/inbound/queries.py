"""Reads hooks, and what came in by them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import select

from app.access.permissions import Permission
from app.access.require import require
from app.audit.queries.documents import Kept, find_document, list_documents, newest_documents
from app.connectors.inbound.rules import KEPT, Delivery, Hook
from app.connectors.kit.manifest import Manifest
from app.connectors.kit.runner import Runner
from app.connectors.kit.webhooks import Webhooks
from app.connectors.models import Connection
from app.connectors.webhooks.log import PAST, floor_of, key_of
from app.kernel.errors import Missing
from app.kernel.work import Work
from app.web.translations import mark

HOOK: Final = "inbound_hook"
TAKEN: Final = "inbound_delivery"
HELD: Final = "inbound_quarantine"

SYSTEM_ONLY = {
    "find_source": "part of an operation that has checked its own permission",
    "find_hook": "part of an operation that has checked its own permission",
    "find_delivery": "part of an operation that has checked its own permission",
    "hook_of": "reads what its caller was given",
    "message_of": "asked by the job that works on what came in",
}


class HookUnknown(Missing):
    """There is no connection of that id here, or its connector takes no webhooks."""


class DeliveryUnknown(Missing):
    """Nothing of that id came in, or it is forgotten: thirty days are kept."""


@dataclass(frozen=True, slots=True)
class Source:
    """A connection that messages can come in by, with what its manifest says of them."""

    id: UUID
    name: str
    state: str
    manifest: Manifest
    webhooks: Webhooks
    hook: Hook


@dataclass(frozen=True, slots=True)
class Came:
    """A delivery with its id; `held`: it is in quarantine."""

    id: UUID
    delivery: Delivery
    held: bool


def list_sources(work: Work) -> list[Source]:
    """Every connection that can take messages, by name. Raises NotPermitted."""
    require(work, Permission.CONNECTION_READ)
    hooks = {stored.key: hook_of(stored) for stored in list_documents(work.session, HOOK)}
    rows = work.session.scalars(select(Connection).order_by(Connection.name, Connection.id))
    manifests = work.service(Runner).registry.manifests()
    found = [_source(row, manifests, hooks.get(str(row.id))) for row in rows]
    return [each for each in found if each is not None]


def get_source(work: Work, hook_id: UUID) -> Source:
    """One of them. Raises NotPermitted, HookUnknown."""
    require(work, Permission.CONNECTION_READ)
    return find_source(work, hook_id)


def find_source(work: Work, hook_id: UUID, hook: Hook | None = None) -> Source:
    """The same; `hook` where it was read before, and locked. Raises HookUnknown."""
    row = work.session.get(Connection, hook_id)
    found = None
    if row is not None:
        found = _source(row, work.service(Runner).registry.manifests(), hook or find_hook(work, hook_id))
    if found is None:
        raise HookUnknown(mark("There is no such connection, or its system sends no messages."))
    return found


def find_hook(work: Work, hook_id: UUID) -> Hook | None:
    """A connection's addresses and secrets, if it has some."""
    stored = find_document(work.session, HOOK, str(hook_id))
    return hook_of(stored) if stored else None


def list_deliveries(
    work: Work, hook_id: UUID, *, held: bool, before: UUID | None = None, limit: int = 50
) -> list[Came]:
    """What came in, or what was held, the newest first; from `before` on. Bodies are left out.

    Raises NotPermitted, HookUnknown.
    """
    get_source(work, hook_id)
    after = f"{hook_id}:{floor_of(work.database_now - KEPT)}"
    end = key_of(hook_id, before) if before else f"{hook_id}:{PAST}"
    kind = HELD if held else TAKEN
    found = newest_documents(work.session, kind, after=after, before=end, limit=limit, without="raw")
    return [_came(stored, held=held) for stored in found]


def get_delivery(work: Work, hook_id: UUID, delivery_id: UUID) -> Came:
    """One delivery, taken or held. Raises NotPermitted, HookUnknown, DeliveryUnknown."""
    get_source(work, hook_id)
    return find_delivery(work, hook_id, delivery_id)


def find_delivery(work: Work, hook_id: UUID, delivery_id: UUID, *, locked: bool = False) -> Came:
    """The same, `locked` until the commit. Raises DeliveryUnknown."""
    for kind in (TAKEN, HELD):
        stored = find_document(work.session, kind, key_of(hook_id, delivery_id), lock=locked)
        if stored is not None:
            return _came(stored, held=kind == HELD)
    raise DeliveryUnknown(mark("Nothing of that id came in, or it was more than 30 days ago."))


def message_of(work: Work, hook_id: UUID, delivery_id: UUID) -> bytes:
    """The bytes of a proven delivery, as they came. Raises DeliveryUnknown."""
    return base64.b64decode(find_delivery(work, hook_id, delivery_id).delivery.raw)


def body_of(document: Hook | Delivery) -> dict[str, Any]:
    """A document as it is stored."""
    body: dict[str, Any] = msgspec.to_builtins(document)
    return body


def _source(row: Connection, manifests: Mapping[str, Manifest], hook: Hook | None) -> Source | None:
    manifest = manifests.get(row.connector)
    if manifest is None or manifest.webhooks is None:
        return None
    return Source(row.id, row.name, row.state, manifest, manifest.webhooks, hook or Hook(row.id))


def hook_of(stored: Kept) -> Hook:
    """A hook as it was stored."""
    return msgspec.convert(stored.body, Hook)


def _came(stored: Kept, *, held: bool) -> Came:
    return Came(UUID(stored.key.partition(":")[2]), msgspec.convert(stored.body, Delivery), held)
