"""The local keyring: one file a tenant in a folder outside every database and its backups. No database, no network."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from app.vault import envelope
from app.vault.keepers.wrapping import DESTROYED, DISABLED, RETIRED, KeyMissing, KeyringUnsafe, KeysDisabled, KeyState
from app.vault.secret import Secret

KEY_BYTES: Final = 32
# The first version of a key is `v1:<hex>`, as it always was; a later one names its number: `v2:<number>:<hex>`.
_FIRST: Final = re.compile(rb"v1:([0-9a-f]{64})\n")
_LATER: Final = re.compile(rb"v2:([1-9][0-9]{0,8}):([0-9a-f]{64})\n")
_MOST_BYTES: Final = 1 << 16
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class LocalKeys:
    """Wrapping keys in a folder (mode 0700, files 0600). Safe for many threads and programs at once.

    A key appears whole or not at all: it is written to a file of its own, synced, then linked to its name; whoever
    changes something in the folder holds its lock. A destroyed key leaves a marker, so that a late creator cannot bring
    it back; a disabled one has a marker beside it until it is enabled. No key is kept in memory: each call reads the
    folder anew, so that a marker acts at once, everywhere.
    Raises KeyringUnsafe when the folder is not there or others may enter it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        require_private_folder(folder)

    def create(self, tenant_id: UUID) -> None:
        """Make the tenant's wrapping key unless there is one. Raises KeyMissing when it was destroyed."""
        with self._changing(tenant_id):
            self._refuse_destroyed(tenant_id)
            write_once(self._path(tenant_id), _line(1, secrets.token_bytes(KEY_BYTES)), waiting=self._half(tenant_id))

    def wrap(self, tenant_id: UUID, secret: Secret, *, purpose: str) -> bytes:
        """Seal a key of the tenant under the newest version of its wrapping key, for this purpose only."""
        keys = self._keys(tenant_id)
        number = max(keys)
        return envelope.seal(keys[number], _place(tenant_id, purpose, number), secret)

    def unwrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> Secret:
        """Open what `wrap` gave. Raises KeyMissing, KeysDisabled, KeyringUnsafe, SecretUnreadable."""
        keys = self._keys(tenant_id)
        number = self.version_of(wrapped)
        if number < min(keys):
            raise KeyMissing(RETIRED)
        if number not in keys:
            raise envelope.SecretUnreadable
        return envelope.open_sealed(keys[number], _place(tenant_id, purpose, number), wrapped)

    def rewrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> bytes:
        """The same key under the newest version. Raises what `unwrap` raises."""
        return self.wrap(tenant_id, self.unwrap(tenant_id, wrapped, purpose=purpose), purpose=purpose)

    def version_of(self, wrapped: bytes) -> int:
        """Which version sealed this. Raises SecretUnreadable."""
        return envelope.read_key_version(wrapped)

    def newest(self, tenant_id: UUID) -> int:
        """The newest version. Raises KeyMissing, KeysDisabled, KeyringUnsafe."""
        return max(self._keys(tenant_id))

    def rotate(self, tenant_id: UUID, *, beyond: int) -> int:
        """Add a version unless there is one above `beyond`; older ones still open. Returns the newest."""
        with self._changing(tenant_id):
            keys = self._keys(tenant_id)
            newest = max(keys)
            if newest > beyond:
                return newest
            self._replace(tenant_id, keys | {newest + 1: Secret(secrets.token_bytes(KEY_BYTES))})
        return newest + 1

    def retire(self, tenant_id: UUID, *, below: int) -> None:
        """Destroy the versions below this one; the newest always stays."""
        with self._changing(tenant_id):
            keys = self._keys(tenant_id)
            kept = {number: key for number, key in keys.items() if number >= min(below, max(keys))}
            if kept != keys:
                self._replace(tenant_id, kept)

    def disable(self, tenant_id: UUID) -> None:
        """Put the marker beside the key. Raises KeyMissing when there is no key."""
        with self._changing(tenant_id):
            self._require_key(tenant_id)
            write_once(self._marker(tenant_id, KeyState.DISABLED), b"disabled\n")

    def enable(self, tenant_id: UUID) -> None:
        """Take the marker away. Raises KeyMissing when there is no key."""
        with self._changing(tenant_id):
            self._require_key(tenant_id)
            self._marker(tenant_id, KeyState.DISABLED).unlink(missing_ok=True)

    def destroy(self, tenant_id: UUID) -> None:
        """Destroy the key for good, whatever it wrapped can never be read again. Repeatable."""
        with self._changing(tenant_id):
            write_once(self._marker(tenant_id, KeyState.DESTROYED), b"destroyed\n")
            self._path(tenant_id).unlink(missing_ok=True)
            self._marker(tenant_id, KeyState.DISABLED).unlink(missing_ok=True)

    def states(self) -> dict[UUID, KeyState]:
        """Every tenant that has a file here. A key beside the marker of its destruction came back from a backup."""
        require_private_folder(self._folder)
        found: dict[str, set[UUID]] = {ending: set() for ending in ("key", KeyState.DISABLED, KeyState.DESTROYED)}
        for path in self._folder.iterdir():
            name, _dot, ending = path.name.partition(".")
            with suppress(ValueError):
                found.get(ending, set()).add(UUID(name))
        states = dict.fromkeys(found["key"], KeyState.ACTIVE)
        states |= dict.fromkeys(found["key"] & found[KeyState.DISABLED], KeyState.DISABLED)
        states |= dict.fromkeys(found[KeyState.DESTROYED], KeyState.DESTROYED)
        return states | dict.fromkeys(found["key"] & found[KeyState.DESTROYED], KeyState.RETURNED)

    def _keys(self, tenant_id: UUID) -> dict[int, Secret]:
        require_private_folder(self._folder)
        self._refuse_destroyed(tenant_id)
        if self._marker(tenant_id, KeyState.DISABLED).exists():
            raise KeysDisabled(DISABLED)
        return read_keys(self._path(tenant_id))

    def _require_key(self, tenant_id: UUID) -> None:
        self._refuse_destroyed(tenant_id)
        read_keys(self._path(tenant_id))

    def _replace(self, tenant_id: UUID, keys: dict[int, Secret]) -> None:
        """The file with these versions takes the old one's place, whole."""
        waiting = self._half(tenant_id)
        write_file(waiting, b"".join(_line(number, keys[number].reveal_bytes()) for number in sorted(keys)))
        waiting.replace(self._path(tenant_id))

    @contextmanager
    def _changing(self, tenant_id: UUID) -> Iterator[None]:
        """Alone in the folder. What a killed predecessor left half written of this key is removed; all is synced.

        Its name is always the same, so that nobody has to read a folder of 10,000 keys to find it.
        """
        require_private_folder(self._folder)
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._half(tenant_id).unlink(missing_ok=True)
            yield
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _refuse_destroyed(self, tenant_id: UUID) -> None:
        if self._marker(tenant_id, KeyState.DESTROYED).exists():
            raise KeyMissing(DESTROYED)

    def _path(self, tenant_id: UUID) -> Path:
        return self._folder / f"{tenant_id}.key"

    def _half(self, tenant_id: UUID) -> Path:
        """Where a key is while it is written; only who holds the folder's lock writes there."""
        return self._folder / f".{tenant_id}.key.half"

    def _marker(self, tenant_id: UUID, state: KeyState) -> Path:
        return self._folder / f"{tenant_id}.{state}"


