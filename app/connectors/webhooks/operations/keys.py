"""Makes and changes the keys that an endpoint's messages are signed with; the old one signs on for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from app.connectors.webhooks.rules import MOST_KEYS, Endpoint, Key
from app.connectors.webhooks.signing import make_key, public_of, shared_of
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.vault.keyring import Keyring
from app.vault.operations import forget_door_secret, keep_door_secret, open_door_secrets
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret
from app.web.translations import mark

LONGEST_OVERLAP: Final = 7 * 24  # hours
OVERLAP: Final = 24
_HINT: Final = 4

SYSTEM_ONLY = {
    "first_key": "part of an operation that has checked its own permission",
    "next_key": "part of an operation that has checked its own permission",
    "open_keys": "called by the job that signs",
}


class RotationUnderWay(Conflict):
    """The key before this one is still in use: a third would cut it off early."""


def field_of(endpoint_id: UUID, number: int) -> str:
    """The name of an endpoint's key in the vault."""
    return f"{endpoint_id}/{number}"


def first_key(work: Work, endpoint_id: UUID) -> tuple[Key, Secret]:
    """The key of a new endpoint."""
    return _make(work, endpoint_id, 1)


def next_key(work: Work, endpoint: Endpoint, *, overlap_hours: int) -> tuple[Endpoint, Secret]:
    """One more key; the one before signs beside it for so many hours. Raises RotationUnderWay."""
    now = work.database_now
    signing = endpoint.signing(now)
    if overlap_hours and len(signing) >= MOST_KEYS:
        raise RotationUnderWay(
            mark(
                "The key before this one still signs. Wait until its time is over, or let no key before sign any more."
            )
        )
    for key in endpoint.keys:
        if key not in signing or not overlap_hours:  # without an overlap nothing else signs: a key may have leaked
            forget_door_secret(work, purpose=DoorPurpose.WEBHOOK_SIGNING, field=field_of(endpoint.id, key.number))
    until = now + timedelta(hours=overlap_hours)
    kept = tuple(replace(key, until=until) for key in signing) if overlap_hours else ()
    made, secret = _make(work, endpoint.id, max(key.number for key in endpoint.keys) + 1)
    return replace(endpoint, keys=(*kept, made)), secret


def open_keys(work: Work, endpoint: Endpoint) -> list[Secret]:
    """The keys to sign with, the newest first; opened in a worker only. Raises KeysMissing, KeysDisabled."""
    keyring = work.service(Keyring)
    return [
        secret
        for key in endpoint.signing(work.database_now)
        for secret in open_door_secrets(
            work, keyring, purpose=DoorPurpose.WEBHOOK_SIGNING, field=field_of(endpoint.id, key.number)
        )
    ]


def _make(work: Work, endpoint_id: UUID, number: int) -> tuple[Key, Secret]:
    key = make_key()
    field = field_of(endpoint_id, number)
    keep_door_secret(work, work.service(Keyring), purpose=DoorPurpose.WEBHOOK_SIGNING, field=field, value=key)
    shown = shared_of(key).reveal()[-_HINT:]
    return Key(number, shown, public_of(key), work.database_now), key
