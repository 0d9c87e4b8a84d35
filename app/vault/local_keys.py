"""The local keyring: one file a tenant in a folder outside every database and its backups. No database, no network."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from app.kernel.errors import Missing, Unavailable
from app.vault import envelope
from app.vault.secret import Secret

KEY_BYTES: Final = 32
_FORM: Final = re.compile(rb"v1:([0-9a-f]{64})\n")
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyringUnsafe(Unavailable):
    """The keyring can be read or changed by somebody else, or is damaged: it is not used until that is mended."""


class KeyMissing(Missing):
    """The tenant has no wrapping key here: never created, or destroyed for good."""


class LocalKeys:
    """Wrapping keys in a folder (mode 0700, files 0600). Safe for many threads and programs at once.

    A key appears whole or not at all: it is written to a file of its own, synced, then linked to its name, which only
    one of several creators can do. A destroyed key leaves a marker, so that a late creator cannot bring it back.
    Raises KeyringUnsafe when the folder is not there or others may enter it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        require_private_folder(folder)

    def create(self, tenant_id: UUID) -> None:
        """Make the tenant's wrapping key unless there is one. Raises KeyMissing when it was destroyed."""
        require_private_folder(self._folder)
        self._refuse_destroyed(tenant_id)
        write_once(self._path(tenant_id), f"v1:{secrets.token_hex(KEY_BYTES)}\n".encode())
        if self._marker(tenant_id).exists():  # destroyed while we created
            self.destroy(tenant_id)
            self._refuse_destroyed(tenant_id)

    def wrap(self, tenant_id: UUID, secret: Secret, *, purpose: str) -> bytes:
        """Seal a key of the tenant under its wrapping key, for this purpose only."""
        return envelope.seal(self._key(tenant_id), self._place(tenant_id, purpose), secret)

    def unwrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> Secret:
        """Open what `wrap` gave. Raises KeyMissing, KeyringUnsafe, SecretUnreadable."""
        return envelope.open_sealed(self._key(tenant_id), self._place(tenant_id, purpose), wrapped)

    def destroy(self, tenant_id: UUID) -> None:
        """Destroy the key for good, whatever it wrapped can never be read again. Repeatable."""
        require_private_folder(self._folder)
        write_once(self._marker(tenant_id), b"destroyed\n")
        with suppress(FileNotFoundError):
            self._path(tenant_id).unlink()
        sync_folder(self._folder)

    def _key(self, tenant_id: UUID) -> Secret:
        require_private_folder(self._folder)
        self._refuse_destroyed(tenant_id)
        return read_key(self._path(tenant_id))

    def _refuse_destroyed(self, tenant_id: UUID) -> None:
        if self._marker(tenant_id).exists():
            raise KeyMissing("The key of this workspace was destroyed; its secrets and files can never be read again.")

    def _path(self, tenant_id: UUID) -> Path:
        return self._folder / f"{tenant_id}.key"

    def _marker(self, tenant_id: UUID) -> Path:
        return self._folder / f"{tenant_id}.destroyed"

    @staticmethod
    def _place(tenant_id: UUID, purpose: str) -> envelope.Place:
        return envelope.Place(parts=("wrapping", str(tenant_id), purpose), key_version=1)


def require_private_folder(folder: Path) -> None:
    """Raises KeyringUnsafe unless this is a real folder of ours that nobody else may enter."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        raise KeyringUnsafe(f"The keyring folder {folder} is not there. Run `slipway doctor` to see why.") from None
    if not stat.S_ISDIR(found.st_mode):
        raise KeyringUnsafe(f"The keyring {folder} is not a folder. Point the setting at the real folder.")
    _require_private(folder, found, "700")


def _require_private(path: Path, found: os.stat_result, mode: str) -> None:
    if found.st_uid not in {0, os.geteuid()}:
        raise KeyringUnsafe(f"{path} belongs to somebody else. Give it to the user that runs Slipway.")
    if found.st_mode & _OTHERS:
        raise KeyringUnsafe(f"{path} is open to other users. Run: chmod {mode} {path}")


def make_private_folder(folder: Path) -> None:
    """Make the folder, mode 0700, unless it is there; an existing one is checked, never changed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        sync_folder(folder.parent)
    require_private_folder(folder)


def write_once(path: Path, content: bytes) -> bool:
    """Put a 0600 file there, whole and synced, unless one is there already. Returns whether it was ours."""
    waiting = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(waiting, path, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        waiting.unlink()
        sync_folder(path.parent)
    return True


def read_key(path: Path) -> Secret:
    """The 32 bytes of a key file. Raises KeyMissing, or KeyringUnsafe for lax modes, links and damage."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyMissing("This workspace has no key in the keyring. Restore the keyring, or create the key.") from None
    except OSError as trouble:
        raise KeyringUnsafe(f"The key file {path.name} cannot be opened: {trouble.strerror}.") from None
    with os.fdopen(descriptor, "rb") as file:
        _require_private(path, os.fstat(file.fileno()), "600")
        found = _FORM.fullmatch(file.read(KEY_BYTES * 4))
        if found is None:
            raise KeyringUnsafe(f"The key file {path.name} is damaged. Restore it from the keyring's own backup.")
        return Secret(bytes.fromhex(found[1].decode()))


def sync_folder(folder: Path) -> None:
    """Make the folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