def _place(tenant_id: UUID, purpose: str, number: int) -> envelope.Place:
    return envelope.Place(parts=("wrapping", str(tenant_id), purpose), key_version=number)


def _line(number: int, key: bytes) -> bytes:
    return (f"v1:{key.hex()}\n" if number == 1 else f"v2:{number}:{key.hex()}\n").encode()


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


def write_once(path: Path, content: bytes, *, waiting: Path | None = None) -> bool:
    """Put a 0600 file there, whole and synced, unless one is there already. Returns whether it was ours.

    `waiting` is where it is written first, for a caller that nobody else can be beside.
    """
    waiting = waiting or path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        write_file(waiting, content)
        os.link(waiting, path, follow_symlinks=False)
    except FileExistsError:
        return False
    finally:
        waiting.unlink(missing_ok=True)
        sync_folder(path.parent)
    return True


def write_file(path: Path, content: bytes) -> None:
    """A new 0600 file, synced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_key(path: Path) -> Secret:
    """The 32 bytes of a file with one key. Raises KeyMissing, or KeyringUnsafe for lax modes, links and damage."""
    keys = read_keys(path)
    if set(keys) != {1}:
        raise _damaged(path)
    return keys[1]


def read_keys(path: Path) -> dict[int, Secret]:
    """Every version in a key file, by its number. Raises KeyMissing, or KeyringUnsafe for lax modes, links, damage."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        raise KeyMissing("This workspace has no key in the keyring. Restore the keyring, or create the key.") from None
    except OSError as trouble:
        raise KeyringUnsafe(f"The key file {path.name} cannot be opened: {trouble.strerror}.") from None
    keys: dict[int, Secret] = {}
    with os.fdopen(descriptor, "rb") as file:
        _require_private(path, os.fstat(file.fileno()), "600")
        for line in file.read(_MOST_BYTES).splitlines(keepends=True):
            number, key = _read_line(path, line)
            if number <= max(keys, default=0):  # each number once, in order
                raise _damaged(path)
            keys[number] = key
    if not keys:
        raise _damaged(path)
    return keys


def _read_line(path: Path, line: bytes) -> tuple[int, Secret]:
    if first := _FIRST.fullmatch(line):
        return 1, Secret(bytes.fromhex(first[1].decode()))
    later = _LATER.fullmatch(line)
    if later is None:
        raise _damaged(path)
    return int(later[1]), Secret(bytes.fromhex(later[2].decode()))


def _damaged(path: Path) -> KeyringUnsafe:
    return KeyringUnsafe(f"The key file {path.name} is damaged. Restore it from the keyring's own backup.")


def sync_folder(folder: Path) -> None:
    """Make the folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
