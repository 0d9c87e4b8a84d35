"""Whether directory, cells, schemas, roles and rights agree: the installation as a whole, not one server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import psycopg

from app.demo.checks.finding import Finding, Patient
from app.demo.checks.servers import CELL, CONTROL, MORE_CELLS
from app.demo.embedded.folder import LONGEST_SOCKET, FolderUnusable, RuntimeFolder
from app.demo.embedded.postgres import DATABASES, OWNER
from app.settings.values import database_url
from tenants.consistency import Examined, examine_installation
from tenants.schema.install import read_key
from tenants.sessions import DatabaseAway

MAIN_CELL = "main"
SHOWN = 20  # lines of one kind; the rest is counted


def consistency(patient: Patient) -> Iterator[Finding]:
    """One line where everything agrees, else one for each orphan or contradiction. Keys are looked at elsewhere."""
    try:
        urls = _own(patient.environ) or _embedded(patient)
        if urls is None:
            return
        control, cells = urls
        examined = examine_installation(read_key(control), control_url=control, cell_urls=cells)
    except LookupError:
        yield Finding("Consistency", True, "nothing is installed yet")
    except (ValueError, psycopg.Error, DatabaseAway, FolderUnusable) as error:
        mend = "Mend the lines about the servers first."
        yield Finding("Consistency", False, " ".join(str(error).split()) or "no answer", mend, required=False)
    else:
        yield from _findings(examined)


def _findings(examined: Examined) -> Iterator[Finding]:
    if examined.unknown:
        names = ", ".join(examined.unknown)
        said = f"no URL for the cell {names}: its tenants were not looked at"
        yield Finding("Consistency", False, said, f"Set SLIPWAY_CELL_{examined.unknown[0].upper()}_URL.")
    elif not examined.troubles:
        said = f"{examined.tenants} tenants, {len(examined.cells)} cells: directory, schemas, roles and rights agree"
        yield Finding("Consistency", True, said)
    seen: Counter[str] = Counter()
    for trouble in examined.troubles:
        seen[trouble.kind] += 1
        if seen[trouble.kind] <= SHOWN:
            yield Finding(f"Consistency: {trouble.kind}", False, f"{trouble.subject} {trouble.said}", trouble.mend)
    for kind, number in seen.items():
        if number > SHOWN:
            yield Finding(f"Consistency: {kind}", False, f"and {number - SHOWN} more", "As above.")


def _own(environ: Mapping[str, str]) -> tuple[str, dict[str, str]] | None:
    if not environ.get(CONTROL) or not environ.get(CELL):
        return None
    cells = {MAIN_CELL: database_url(environ[CELL])}
    for name, url in environ.items():
        if MORE_CELLS.fullmatch(name) and url:
            cells[name.removeprefix("SLIPWAY_CELL_").removesuffix("_URL").lower()] = database_url(url)
    return database_url(environ[CONTROL]), cells


def _embedded(patient: Patient) -> tuple[str, dict[str, str]] | None:
    """The servers of a run in this folder, where one is up."""
    folder = RuntimeFolder(patient.folder)
    if not (folder.root / "passwords.json").exists() or not (folder.sockets / LONGEST_SOCKET).exists():
        return None
    login = f"{OWNER}:{quote(folder.passwords(OWNER)[OWNER])}"
    host = quote(str(folder.sockets), safe="")
    control, cell = (f"postgresql://{login}@/{database}?host={host}" for database in DATABASES)
    return control, {MAIN_CELL: cell}
