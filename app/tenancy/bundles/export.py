"""Exports a tenant: it is held still, its rows are read in its own scope, sealed and signed; then it goes on.

Held still rather than read from one snapshot, since a snapshot ends with its connection: what was written before a kill
would not fit what is read after it. While the tenant's state is `exporting` nothing of it changes, in no process, so
parts of yesterday and of today are of one moment (`tenants/moving/freezing.py` says why).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from sqlalchemy import select, text

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.tenancy.bundles.documents import BLOBS, DIRECTORY, FILE_KEYS, FORMAT, KEYS, Header, TableShape
from app.tenancy.bundles.errors import ExportUnderWay, FileInTheWay, HomeStays, SecretsStay, TenantBusy
from app.tenancy.bundles.history import last_export
from app.tenancy.bundles.packing import pack
from app.tenancy.bundles.verification import verify_file
from app.tenancy.bundles.writing import BundleWriter, open_writer, publish
from app.tenancy.events import ExportBegan, ExportEnded
from app.vault.bundle_keys import BundleKeys, write_bundle_key
from app.vault.files.folder import FileFolder
from app.vault.files.moving import blob_lines
from app.vault.files.records import list_stored
from app.vault.keyring import Keyring
from app.vault.operations import take_keys
from app.vault.operations.file_keys import take_file_keys
from tenants.models import TenantEntry
from tenants.moving.freezing import StillWorking, await_idle, await_writers, move_state
from tenants.moving.portable import TENANT, PortableTable, portable_tables, read_rows
from tenants.schema.head import tenant_revision
from tenants.sessions import dispatcher_session, partner_session, tenant_cursor
from tenants.tenant import Tenant

EXPORTING: Final = "exporting"
_MAY_BEGIN: Final = frozenset({"active", "suspended", EXPORTING})
_ENDED: Final = "written"
_IDLE: Final = 10.0  # seconds that running jobs get to end by themselves
_WRITERS: Final = 30.0  # seconds for transactions that had begun; each statement of theirs has five
_DIRECTORY_ENTRY: Final = select(
    *(TenantEntry.id, TenantEntry.kind, TenantEntry.name),
    *(TenantEntry.external_id, TenantEntry.service_package, TenantEntry.limits),
)
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported to whom. `stays`: the tenant moves, so it does no work here afterwards."""

    tenant: Tenant
    recipient: bytes
    secrets: bool
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished bundle."""

    bundle: UUID
    rows: int
    manifest_sha256: str


def export_tenant(
    runtime: Runtime,
    actor: Actor,
    keys: BundleKeys,
    request: ExportRequest,
    path: Path,
    *,
    trace_id: str,
    tables: tuple[PortableTable, ...] | None = None,
    progress: Progress = lambda _table, _rows: None,
) -> Exported:
    """Write the tenant's bundle to `path`; called again after a kill, it goes on where it was.

    A person needs the permission to export and gets no secrets; whoever else calls has the installation's keys.
    Raises NotPermitted, SecretsStay, HomeStays, ExportUnderWay, FileInTheWay, TenantBusy, RowTooLarge, KeyMissing.
    """
    if request.tenant.kind == "home":
        raise HomeStays("A home is part of its installation: only customers' workspaces and sandboxes are exported.")
    if request.secrets and actor.kind != "job":
        raise SecretsStay("Secrets are exported by an operator on the command line, never by a person's request.")
    if path.exists():
        return _conclude(runtime, actor, request, path, trace_id=trace_id)
    run = _Export(runtime, actor, request, trace_id, portable_tables() if tables is None else tables, progress)
    with open_writer(path, run.header(keys)) as writer:
        run.begin(writer)
        run.write(writer)
        manifest_sha256 = run.close(writer, keys)
        publish(path)
    exported = Exported(writer.header.bundle, sum(run.counted(writer)), manifest_sha256)
    run.end(exported)
    return exported


def cancel_export(runtime: Runtime, actor: Actor, tenant: Tenant, *, trace_id: str) -> bool:
    """Let a tenant that is held still for a bundle go on with its work; the unfinished file is worth nothing then.

    Returns whether there was one to cancel. Raises NotPermitted.
    """
    with open_work(runtime, tenant, actor, trace_id=trace_id, states=_MAY_BEGIN) as work:
        _require(work)
        held, last = _state(work) == EXPORTING, last_export(work.session)
        if last is not None and (last.open or held):
            work.record(ExportEnded(subject_id=last.bundle, outcome="cancelled", was=last.was, stays=False))
    if last is None or not (last.open or held):
        return False
    move_state(runtime.databases, tenant, before=[EXPORTING], after=last.was)
    return True


@dataclass(frozen=True, slots=True)
class _Export:
    """One run of an export."""

    runtime: Runtime
    actor: Actor
    request: ExportRequest
    trace_id: str
    tables: tuple[PortableTable, ...]
    progress: Progress

    def header(self, keys: BundleKeys) -> Header:
        """What a new bundle would begin with. Whoever may not export, or lacks the keys, leaves no trace."""
        databases, tenant = self.runtime.databases, self.request.tenant
        if self.request.secrets:
            self.runtime.service(Keyring).require_worker_key()
        with self._work(_MAY_BEGIN) as work:
            _require(work)
            began = work.database_now.isoformat()
        return Header(
            format=FORMAT,
            bundle=new_id(),
            tenant=tenant.id,
            revision=tenant_revision(),
            installation=databases.key.id,
            signer=keys.signer,
            recipient=self.request.recipient,
            secrets=self.request.secrets,
            began_at=began,
        )

    def begin(self, writer: BundleWriter) -> None:
        """Say so in the trail, then hold the tenant still. A later run finds it still and goes on."""
        with self._work(_MAY_BEGIN) as work:
            _require(work)
            state, last = _state(work), last_export(work.session)
            mine = last is not None and last.open and last.bundle == writer.header.bundle
            if state == EXPORTING and not mine:
                raise ExportUnderWay(
                    "This workspace is being exported into another file. Go on with that file, or cancel that export."
                )
            if state != EXPORTING and writer.parts:
                raise ExportUnderWay(
                    "This export was cancelled, and the workspace has worked since. Remove the unfinished file."
                )
            if not mine:
                work.record(self._began(writer, state))
        self._hold_still()

    def write(self, writer: BundleWriter) -> None:
        """Every table from where the file ends, then the directory's entry and the keys."""
        left = {table.path for table in self._tables()}
        if writer.parts:  # tables before the last one that has a part are whole, the empty ones too
            last = writer.parts[-1].name.rsplit("/", 1)[0]
            paths = [table.path for table in self._tables()]
            left = set(paths[paths.index(last) :]) if last in paths else set()
        for table in self._tables():
            if table.path in left:
                self._write_table(writer, table)
        self._write_files(writer)
        writer.add(DIRECTORY, [msgspec.json.encode(self._entry())])
        if self.request.secrets:
            with self._reading() as work:
                writer.add(KEYS, take_keys(work.session, self.runtime.service(Keyring), work.tenant.id))

    def close(self, writer: BundleWriter, keys: BundleKeys) -> str:
        """Sign it, unless somebody has let the tenant go meanwhile. Returns the manifest's hash."""
        self._require_mine(writer)
        shapes = [
            TableShape(t.path, list(t.columns), list(t.types), list(t.key), writer.rows[t.path]) for t in self._tables()
        ]
        return writer.close(shapes, keys)

    def counted(self, writer: BundleWriter) -> Iterable[int]:
        """The rows of each table."""
        return (writer.rows[table.path] for table in self._tables())

    def end(self, exported: Exported) -> None:
        """Say so in the trail and let the tenant go on, or stay where it is when it moves. Repeatable."""
        with self._work(_MAY_BEGIN) as work:
            last = last_export(work.session)
            if last is None or last.bundle != exported.bundle:
                return
            if last.open:
                work.record(
                    ExportEnded(
                        subject_id=exported.bundle,
                        outcome=_ENDED,
                        was=last.was,
                        stays=last.stays,
                        rows=exported.rows,
                        manifest_sha256=exported.manifest_sha256,
                    )
                )
        if not last.stays:
            move_state(self.runtime.databases, self.request.tenant, before=[EXPORTING], after=last.was)

    def _tables(self) -> list[PortableTable]:
        return [table for table in self.tables if self.request.secrets or not table.sealed]

    def _write_table(self, writer: BundleWriter, table: PortableTable) -> None:
        tenant, skip = self.request.tenant, writer.rows[table.path]
        self._require_mine(writer)
        whole = self.request.secrets
        with (
            self._cursor(table) as cursor,
            closing(read_rows(cursor, table, tenant.id, skip=skip, whole=whole)) as rows,
        ):
            pack(writer, table.path, rows, self.progress)

    def _write_files(self, writer: BundleWriter) -> None:
        """What is in files, as it is sealed; and, where the tenant's keys stay behind, the key of each."""
        self._require_mine(writer)
        tenant, folder, keys = self.request.tenant, self.runtime.service(FileFolder), list[bytes]()
        with self._reading() as work:
            files = list_stored(work.session)
            if files and not self.request.secrets:
                keys = take_file_keys(work, self.runtime.service(Keyring))
        lines = blob_lines(folder, tenant.id, files, skip=writer.rows[BLOBS])
        pack(writer, BLOBS, lines, self.progress)
        if keys:
            writer.add(FILE_KEYS, keys)

    @contextmanager
    def _cursor(self, table: PortableTable) -> Iterator[psycopg.Cursor[Any]]:
        """In the tenant's scope; tables of the cell, which no tenant may read, in the dispatcher's."""
        databases, tenant = self.runtime.databases, self.request.tenant
        if table.group == TENANT:
            with tenant_cursor(databases, tenant, actor=self.actor.label) as (cursor, _entered):
                yield cursor
            return
        with dispatcher_session(databases, tenant.cell, actor="export") as (session, _now):
            driver: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]  # psycopg's own
            yield driver.cursor()

    def _entry(self) -> dict[str, object]:
        tenant = self.request.tenant
        with partner_session(self.runtime.databases, tenant.organisation_id, actor=self.actor.label) as (session, _now):
            return session.execute(_DIRECTORY_ENTRY.where(TenantEntry.id == tenant.id)).one()._asdict()

    def _began(self, writer: BundleWriter, state: str) -> Event:
        header = writer.header
        return ExportBegan(
            subject_id=header.bundle,
            to=write_bundle_key(header.recipient),
            secrets=header.secrets,
            was=state,
            stays=self.request.stays,
        )

    def _hold_still(self) -> None:
        """First the jobs, which should end by themselves; then the state; then whatever had begun before it."""
        databases, tenant = self.runtime.databases, self.request.tenant
        with partner_session(databases, tenant.organisation_id, actor=self.actor.label) as (session, _now):
            behind = session.scalars(select(TenantEntry.behind).where(TenantEntry.id == tenant.id)).one_or_none()
        if behind:  # the cell's state is not the one that the tenant should come back to
            raise TenantBusy("Another change of this workspace is being carried out. Export it in a moment.")
        await_idle(databases, tenant, seconds=_IDLE)
        if not move_state(databases, tenant, before=["active", "suspended"], after=EXPORTING):
            raise ExportUnderWay("This workspace is on its way out. Nothing was exported.")
        try:
            await_writers(databases, tenant, seconds=_WRITERS)
        except StillWorking:
            raise TenantBusy(
                "Work that began before the export is still under way. Call the export again in a moment, or cancel it."
            ) from None

    def _require_mine(self, writer: BundleWriter) -> None:
        """The tenant is held still, and for this bundle: then it has been since this export began."""
        with self._reading() as work:
            last = last_export(work.session)
            if last is None or not last.open or last.bundle != writer.header.bundle:
                raise ExportUnderWay("This workspace is being exported into another file by now. This one ends here.")

    def _reading(self) -> AbstractContextManager[Work]:
        return self._work(frozenset({EXPORTING}))

    def _work(self, states: frozenset[str]) -> AbstractContextManager[Work]:
        return open_work(self.runtime, self.request.tenant, self.actor, trace_id=self.trace_id, states=states)


def _conclude(runtime: Runtime, actor: Actor, request: ExportRequest, path: Path, *, trace_id: str) -> Exported:
    """The file is whole: a run that was killed right after has left the tenant still."""
    checked = verify_file(path)
    with open_work(runtime, request.tenant, actor, trace_id=trace_id, states=_MAY_BEGIN) as work:
        _require(work)
        last = last_export(work.session)
        state = _state(work)
    if checked.header.tenant != request.tenant.id or last is None or last.bundle != checked.header.bundle:
        raise FileInTheWay(f"{path} is there already. Name another file.")
    exported = Exported(checked.header.bundle, checked.rows, checked.manifest_sha256)
    if state == EXPORTING:
        run = _Export(runtime, actor, request, trace_id, (), lambda _table, _rows: None)
        run.end(exported)
    return exported


def _require(work: Work) -> None:
    """People ask the tenant's own policy; a job of the installation has been let in by whoever holds its keys."""
    if work.actor.kind != "job":
        require(work, Permission.TENANT_EXPORT)


def _state(work: Work) -> str:
    """The state that this very transaction entered the tenant in."""
    return str(work.session.execute(text("SELECT state FROM cell.enter()")).scalar_one())
