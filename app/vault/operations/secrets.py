"""Stores sealed secrets of a tenant and hands sealed ones to whoever may open them. Nothing in the clear is kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select, text, update

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.events import SecretSet, SecretsOpened
from app.vault.keyring import Keyring
from app.vault.models import SecretRecord
from app.vault.queries import KeysInUse, keys_to_write, sealed_rows
from app.vault.rules import CONNECTION, DOOR, DoorPurpose, SecretContext
from app.vault.secret import Secret
from app.vault.tenant_keys import (
    open_connection_secret,
    open_door_secret,
    seal_connection_secret,
    seal_door_secret,
)

SYSTEM_ONLY = {
    "keep_connection_secret": "part of an operation that has checked its own permission",
    "take_connection_secrets": "called by a run's job",
    "promote_connection_secrets": "part of an operation that has checked its own permission",
    "move_connection_secrets": "part of an operation that has checked its own permission",
    "forget_connection_secrets": "part of an operation that has checked its own permission",
    "open_door_secrets": "called by the door that the secret guards",
    "keep_door_secret": "called by what makes the secret itself: no person has it",
    "forget_door_secret": "part of an operation that has checked its own permission",
}


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The sealed secrets of one connection, to be opened where no session is in reach."""

    keys: KeysInUse
    sealed: dict[str, tuple[SecretContext, int, bytes]]

    def open(self, keyring: Keyring) -> dict[str, Secret]:
        """Open them all. Raises NotOpenedHere outside a worker, KeyMissing or KeysDisabled where the key is."""
        return {
            field: open_connection_secret(keyring, self.keys.of(version), context, box)
            for field, (context, version, box) in self.sealed.items()
        }


def put_connection_secret(work: Work, *, connection_id: UUID, field: str, value: Secret, stage: str = "") -> None:
    """Seal a connection's secret to the tenant's public key: written here, opened only in a worker.

    `stage` as in `keep_connection_secret`. Raises NotPermitted, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    keep_connection_secret(work, connection_id=connection_id, field=field, value=value, stage=stage)


def keep_connection_secret(work: Work, *, connection_id: UUID, field: str, value: Secret, stage: str = "") -> None:
    """The same for what somebody hands over in a step of their own. Raises KeysMissing.

    On a `stage` it lies beside the value in use, which runs go on with until it is promoted.
    """
    context, keys = SecretContext(work.tenant.id, new_id(), field), keys_to_write(work)
    sealed = seal_connection_secret(keys, context, value)
    purpose = _purpose(connection_id, stage)
    _replace(work, kind=CONNECTION, purpose=purpose, context=context, key_version=keys.version, sealed=sealed)


def promote_connection_secrets(work: Work, *, connection_id: UUID, stage: str) -> list[str]:
    """What lies on the stage takes the place of what was in use, in one commit. Returns the fields.

    Nothing is opened or sealed anew: a sealed value knows its own row and field, not the stage it lies on.
    """
    staged = (SecretRecord.kind == CONNECTION, SecretRecord.purpose == _purpose(connection_id, stage))
    rows = work.session.scalars(select(SecretRecord).where(*staged).order_by(SecretRecord.field).with_for_update())
    promoted = list(rows)
    for row in promoted:
        _lock(work, CONNECTION, str(connection_id), row.field)
        used = (SecretRecord.kind == CONNECTION, SecretRecord.purpose == str(connection_id))
        work.session.execute(delete(SecretRecord).where(*used, SecretRecord.field == row.field))
        row.purpose = str(connection_id)
        event = SecretSet(subject_id=row.id, kind=CONNECTION, purpose=str(connection_id), field=row.field)
        work.announce(event)
    work.session.flush()
    return [row.field for row in promoted]


def move_connection_secrets(work: Work, *, connection_id: UUID, stage: str) -> None:
    """Put all that is in use on a stage: no run finds it any more, one last job still does."""
    used = (SecretRecord.kind == CONNECTION, SecretRecord.purpose == str(connection_id))
    work.session.execute(update(SecretRecord).where(*used).values(purpose=_purpose(connection_id, stage)))


def forget_connection_secrets(work: Work, *, connection_id: UUID, stage: str = "") -> None:
    """Let go of what a connection signs in with, or of what lies on one stage."""
    gone = (SecretRecord.kind == CONNECTION, SecretRecord.purpose == _purpose(connection_id, stage))
    work.session.execute(delete(SecretRecord).where(*gone))


def put_door_secret(work: Work, keyring: Keyring, *, purpose: DoorPurpose, field: str, value: Secret) -> None:
    """Seal a door's secret; the program that guards this door may open it. Raises NotPermitted, KeysMissing."""
    require(work, Permission.CONNECTION_WRITE)
    keep_door_secret(work, keyring, purpose=purpose, field=field, value=value)


