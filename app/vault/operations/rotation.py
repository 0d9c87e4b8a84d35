"""A tenant's keys in its schema: made once, rotated while work is in flight. Nothing here calls a keeper of keys.

A rotation adds a version, moves every sealed row to it and then takes the older version away. Where each row stands is
in its `key_version`, so that a rotation goes on wherever it was killed; readers find both versions until the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update

from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.events import KeyRotationAsked, KeyRotationFinished, KeyRotationStopped
from app.vault.keyring import Keyring
from app.vault.models import SecretRecord
from app.vault.queries import KEYS, keys_in_use, keys_to_write, read_record
from app.vault.tenant_keys import TenantKeys, make_tenant_keys

SYSTEM_ONLY = {
    "make_keys": "part of the creation of a tenant",
    "ask_rotation": "the operator's command; a door that offers it checks its own right",
    "add_keys": "a step of the rotation's job",
    "store_rewrapped": "a step of the rotation's job",
    "store_resealed": "a step of the rotation's job",
    "drop_old_keys": "a step of the rotation's job",
    "ask_retirement": "a step of the rotation's job",
    "record_finished": "a step of the rotation's job",
    "record_stopped": "said when the rotation's job is given up",
}
WRAPPING, TENANT = "wrapping", "tenant"
GRACE: Final = timedelta(minutes=10)  # longer than a run holds sealed secrets before it opens them
_LANE: Final = "keys"
_ANY_KEYS = select(SecretRecord.id).where(SecretRecord.kind == KEYS).limit(1)


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A version of the tenant's keys as it was read, and under a newer wrapping key."""

    before: TenantKeys
    after: TenantKeys


@dataclass(frozen=True, slots=True)
class Resealed:
    """A sealed row as it was read, and sealed with newer keys."""

    id: UUID
    before: bytes
    after: bytes
    key_version: int


def make_keys(work: Work, keyring: Keyring) -> None:
    """Make the keys of a tenant, unless it came with its own; the wrapping key stays outside every database."""
    if not work.session.connection().execute(_ANY_KEYS).first():
        add_keys(work, make_tenant_keys(keyring, work.tenant.id))


def ask_rotation(work: Work, keyring: Keyring, *, wrapping: bool, keys: bool) -> None:
    """Ask for new versions of the wrapping key, of the tenant's own keys, or of both; workers do it after the commit.

    Asked twice, the second finds nothing left to do. Raises KeysMissing, KeyMissing, KeysDisabled.
    """
    if wrapping:
        newest = keyring.wrapping.newest(work.tenant.id)
        work.record(KeyRotationAsked(subject_id=work.tenant.id, key=WRAPPING, version=newest))
        work.enqueue("vault.rotate_wrapping_key", args={"beyond": newest}, lane=_LANE)
    if keys:
        version = keys_in_use(work).newest.version
        work.record(KeyRotationAsked(subject_id=work.tenant.id, key=TENANT, version=version))
        work.enqueue("vault.rotate_tenant_keys", args={"beyond": version}, lane=_LANE)


def add_keys(work: Work, keys: TenantKeys) -> None:
    """Store a new version: from this commit on it seals what is written."""
    work.session.add(
        SecretRecord(
            id=new_id(),
            kind=KEYS,
            purpose=TENANT,
            field="keys",
            key_version=keys.version,
            sealed=msgspec.json.encode(keys),
            set_by=work.actor.id,
            set_at=work.now,
        )
    )


def store_rewrapped(work: Work, changed: Sequence[Rewrapped]) -> None:
    """Put the wrapped keys in the place of those that were read; what somebody else has changed meanwhile stays."""
    for each in changed:
        row = work.session.scalars(
            select(SecretRecord)
            .where(SecretRecord.kind == KEYS, SecretRecord.key_version == each.before.version)
            .with_for_update(key_share=True)
        ).one_or_none()
        if row is not None and read_record(row) == each.before:
            row.sealed = msgspec.json.encode(each.after)


def store_resealed(work: Work, changed: Sequence[Resealed]) -> None:
    """Put the resealed values in the place of those that were read; one that was set anew meanwhile stays.

    A row that somebody is setting at this moment is passed over, never waited for: whoever sets several may hold them
    in another order. `drop_old_keys` counts what was passed over and still is of the older version.
    """
    ids = [each.id for each in changed]
    free = select(SecretRecord.id).where(SecretRecord.id.in_(ids)).with_for_update(skip_locked=True)
    unlocked = set(work.session.scalars(free))
    for each in changed:
        if each.id not in unlocked:
            continue
        work.session.execute(
            update(SecretRecord)
            .where(SecretRecord.id == each.id, SecretRecord.sealed == each.before)
            .values(sealed=each.after, key_version=each.key_version)
        )


def drop_old_keys(work: Work) -> int | None:
    """Take the older versions away once nothing is sealed with them. Returns how many values still are.

    None while somebody is sealing with one: they hold its row until their commit, and are not waited for.
    """
    newest = keys_to_write(work).version
    old = (SecretRecord.kind == KEYS, SecretRecord.key_version < newest)
    versions = work.session.execute(select(func.count()).where(*old)).scalar_one()
    free = work.session.scalars(select(SecretRecord.id).where(*old).with_for_update(skip_locked=True)).all()
    if len(free) < versions:
        return None
    left = select(func.count()).where(SecretRecord.kind != KEYS, SecretRecord.key_version < newest)
    if (count := work.session.execute(left).scalar_one()) == 0:
        work.session.execute(delete(SecretRecord).where(*old))
    return int(count)


def ask_retirement(work: Work, *, below: int) -> None:
    """Ask for the end of the older wrapping keys, once nobody can hold a copy of the keys from before."""
    work.enqueue("vault.retire_wrapping_key", args={"below": below}, run_at=work.database_now + GRACE)


def record_finished(work: Work, *, key: str, version: int) -> None:
    """Everything is under this version."""
    work.record(KeyRotationFinished(subject_id=work.tenant.id, key=key, version=version))


def record_stopped(work: Work, *, key: str, reason: str) -> None:
    """It came to no end; an operator asks again when the reason is gone."""
    work.record(KeyRotationStopped(subject_id=work.tenant.id, key=key, reason=reason))
