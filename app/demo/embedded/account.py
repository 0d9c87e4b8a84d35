"""Under which account the servers run: PostgreSQL refuses root and the nameless, and root's folders stay root's."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app.kernel.errors import Unavailable

NOBODY = 65534
NAMESPACE = ("unshare", "-U", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


class NoAccount(Unavailable):
    """We are root, user namespaces are refused, and another user could not enter the folder."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to start a server: words before its command, and the user to become (None: stay who we are)."""

    way: str
    prefix: tuple[str, ...] = ()
    uid: int | None = None

    @property
    def owner(self) -> int:
        """Who owns the servers' files, seen from outside."""
        return os.geteuid() if self.uid is None else self.uid

    def give(self, path: Path) -> None:
        """Hand a file or a whole folder of ours to the account, where it is not its own yet."""
        if path.lstat().st_uid == self.owner:
            return
        for folder, _, names in os.walk(path):
            for name in names:
                os.lchown(Path(folder) / name, self.owner, self.owner)
            os.lchown(folder, self.owner, self.owner)
        os.lchown(path, self.owner, self.owner)


def choose_account(root: Path, programs: Iterable[Path]) -> Account:
    """Ourselves; where PostgreSQL refuses us a user namespace; for root, else, nobody. Raises NoAccount."""
    if os.geteuid() != 0 and _has_a_name(os.geteuid()):
        return Account("as yourself")
    if namespace_works():
        return Account("in a user namespace", prefix=NAMESPACE)
    if os.geteuid() != 0:
        raise NoAccount(
            f"PostgreSQL does not run as user {os.geteuid()}, whom this machine does not know, and user namespaces are "
            "refused. Add it to /etc/passwd, or use a server of your own: SLIPWAY_CONTROL_URL and SLIPWAY_CELL_URL."
        )
    closed = first_closed([root.parent, *programs])
    if closed is None:
        return Account("as nobody", uid=NOBODY)
    raise NoAccount(
        f"PostgreSQL does not run as root, this machine refuses user namespaces, and nobody may not enter {closed}. "
        "Run Slipway as an ordinary user, or use a server of your own: SLIPWAY_CONTROL_URL and SLIPWAY_CELL_URL."
    )


def _has_a_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False  # a container started under a bare number: initdb looks the name up and gives up
    return True


def namespace_works() -> bool:
    """Whether we may start a program in a user namespace of its own here."""
    if shutil.which(NAMESPACE[0]) is None:
        return False
    return subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def first_closed(paths: Iterable[Path]) -> Path | None:
    """The first folder on the way to these paths that others may not enter."""
    for path in paths:
        for folder in reversed([path.resolve(), *path.resolve().parents]):
            if folder.is_dir() and not folder.stat().st_mode & stat.S_IXOTH:
                return folder
    return None
