"""One runtime folder (`.slipway`): its places, lock and passwords, and sockets that fit. It touches no other folder."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
from pathlib import Path

from app.demo.embedded.account import NOBODY, Account
from app.kernel.errors import Conflict, Unavailable

SOCKET_PATH_LIMIT = 107
LONGEST_SOCKET = ".s.PGSQL.5432"


class AlreadyRunning(Conflict):
    """Another run holds the folder. `pid` is that run's, 0 where it has not said yet."""

    def __init__(self, root: Path, pid: int) -> None:
        super().__init__(f"Slipway already runs in {root} (pid {pid}). Stop that run first, or use another folder.")
        self.pid = pid


class FolderUnusable(Unavailable):
    """The runtime folder, or the one for its sockets, cannot be made ours."""


class RuntimeFolder:
    """The places of one run. Everything in it is ours to make, chmod and remove."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.postgres = self.root / "pg"
        self.valkey = self.root / "valkey"
        self.children = self.root / "pids.json"
        self._lock: int | None = None

    def prepare(self) -> None:
        """Make the folder, 0700. Raises FolderUnusable."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FolderUnusable(f"{self.root} cannot be made: {error.strerror}. Use a folder you may write.") from None
        if self.root.is_symlink() or self.root.stat().st_uid != os.geteuid():
            raise FolderUnusable(f"{self.root} is not yours. Remove it, or run as its owner.")
        self.root.chmod(0o700)

    def open_to(self, account: Account) -> None:
        """Let the servers' account through to its own folders, and make these."""
        self.root.chmod(0o700 if account.uid is None else 0o711)
        self.valkey.mkdir(mode=0o700, exist_ok=True)
        account.give(self.valkey)
        sockets = self.sockets
        sockets.mkdir(mode=0o700, exist_ok=True)
        if not is_private(sockets):
            raise FolderUnusable(f"{sockets} is someone else's or open to others. Remove it, or set TMPDIR elsewhere.")
        account.give(sockets)

    @property
    def sockets(self) -> Path:
        """Where the sockets are: inside the folder, or a short private folder when that path would be too long."""
        inside = self.root / "run"
        if fits(inside):
            return inside
        name = f"slipway-{os.geteuid()}-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]}"
        for temporary in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - its owner and mode are checked before use
            if fits(Path(temporary).absolute() / name):
                return Path(temporary).absolute() / name
        raise FolderUnusable("No temporary folder has a path short enough for a socket. Set TMPDIR to a shorter one.")

    def remove_sockets(self) -> None:
        """Take the sockets away, also those of a killed run; what is not private and ours is left alone."""
        sockets = self.sockets
        if not sockets.exists() or not is_private(sockets):
            return
        for left in sockets.iterdir():
            left.unlink()
        sockets.rmdir()

    def lock(self) -> None:
        """Hold the folder until `unlock` or our death, however it comes. Raises AlreadyRunning."""
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise AlreadyRunning(self.root, self.holder()) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def unlock(self) -> None:
        """Let the next run have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def locked(self) -> bool:
        """Whether the folder is ours at this moment."""
        return self._lock is not None

    def holder(self) -> int:
        """The pid that the lock's last holder wrote; 0 when there is none."""
        try:
            return int((self.root / "lock").read_text() or 0)
        except (OSError, ValueError):
            return 0

    def passwords(self, *users: str) -> dict[str, str]:
        """One password for each database user, generated once and kept where only we can read it."""
        path = self.root / "passwords.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if not set(users) <= set(known):
            known |= {user: secrets.token_urlsafe(24) for user in users if user not in known}
            write_private(path, json.dumps(known))
        return known


def is_private(folder: Path) -> bool:
    """Whether this is a folder, no link, that only we (or, for root, the servers' account) may enter."""
    found = folder.lstat()
    owners = {os.geteuid(), NOBODY} if os.geteuid() == 0 else {os.geteuid()}
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077


def fits(sockets: Path) -> bool:
    """Whether the longest socket in this folder stays below the system's limit; a comma parts two hosts to libpq."""
    return len(os.fsencode(sockets / LONGEST_SOCKET)) <= SOCKET_PATH_LIMIT and "," not in str(sockets)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only: a reader sees the old text or the new one."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with open(new, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
