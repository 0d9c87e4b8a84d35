"""The key with which a home signs what its organisation offers to others: sealed like every door secret.

Made when first needed. The written public key is the secret's field, as with the keys of trails.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from app.audit.note import NoteKey, make_key, read_key
from app.kernel.work import Work
from app.vault.keyring import Keyring
from app.vault.operations.secrets import keep_door_secret
from app.vault.queries import sealed_rows
from app.vault.rules import DOOR, DoorPurpose, SecretContext
from app.vault.secret import Secret
from app.vault.tenant_keys import open_door_secret

SYSTEM_ONLY = {"package_key": "called by the jobs that sign what was submitted or approved: no person has the key"}
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_PURPOSE = DoorPurpose.PACKAGE_SIGNING


def package_key(work: Work, keyring: Keyring, *, name: str) -> tuple[NoteKey, Ed25519PrivateKey]:
    """The home's key under the name that it was made with; a new one, under this name, where there is none.

    Raises KeysMissing, KeysDisabled, and NotOpenedHere outside a worker.
    """
    work.session.execute(_LOCK, {"place": f"package_key:{work.tenant.id}"})  # two jobs at once would make two
    keys, rows = sealed_rows(work, kind=DOOR, purpose=_PURPOSE)
    if rows:
        row = rows[0]
        context = SecretContext(work.tenant.id, row.id, row.field, _PURPOSE)
        opened = open_door_secret(keyring, keys.of(row.key_version), context, row.sealed)
        return read_key(row.field), Ed25519PrivateKey.from_private_bytes(opened.reveal_bytes())
    key, made = make_key(name)
    private = Secret(made)
    keep_door_secret(work, keyring, purpose=_PURPOSE, field=key.written, value=private)
    return key, Ed25519PrivateKey.from_private_bytes(private.reveal_bytes())
