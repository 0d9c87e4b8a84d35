"""Reads of sealed rows and of the tenant's wrapped keys: every version that is in use, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import and_, bindparam, func, or_, select, text
from sqlalchemy.orm import Session

from app.kernel.errors import Unavailable
from app.kernel.work import Work
from app.vault.models import SecretRecord
from app.vault.rules import CONNECTION, SecretContext
from app.vault.tenant_keys import TenantKeys

_UNDER_WAY: Final = text("""
    SELECT tenant_id, kind, state, last_error, created_at FROM cell.job
    WHERE kind IN ('vault.rotate_wrapping_key', 'vault.retire_wrapping_key', 'vault.rotate_tenant_keys')
    AND finished_at IS NULL ORDER BY tenant_id, created_at, id
""")
KEYS: Final = "keys"  # the kind of the rows that hold wrapped keys
_WANTED = and_(SecretRecord.kind == bindparam("wanted"), SecretRecord.purpose == bindparam("of"))
_SEALED: Final = (  # built once: every call of another system asks it
    select(SecretRecord).where(or_(SecretRecord.kind == KEYS, _WANTED)).order_by(SecretRecord.set_at.desc())
)


class KeysMissing(Unavailable):
    """The tenant has no keys, or they were destroyed: its secrets cannot be read by anybody."""


@dataclass(frozen=True, slots=True)
class KeysInUse:
    """The tenant's keys by version. Older ones are there only while a rotation is under way."""

    by_version: Mapping[int, TenantKeys]

    @property
    def newest(self) -> TenantKeys:
        """The version that new values are sealed with."""
        return self.by_version[max(self.by_version)]

    def of(self, version: int) -> TenantKeys:
        """The keys of that version. Raises KeysMissing."""
        if version not in self.by_version:
            raise KeysMissing("The keys that sealed this secret are gone. Enter the secret again.")
        return self.by_version[version]


@dataclass(frozen=True, slots=True)
class SetSecret:
    """That a secret is there."""

    by: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How far a tenant's rotation is: secrets by key version, and the version of the wrapping key on each."""

    secrets: Mapping[int, int]
    wrapped: Mapping[int, bytes]


def keys_to_write(work: Work) -> TenantKeys:
    """The newest keys, held until the commit: a rotation waits for whoever seals with an older version.

    Raises KeysMissing.
    """
    newest = select(SecretRecord).where(SecretRecord.kind == KEYS).order_by(SecretRecord.key_version.desc()).limit(1)
    for _look in range(2):  # the row found first may be the one that a rotation has just retired: look again then
        row = work.session.scalars(newest.with_for_update(read=True, key_share=True)).one_or_none()
        if row is not None:
            return read_record(row)
    raise KeysMissing("This workspace has no keys; its secrets can neither be stored nor read.")


def keys_in_use(work: Work) -> KeysInUse:
    """Every version of the tenant's keys. Raises KeysMissing."""
    return _in_use(list(work.session.scalars(select(SecretRecord).where(SecretRecord.kind == KEYS))))


def sealed_rows(work: Work, *, kind: str, purpose: str) -> tuple[KeysInUse, list[SecretRecord]]:
    """The sealed values of one purpose and the keys they need, in one look: no rotation comes between. Newest first.

    Raises KeysMissing.
    """
    rows = list(work.session.scalars(_SEALED, {"wanted": kind, "of": purpose}))
    return _in_use([row for row in rows if row.kind == KEYS]), [row for row in rows if row.kind != KEYS]


def stale_rows(work: Work, *, below: int, after: UUID, limit: int) -> list[SecretRecord]:
    """The next sealed values of an older key version, by id."""
    query = select(SecretRecord).where(
        SecretRecord.kind != KEYS, SecretRecord.key_version < below, SecretRecord.id > after
    )
    return list(work.session.scalars(query.order_by(SecretRecord.id).limit(limit)))


def context_of(work: Work, row: SecretRecord) -> SecretContext:
    """Which value a row holds, as it was sealed."""
    purpose = CONNECTION if row.kind == CONNECTION else row.purpose
    return SecretContext(work.tenant.id, row.id, row.field, purpose)


def key_use(work: Work) -> KeyUse:
    """How many secrets each version of the keys has sealed, and the wrapped keys themselves."""
    rows = work.session.execute(
        select(SecretRecord.key_version, func.count().label("number"))
        .where(SecretRecord.kind != KEYS)
        .group_by(SecretRecord.key_version)
    )
    counted = {row.key_version: int(row.number) for row in rows}
    keys = work.session.scalars(select(SecretRecord).where(SecretRecord.kind == KEYS))
    return KeyUse(counted, {row.key_version: read_record(row).wrapped_dek for row in keys})


def rotations_under_way(session: Session) -> dict[UUID, list[str]]:
    """What rotations of each tenant still have to do, in words; in the dispatcher's scope of a cell."""
    found: dict[UUID, list[str]] = {}
    for row in session.execute(_UNDER_WAY):
        said = f"{row.kind.removeprefix('vault.').replace('_', ' ')} {row.state} since {row.created_at:%Y-%m-%d %H:%M}"
        found.setdefault(row.tenant_id, []).append(said + (f" ({row.last_error})" if row.last_error else ""))
    return found


def read_record(row: SecretRecord) -> TenantKeys:
    """The wrapped keys in a row; the row's version must be theirs. Raises KeysMissing."""
    keys = msgspec.json.decode(row.sealed, type=TenantKeys)
    if keys.version != row.key_version:
        raise KeysMissing("The keys of this workspace are damaged. Restore them from a backup of its database.")
    return keys


def set_fields(session: Session, *, purpose: str) -> dict[str, SetSecret]:
    """Which secrets of a connection are there, by field: by whom and when, and nothing of what they are."""
    columns = (SecretRecord.field, SecretRecord.set_by, SecretRecord.set_at)
    query = select(*columns).where(SecretRecord.kind == CONNECTION, SecretRecord.purpose == purpose)
    return {row.field: SetSecret(row.set_by, row.set_at) for row in session.execute(query)}


def _in_use(rows: list[SecretRecord]) -> KeysInUse:
    if not rows:
        raise KeysMissing("This workspace has no keys; its secrets can neither be stored nor read.")
    return KeysInUse({row.key_version: read_record(row) for row in rows})
