"""Sets what a hook's peer signs with: written here, opened only by the door. The one before is believed for a while."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.inbound.events import HookSecretSet
from app.connectors.inbound.operations.hooks import lock_source, save
from app.connectors.inbound.rules import MOST_AT_ONCE, Hook, Key, field_of
from app.connectors.inbound.schemes import is_usable
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.vault.keyring import Keyring
from app.vault.operations import forget_door_secret, keep_door_secret, open_door_secrets
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret
from app.web.translations import mark

PURPOSE = DoorPurpose.INBOUND_HOOK

SYSTEM_ONLY = {
    "forget_secrets": "part of an operation that has checked its own permission",
    "open_secrets": "called by the door that they guard",
}


class SecretChanging(Conflict):
    """The secret before this one is still believed: a third would cut it off early."""


class SecretUnfit(Invalid):
    """No signature would ever fit this value: it is not what this system gives out."""


def set_secret(work: Work, hook_id: UUID, value: Secret, *, overlap_hours: int) -> Hook:
    """Believe another secret; the one before is believed for so many hours more, with 0 no more, at once.

    Raises NotPermitted, HookUnknown, SecretUnfit, SecretChanging, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)  # what is answered shows the hook
    source, now = lock_source(work, hook_id), work.database_now
    if not is_usable(source.webhooks, value):
        why = mark("This is not what the system gives out to check its messages with. Copy it again.")
        raise SecretUnfit(why, errors=[("/value", why)])
    before = source.hook.active(now)
    if overlap_hours and len(before) >= MOST_AT_ONCE:
        raise SecretChanging(
            mark("The secret before this one still counts. Wait until its time is over, or let no other one count.")
        )
    for key in source.hook.keys:
        if key not in before or not overlap_hours:  # without an overlap it may have leaked
            forget_door_secret(work, purpose=PURPOSE, field=field_of(hook_id, key.number))
    until = now + timedelta(hours=overlap_hours)
    kept = tuple(replace(key, until=key.until or until) for key in before) if overlap_hours else ()
    number = source.hook.secrets + 1
    keep_door_secret(work, work.service(Keyring), purpose=PURPOSE, field=field_of(hook_id, number), value=value)
    connector = source.manifest.provider
    work.announce(HookSecretSet(subject_id=hook_id, connector=connector, number=number, overlap_hours=overlap_hours))
    return save(work, replace(source.hook, keys=(*kept, Key(number, now)), secrets=number))


def forget_secrets(work: Work, hook: Hook) -> None:
    """Let all of a hook's secrets go."""
    for key in hook.keys:
        forget_door_secret(work, purpose=PURPOSE, field=field_of(hook.id, key.number))


def open_secrets(work: Work, hook: Hook) -> list[Secret]:
    """What the peer may sign with at this moment. Raises KeysMissing, KeysDisabled, NotOpenedHere."""
    fields = [field_of(hook.id, key.number) for key in hook.active(work.database_now)]
    return open_door_secrets(work, work.service(Keyring), purpose=PURPOSE, fields=fields) if fields else []
