"""Imports a tenant: everything is checked before anything is written, and nobody enters before everything is there.

Each step is repeatable. A part is one transaction, and rows that are there already stay as they are; so an import that
was killed goes on, and two at once do each other's work. The last step makes the tenant active, first in the cell.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

import psycopg

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.tenancy.bundles import archive
from app.tenancy.bundles.arrival import ARRIVING, Arrival, arrive, command_key, has_arrived, place_of_import
from app.tenancy.bundles.checking import check_sender, check_tables, read_entry, read_lines
from app.tenancy.bundles.documents import BLOBS, DIRECTORY, FILE_KEYS, KEYS, Part, digest, read_name
from app.tenancy.bundles.errors import BundleBroken, TenantIsHere
from app.tenancy.bundles.sealing import open_part
from app.tenancy.bundles.verification import CheckedBundle, open_bundle, verify_bundle
from app.tenancy.operations.leaving import ended_by_erasure
from app.tenancy.operations.listing import SEEDING, Wish, list_import
from app.vault.bundle_keys import BundleKeys
from app.vault.files.folder import FileFolder
from app.vault.files.moving import Arriving, FilesBroken
from app.vault.files.records import list_stored
from app.vault.keepers.wrapping import DESTROYED, KeyMissing, KeyState
from app.vault.keyring import Keyring
from tenants.moving.portable import TENANT, PortableTable, count_rows, portable_tables, write_rows
from tenants.registry import find_home
from tenants.schema.head import tenant_revision
from tenants.sessions import lookup_session, tenant_cursor
from tenants.tenant import Tenant

Progress = Callable[[str, int], None]
_PATIENCE: Final = ("SET LOCAL statement_timeout = '120s'", "SET LOCAL lock_timeout = '120s'")
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_DONE: Final = "SELECT 1 FROM command WHERE key = %s"


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """Which file, under which partner, and whose signature is trusted (a fingerprint).

    `plan`, `region`, `external_id`: as when a tenant is made here; what is None is not said (`Wish`).
    """

    path: Path
    organisation_id: UUID
    sender: str
    plan: str | None = None
    region: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """A tenant that has arrived."""

    tenant: Tenant
    rows: int
    secrets: bool


def import_tenant(
    runtime: Runtime,
    actor: Actor,
    keys: BundleKeys,
    request: ImportRequest,
    *,
    trace_id: str,
    tables: tuple[PortableTable, ...] | None = None,
    progress: Progress = lambda _table, _rows: None,
) -> Imported:
    """Make the bundle's tenant here, under the partner; called again after a kill, it goes on.

    A person needs the permission to import in the partner's home.
    Raises NotPermitted, BundleBroken, SenderUnknown, BundleForOthers, RevisionDiffers, HomeStays, TenantIsHere,
    KeyMissing when the tenant was erased here, TenantLeaves when it is erased meanwhile, what `list_import` raises.
    """
    _require(runtime, actor, request, trace_id=trace_id)
    known = portable_tables() if tables is None else tables
    with open_bundle(request.path) as file:
        checked = verify_bundle(file)
        check_sender(checked, keys, sender=request.sender)
        check_tables(checked, known, revision=tenant_revision())
        bundle = _Bundle(file, checked, keys)
        entry = read_entry(checked.header, bundle.lines_of(DIRECTORY))
        _refuse_erased(runtime, entry.id)
        said = {"plan": request.plan, "region": request.region, "external_id": request.external_id}
        listed = list_import(runtime, actor, entry, Wish(checked.header.bundle, request.organisation_id, **said))
        with ended_by_erasure(runtime, request.organisation_id, entry.id):
            tenant = place_of_import(runtime, entry, listed, request.organisation_id)
            if not has_arrived(runtime, actor, tenant, checked.header.bundle, trace_id=trace_id):
                _write(runtime, actor, tenant, bundle, known, progress)
                _write_files(runtime, actor, tenant, bundle, trace_id=trace_id)
            moved = bundle.lines_of(KEYS) if checked.header.secrets else []
            arrive(runtime, actor, tenant, Arrival(checked, moved, bundle.lines_of(FILE_KEYS)), trace_id=trace_id)
    return Imported(replace(tenant, state="active"), checked.rows, checked.header.secrets)


@dataclass(frozen=True, slots=True)
class _Bundle:
    """An open bundle that has been checked, and the keys that open its parts."""

    file: BinaryIO
    checked: CheckedBundle
    keys: BundleKeys

    def lines(self, part: Part) -> list[bytes]:
        """The lines of one part, which is still the one that was checked. Raises BundleBroken."""
        sealed = archive.read_content(self.file, self.checked.members[part.name])
        if digest(sealed) != part.sha256:
            raise BundleBroken(part.name, "it changed while it was imported.")
        return open_part(self.checked.header, part, sealed, self.keys.opening)

    def parts_of(self, path: str) -> list[Part]:
        """The parts of one table, in order."""
        named = ((read_name(part.name), part) for part in self.checked.manifest.parts)
        return [part for name, part in named if name is not None and name.path == path]

    def lines_of(self, path: str) -> list[bytes]:
        """All lines of what is small."""
        return [line for part in self.parts_of(path) for line in self.lines(part)]


def _require(runtime: Runtime, actor: Actor, request: ImportRequest, *, trace_id: str) -> None:
    """People ask the partner's policy; a job of the installation has been let in by whoever holds its keys."""
    if actor.kind == "job":
        return
    with lookup_session(runtime.databases) as (session, _now):
        home = find_home(session, request.organisation_id)
    if home is None:
        raise BundleBroken("--partner", "this organisation has no home yet, so nobody there may import.")
    with open_work(runtime, home, actor, trace_id=trace_id) as work:
        require(work, Permission.TENANT_IMPORT)