def keep_door_secret(work: Work, keyring: Keyring, *, purpose: DoorPurpose, field: str, value: Secret) -> None:
    """The same for a secret that this program has made: a key of the tenant's own. Raises KeysMissing."""
    context, keys = SecretContext(work.tenant.id, new_id(), field, purpose), keys_to_write(work)
    sealed = seal_door_secret(keyring, keys, context, value)
    _replace(work, kind=DOOR, purpose=purpose, context=context, key_version=keys.version, sealed=sealed)


def forget_door_secret(work: Work, *, purpose: DoorPurpose, field: str) -> None:
    """Let a secret go that its door needs no more."""
    gone = (SecretRecord.kind == DOOR, SecretRecord.purpose == purpose, SecretRecord.field == field)
    work.session.execute(delete(SecretRecord).where(*gone))


def take_connection_secrets(work: Work, *, connection_id: UUID, run_id: UUID, stage: str = "") -> SealedSecrets:
    """The sealed secrets of a connection for one run, with an entry in the trail. Raises KeysMissing."""
    keys, rows = sealed_rows(work, kind=CONNECTION, purpose=_purpose(connection_id, stage))
    if rows:
        fields = sorted(row.field for row in rows)
        work.record(SecretsOpened(subject_id=connection_id, fields=fields, run_id=str(run_id)))
    sealed = {
        row.field: (SecretContext(work.tenant.id, row.id, row.field), row.key_version, row.sealed) for row in rows
    }
    return SealedSecrets(keys=keys, sealed=sealed)


def open_door_secrets(work: Work, keyring: Keyring, *, purpose: DoorPurpose, field: str | None = None) -> list[Secret]:
    """Every active secret of a door (two while its peer changes over), newest first; those of one field if asked.

    Raises KeysMissing, KeysDisabled, NotOpenedHere.
    """
    keys, rows = sealed_rows(work, kind=DOOR, purpose=purpose)
    return [
        open_door_secret(
            keyring, keys.of(row.key_version), SecretContext(work.tenant.id, row.id, row.field, purpose), row.sealed
        )
        for row in rows
        if field in (None, row.field)
    ]


def _replace(work: Work, *, kind: str, purpose: str, context: SecretContext, key_version: int, sealed: bytes) -> None:
    """The new value takes the old one's place, of whatever key version: a secret has no history to read.

    Two who set the same secret at once come one after the other, else neither would see what the other left.
    """
    _lock(work, kind, purpose, context.field)
    work.session.execute(
        delete(SecretRecord).where(
            SecretRecord.kind == kind, SecretRecord.purpose == purpose, SecretRecord.field == context.field
        )
    )
    work.session.add(
        SecretRecord(
            id=context.secret_id,
            kind=kind,
            purpose=purpose,
            field=context.field,
            key_version=key_version,
            sealed=sealed,
            set_by=work.actor.id,
            set_at=work.now,
        )
    )
    work.announce(SecretSet(subject_id=context.secret_id, kind=kind, purpose=purpose, field=context.field))


def _lock(work: Work, kind: str, purpose: str, field: str) -> None:
    place = f"secret:{work.tenant.id}:{kind}:{purpose}:{field}"
    work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))"), {"place": place})


def _purpose(connection_id: UUID, stage: str) -> str:
    return f"{connection_id}:{stage}" if stage else str(connection_id)
