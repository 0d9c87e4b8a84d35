"""Which keeper of wrapping keys an installation has, and how its programs hear that a key was switched off."""

from __future__ import annotations

from app.kernel.queue.wake import Doorbell
from app.settings import Settings
from app.vault.keepers.transit_keys import TransitKeys
from app.vault.keepers.transit_line import TransitLine, TransitVault
from app.vault.keepers.wrapping import WrappingKeys
from app.vault.keyring import Keyring, open_keyring
from app.vault.operations.switch import KEYS_TOPIC
from app.vault.rules import Program

WITH_WORKER_KEY = {Program.WORKER, Program.OPERATOR}  # an operator moves tenants; opening stays with workers


def keyring_of(settings: Settings, program: Program, *, prefix: str) -> Keyring:
    """What this program is given. Only workers and operators get the worker's folder.

    `prefix` is the installation's own: several may share a vault.
    """
    return open_keyring(
        program,
        settings.keyring,
        settings.worker_keyring if program in WITH_WORKER_KEY else None,
        wrapping=vault_of(settings, prefix=prefix),
        backup_days=settings.keyring_backup_days,
    )


def vault_of(settings: Settings, *, prefix: str) -> WrappingKeys | None:
    """The vault that the settings name, if any. Raises KeyringUnsafe, VaultRefusesUs for a token nobody can use."""
    if settings.transit_url is None or settings.transit_token_file is None:
        return None
    vault = TransitVault(
        url=settings.transit_url,
        mount=settings.transit_mount,
        token_file=settings.transit_token_file,
        ca_file=settings.transit_ca_file,
    )
    return TransitKeys(TransitLine(vault), prefix=prefix)


def listen_for_switches(settings: Settings, keyring: Keyring) -> Doorbell | None:
    """Forget what a vault has opened as soon as a key is switched off anywhere; of a folder nothing is remembered."""
    if isinstance(keyring.wrapping, TransitKeys):
        return Doorbell(settings.redis_url, KEYS_TOPIC, heard=keyring.wrapping.forget)
    return None
