"""Client secrets of identity providers as door secrets of their tenant: identity asks, the vault seals and opens."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.identity.sso.secrets import Revealed
from app.kernel.work import Work
from app.vault.keyring import Keyring
from app.vault.operations import open_door_secrets, put_door_secret
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret


@dataclass(frozen=True, slots=True)
class SealedClientSecrets:
    """Fulfils `app.identity.sso.secrets.ClientSecrets`."""

    keyring: Keyring

    def hide(self, value: str) -> Secret:
        """What was typed, from here on shown by no log and no traceback."""
        return Secret(value)

    def keep(self, work: Work, connection_id: UUID, value: Revealed) -> None:
        """Seal it in the place of the one before."""
        purpose = DoorPurpose.OIDC_CLIENT
        put_door_secret(work, self.keyring, purpose=purpose, field=str(connection_id), value=Secret(value.reveal()))

    def open(self, work: Work, connection_id: UUID) -> Secret | None:
        """The secret, or None where none was kept."""
        found = open_door_secrets(work, self.keyring, purpose=DoorPurpose.OIDC_CLIENT, field=str(connection_id))
        return found[0] if found else None