def _refuse_erased(runtime: Runtime, tenant_id: UUID) -> None:
    """Of an erased tenant no bundle brings the key back; asked before the directory knows of it. Raises KeyMissing."""
    if runtime.service(Keyring).wrapping.states().get(tenant_id) in {KeyState.DESTROYED, KeyState.RETURNED}:
        raise KeyMissing(DESTROYED)


def _write(
    runtime: Runtime,
    actor: Actor,
    tenant: Tenant,
    bundle: _Bundle,
    tables: tuple[PortableTable, ...],
    progress: Progress,
) -> None:
    """Every part that is not there yet, each in a transaction of its own, in the order of the tables."""
    for table in tables:
        there, rows = _count(runtime, actor, tenant, table), 0
        for part in bundle.parts_of(table.path):
            rows += part.rows
            if rows > there:  # parts are written in order, each whole or not at all
                lines = read_lines(part, table, tenant.id, bundle.lines(part))
                if not _write_part(runtime, actor, tenant, bundle, table, part, lines):
                    return
            progress(table.path, rows)


def _write_files(runtime: Runtime, actor: Actor, tenant: Tenant, bundle: _Bundle, *, trace_id: str) -> None:
    """The sealed bytes of its files, each whole before it has its address. Raises BundleBroken, FilesAway."""
    with closing(Arriving(runtime.service(FileFolder), tenant.id)) as arriving:
        try:
            for part in bundle.parts_of(BLOBS):
                for line in bundle.lines(part):
                    arriving.take(line)
            arriving.finish()
            with open_work(runtime, tenant, actor, trace_id=trace_id, states=ARRIVING) as work:
                arriving.require(list_stored(work.session))
        except FilesBroken as trouble:
            raise BundleBroken(BLOBS, trouble.message) from None


def _write_part(
    runtime: Runtime,
    actor: Actor,
    tenant: Tenant,
    bundle: _Bundle,
    table: PortableTable,
    part: Part,
    lines: list[bytes],
) -> bool:
    """Insert one part. False when another process has finished the import meanwhile: nothing is written after that."""
    with tenant_cursor(runtime.databases, tenant, actor=actor.label) as (cursor, _entered):
        for limit in _PATIENCE:
            cursor.execute(limit)
        cursor.execute(_LOCK, [str(tenant.id)])
        if cursor.execute(_DONE, [command_key(bundle.checked.header.bundle)]).fetchone():
            return False
        try:
            written = write_rows(cursor, table, lines)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as trouble:
            said = " ".join(str(trouble.diag.message_primary).split())
            raise BundleBroken(part.name, f"the database does not take its rows ({said}).") from None
        if table.group == TENANT and written not in {0, len(lines)}:
            raise BundleBroken(part.name, f"{len(lines) - written} of its rows are there already.")
    return True


def _count(runtime: Runtime, actor: Actor, tenant: Tenant, table: PortableTable) -> int:
    """How many rows have arrived. Not asked of the cell, whose tables a tenant cannot read: they take no row twice."""
    if table.group != TENANT:
        return 0
    with tenant_cursor(runtime.databases, tenant, actor=actor.label) as (cursor, entered):
        if entered.state != SEEDING:
            raise TenantIsHere("Another process has finished this import. Nothing was changed.")
        for limit in _PATIENCE:
            cursor.execute(limit)
        return count_rows(cursor, table)
