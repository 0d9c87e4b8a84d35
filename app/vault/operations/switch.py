"""The kill switch, and the end of a tenant's keys. The keeper of keys comes first: its answer is what counts.

A trail that cannot be written at that moment stops nobody from switching off; the caller hears of it and asks again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from app.kernel.work import Work
from app.vault.events import KeysDestroyed, KeysSwitchedOff, KeysSwitchedOn
from app.vault.keyring import Keyring

SYSTEM_ONLY = {
    "disable_keys": "the operator's command; a door that offers it checks its own right",
    "enable_keys": "the operator's command; a door that offers it checks its own right",
    "destroy_keys": "the first step of an erasure, which checks its own right",
}
KEYS_TOPIC: Final = "keys"  # the wake-up line's word to every program: remember no opened key
_FIRST: Final = text("SELECT body ->> 'effective_at' FROM trail WHERE action = :action ORDER BY at, id LIMIT 1")


def disable_keys(work: Work, keyring: Keyring, *, reason: str) -> None:
    """Nothing of the tenant's secrets and files can be opened anywhere until `enable_keys`. Repeatable.

    Acts at once where keys are read from a folder; with a vault when the word arrives, in five minutes at the latest.
    Raises KeyMissing.
    """
    keyring.wrapping.disable(work.tenant.id)
    work.record(KeysSwitchedOff(subject_id=work.tenant.id, reason=reason))
    work.topics.add(KEYS_TOPIC)


def enable_keys(work: Work, keyring: Keyring, *, reason: str) -> None:
    """Take the switch back. Repeatable. Raises KeyMissing."""
    keyring.wrapping.enable(work.tenant.id)
    work.record(KeysSwitchedOn(subject_id=work.tenant.id, reason=reason))
    work.topics.add(KEYS_TOPIC)


def destroy_keys(work: Work, keyring: Keyring, *, reason: str) -> datetime:
    """Destroy the tenant's wrapping key: nothing of it can be read again, in the database or in any backup of it.

    Returns when that also holds for the backups of the key store (`SLIPWAY_KEYRING_BACKUP_DAYS`), on the database's
    clock. Repeatable: a second call destroys what may have come back, and returns the first one's date.
    """
    keyring.wrapping.destroy(work.tenant.id)
    work.topics.add(KEYS_TOPIC)
    if first := work.session.execute(_FIRST, {"action": KeysDestroyed.type}).scalar_one_or_none():
        return datetime.fromisoformat(first)
    effective_at = work.database_now + timedelta(days=keyring.backup_days)
    work.record(KeysDestroyed(subject_id=work.tenant.id, effective_at=effective_at, reason=reason))
    return effective_at
