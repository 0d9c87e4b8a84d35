"""Credentials grow old: how old each may get, as its manifest says, and who is reminded. One timer a connection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.connectors.connecting.care import GONE
from app.connectors.events import RotationDue
from app.connectors.kit.manifest import Manifest
from app.connectors.models import Connection
from app.connectors.tokens.state import find_state
from app.kernel.work import Work
from app.vault.queries import SetSecret, set_fields

SYSTEM_ONLY = {
    "remind": "called by the timer of a connection",
    "watch_age": "part of an operation that has checked its own permission",
}
_AGAIN: Final = timedelta(days=14)  # between two reminders of what nobody has changed


def due_dates(manifest: Manifest, secrets: Mapping[str, SetSecret]) -> dict[str, datetime]:
    """When each stored secret should be changed, of those that should."""
    days = {name: slot.rotate_after_days for name, slot in manifest.secrets.items() if slot.rotate_after_days}
    return {name: secrets[name].at + timedelta(days=days[name]) for name in days if name in secrets}


def watch_age(work: Work, connection_id: UUID, manifest: Manifest) -> None:
    """Set the first timer of a new connection, where anything of it can grow old."""
    slots = (slot.rotate_after_days for slot in manifest.secrets.values())
    days = min((each for each in slots if each), default=None)
    if days is not None:
        _set_timer(work, connection_id, work.now + timedelta(days=days))


def remind(work: Work, connection_id: UUID, manifests: Mapping[str, Manifest]) -> None:
    """Tell whoever owns a connection which of its credentials are too old, and look again when the next one is."""
    row = work.session.get(Connection, connection_id)
    if row is None or row.state == GONE or (manifest := manifests.get(row.connector)) is None:
        return
    due = due_dates(manifest, given := set_fields(work.session, purpose=str(connection_id)))
    old = sorted(name for name, at in due.items() if at <= work.now)
    if old:
        owner = find_state(work.session, connection_id).owner or str(given[old[0]].by)
        work.announce(RotationDue(subject_id=row.id, connector=row.connector, name=row.name, fields=old, owner=owner))
    later = [at for at in due.values() if at > work.now]
    _set_timer(work, connection_id, min([*later, work.now + _AGAIN] if old else later, default=work.now + _AGAIN))


def _set_timer(work: Work, connection_id: UUID, due_at: datetime) -> None:
    work.set_timer("connectors.remind_of_age", subject_id=connection_id, due_at=due_at, version=1)
