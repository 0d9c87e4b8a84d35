"""What every new tenant is born with: its keys, and the partner's default delegation, visible and revocable."""

from __future__ import annotations

from app.access.operations import give_default_delegation
from app.kernel.work import Work
from app.tenancy.operations.creation import Seeder
from app.vault.keyring import Keyring
from app.vault.operations import make_keys


def seeder(keyring: Keyring) -> Seeder:
    """The seeds of this installation, in order."""

    def keys(work: Work) -> None:
        make_keys(work, keyring)

    def delegation(work: Work) -> None:
        if work.tenant.kind != "home":
            give_default_delegation(work)

    return Seeder(keys, delegation)
