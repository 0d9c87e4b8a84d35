"""The key of each file, sealed by the tenant's own key as a row of `secret`: a rotation seals it anew like any secret.

So changing the tenant's keys never touches a blob, and taking one row away makes one file unreadable for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final
from uuid import UUID

import msgspec
from sqlalchemy import delete, or_, select

from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.files.sealing import FileUnreadable
from app.vault.keyring import Keyring
from app.vault.models import SecretRecord
from app.vault.queries import KEYS, KeysInUse, keys_to_write, read_record
from app.vault.rules import DOOR, DoorPurpose, SecretContext
from app.vault.secret import Secret
from app.vault.tenant_keys import open_door_secret, seal_door_secret

SYSTEM_ONLY = {
    "keep_file_key": "part of an operation that has checked its own permission",
    "open_file_keys": "part of an operation that has checked its own permission",
    "drop_file_key": "part of an operation that has checked its own permission",
    "take_file_keys": "part of an export, which has checked its own permission",
    "put_file_keys": "part of an import, which has checked its own permission",
}
_PURPOSE: Final = DoorPurpose.FILE
_OF_FILES: Final = (SecretRecord.kind == DOOR) & (SecretRecord.purpose == _PURPOSE)


class MovedFileKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key of a file as a line of a bundle: bare, so only ever inside a sealed part."""

    file: UUID
    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


def keep_file_key(work: Work, keyring: Keyring, *, file_id: UUID, key: Secret) -> None:
    """Store the key of a file, sealed. Raises KeysMissing, KeysDisabled."""
    keys = keys_to_write(work)
    context = SecretContext(work.tenant.id, new_id(), str(file_id), _PURPOSE)
    work.session.add(
        SecretRecord(
            id=context.secret_id,
            kind=DOOR,
            purpose=_PURPOSE,
            field=context.field,
            key_version=keys.version,
            sealed=seal_door_secret(keyring, keys, context, key),
            set_by=work.actor.id,
            set_at=work.now,
        )
    )


def open_file_keys(work: Work, keyring: Keyring, *file_ids: UUID) -> Mapping[UUID, Secret]:
    """The keys of these files; of all there are where none is named.

    One look finds rows and tenant's keys, so that no rotation comes between. Raises FileUnreadable where one is gone,
    KeysMissing, KeysDisabled, NotOpenedHere.
    """
    wanted = _OF_FILES & SecretRecord.field.in_([str(each) for each in file_ids]) if file_ids else _OF_FILES
    rows = list(work.session.scalars(select(SecretRecord).where(or_(SecretRecord.kind == KEYS, wanted))))
    keys = KeysInUse({row.key_version: read_record(row) for row in rows if row.kind == KEYS})
    found = {UUID(row.field): row for row in rows if row.kind != KEYS}
    if set(file_ids) - set(found):
        raise FileUnreadable
    return {file_id: _opened(work, keyring, keys, row) for file_id, row in found.items()}


def drop_file_key(work: Work, *, file_id: UUID) -> None:
    """Forget the key: the file can never be read again here."""
    work.session.execute(delete(SecretRecord).where(_OF_FILES, SecretRecord.field == str(file_id)))


def take_file_keys(work: Work, keyring: Keyring) -> list[bytes]:
    """The keys of all files, each a line of JSON, bare: for an export that leaves the tenant's own keys here.

    Raises as `open_file_keys` does.
    """
    opened = open_file_keys(work, keyring)
    moved = (MovedFileKey(file_id, key.reveal_bytes()) for file_id, key in sorted(opened.items()))
    return [msgspec.json.encode(each) for each in moved]


def put_file_keys(work: Work, keyring: Keyring, lines: Iterable[bytes]) -> None:
    """Seal them with the keys that the tenant has here. Raises msgspec.ValidationError, KeysMissing."""
    for line in lines:
        moved = msgspec.json.decode(line, type=MovedFileKey)
        keep_file_key(work, keyring, file_id=moved.file, key=Secret(moved.key))


def _opened(work: Work, keyring: Keyring, keys: KeysInUse, row: SecretRecord) -> Secret:
    context = SecretContext(work.tenant.id, row.id, row.field, _PURPOSE)
    return open_door_secret(keyring, keys.of(row.key_version), context, row.sealed)
