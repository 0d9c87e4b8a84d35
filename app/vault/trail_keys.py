"""Signs checkpoints of trails with each tenant's own key, sealed like every door secret; made when first needed.

The written public key is the secret's field, so it is bound to what it belongs to, readable without opening anything,
and named in the trail by the entry that says the secret was set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.audit.note import Checkpoint, NoteKey, make_key, read_key, sign
from app.kernel.work import Work
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import Keyring
from app.vault.operations.secrets import keep_door_secret
from app.vault.queries import KeysMissing, sealed_rows
from app.vault.rules import DOOR, DoorPurpose, SecretContext
from app.vault.secret import Secret
from app.vault.tenant_keys import open_door_secret
from tenants.tenant import Tenant

_PURPOSE = DoorPurpose.TRAIL_SIGNING


@dataclass(frozen=True, slots=True)
class TrailKeys:
    """Fulfils `app.audit.signing.Signer`. `host_of` gives the name that a tenant's people know: each origin's start."""

    keyring: Keyring
    host_of: Callable[[Tenant], str]

    def sign(self, work: Work, *, size: int, root: bytes) -> str | None:
        """The checkpoint as a signed note; None where the tenant's keys are gone.

        Raises KeysDisabled and what else the keeper of keys says while it cannot be asked.
        """
        try:
            keys, rows = sealed_rows(work, kind=DOOR, purpose=_PURPOSE)
        except KeysMissing:
            return None
        if not rows:
            key, private = self._made(work)
        else:
            row, key = rows[0], read_key(rows[0].field)
            context = SecretContext(work.tenant.id, row.id, row.field, _PURPOSE)
            try:
                private = open_door_secret(self.keyring, keys.of(row.key_version), context, row.sealed)
            except KeyMissing:
                return None
        return sign(Checkpoint(key.name, size, root), key, private.reveal_bytes())

    def _made(self, work: Work) -> tuple[NoteKey, Secret]:
        key, made = make_key(f"{self.host_of(work.tenant)}/trail/{work.tenant.id}")
        private = Secret(made)
        keep_door_secret(work, self.keyring, purpose=_PURPOSE, field=key.written, value=private)
        return key, private

    def public_key(self, work: Work) -> str | None:
        """The newest public key of the tenant; None before its first checkpoint, or where its keys are gone."""
        try:
            _keys, rows = sealed_rows(work, kind=DOOR, purpose=_PURPOSE)
        except KeysMissing:
            return None
        return rows[0].field if rows else None
