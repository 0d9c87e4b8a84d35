"""What a program can unlock: the tenants' wrapping keys, and the worker's own pair. All of it outside databases.

How the web program can write connection secrets and not read them. A tenant's public key seals them; its private key is
sealed to the *worker key* of the installation, and that again under the tenant's own key. The worker's private key lies
in a folder of its own, which only workers are given (another mount, another user); the web program is given the folder
of wrapping keys alone. So the web program lacks the worker key whatever code runs in it, and destroying one tenant's
wrapping key still shreds everything of that tenant. It sees a private key once: while it makes a new tenant's pair.

    <keyring>/<tenant>.key   0600  one wrapping key a tenant, unless a vault keeps them   web, worker, operator
    <keyring>/worker.pub     0600  the worker's public key          web, worker, operator
    <keyring>/cursor.key     0600  signs where a list goes on       web
    <keyring>/people.key     0600  opens people's authenticators    web
    <worker keyring>/worker.key 0600  the worker's private key      worker, operator
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.kernel.errors import Forbidden
from app.vault.keepers.local_keys import (
    KEY_BYTES,
    LocalKeys,
    make_private_folder,
    read_key,
    require_private_folder,
    write_once,
)
from app.vault.keepers.wrapping import KeyMissing, KeyringUnsafe, WrappingKeys
from app.vault.rules import Program
from app.vault.sealed_box import make_pair, public_of
from app.vault.secret import Secret

WORKER_KEY: Final = "worker.key"
WORKER_PUBLIC: Final = "worker.pub"
CURSOR_KEY: Final = "cursor.key"
PEOPLE_KEY: Final = "people.key"
_PUBLIC_FORM: Final = re.compile(r"v1:([0-9a-f]{64})\n")


class NotOpenedHere(Forbidden):
    """The program was not given the key of secrets of this kind, or does not guard what they are for."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """What this program holds. `worker_private` is there in workers only.

    `backup_days`: how long the operator's backups of the key store keep a key that was destroyed.
    """

    program: Program
    wrapping: WrappingKeys
    worker_public: bytes
    cursor_key: Secret
    people_key: Secret
    worker_private: Secret | None = None
    backup_days: int = 0

    def require_worker_key(self) -> Secret:
        """The worker's private key. Raises NotOpenedHere in a program that was not given it."""
        if self.worker_private is None:
            raise NotOpenedHere(f"Connection secrets are opened inside a worker's run, never by the {self.program}.")
        return self.worker_private


def create_keyring(folder: Path, worker_folder: Path) -> None:
    """Make both folders and the worker's pair, once per installation; what is there stays. Safe to run at once.

    Raises KeyringUnsafe when a folder is open to others, or when the halves of the worker's pair do not fit.
    """
    make_private_folder(folder)
    make_private_folder(worker_folder)
    if (folder / WORKER_PUBLIC).exists() and not (worker_folder / WORKER_KEY).exists():
        raise KeyringUnsafe(
            f"The worker's private key is gone from {worker_folder}. Restore it: nothing else opens connection secrets."
        )
    for name in (CURSOR_KEY, PEOPLE_KEY):
        write_once(folder / name, f"v1:{secrets.token_hex(KEY_BYTES)}\n".encode())
    _public, private = make_pair()
    write_once(worker_folder / WORKER_KEY, f"v1:{private.reveal_bytes().hex()}\n".encode())
    public = public_of(read_key(worker_folder / WORKER_KEY))
    write_once(folder / WORKER_PUBLIC, f"v1:{public.hex()}\n".encode())
    if _read_public(folder) != public:
        raise KeyringUnsafe(
            f"{folder} and {worker_folder} are of two installations. Point both settings at one of them."
        )


def open_keyring(
    program: Program,
    folder: Path,
    worker_folder: Path | None = None,
    *,
    wrapping: WrappingKeys | None = None,
    backup_days: int = 0,
) -> Keyring:
    """What a program is given at its start: `worker_folder` for workers only, `wrapping` where a vault keeps the keys.

    Raises KeyringUnsafe or KeyMissing (say so at start, not at the first secret).
    """
    require_private_folder(folder)
    public, private = _read_public(folder), None
    if worker_folder is not None:
        require_private_folder(worker_folder)
        private = read_key(worker_folder / WORKER_KEY)
        if public_of(private) != public:
            raise KeyringUnsafe(
                f"{folder} and {worker_folder} are of two installations. Point both settings at one of them."
            )
    return Keyring(
        program=program,
        wrapping=wrapping or LocalKeys(folder),
        worker_public=public,
        cursor_key=read_key(folder / CURSOR_KEY),
        people_key=read_key(folder / PEOPLE_KEY),
        worker_private=private,
        backup_days=backup_days,
    )


def _read_public(folder: Path) -> bytes:
    try:
        found = _PUBLIC_FORM.fullmatch((folder / WORKER_PUBLIC).read_text("ascii"))
    except FileNotFoundError:
        raise KeyMissing(f"The keyring {folder} is not set up. Run `slipway doctor` to see why.") from None
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise KeyringUnsafe(f"{folder / WORKER_PUBLIC} is damaged. Restore it from the keyring's own backup.")
    return bytes.fromhex(found[1])
