"""Killed, doubled, out of order: exports and imports go on, and what comes out is one moment of the tenant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.kernel.work import TenantNotActive, open_work
from app.tenancy.bundles import arrival, export, packing
from app.tenancy.bundles.errors import ExportUnderWay, FileInTheWay, TenantBusy, TenantIsHere
from app.tenancy.bundles.export import cancel_export
from app.tenancy.bundles.sealing import PART_BYTES
from app.tenancy.bundles.verification import verify_file
from app.tenancy.bundles.writing import unfinished
from tenants.sessions import tenant_session
from tenants.tenant import Tenant
from tests.factories.bundles import MOVER, Site
from tests.factories.installation import make_databases, make_runtime, person


class Killed(BaseException):
    """The process died here."""


def write_commands(site: Site, tenant: Tenant, count: int, *, width: int = 100) -> None:
    """Many rows of the tenant's own, as the owner."""
    site.installation.rows(
        tenant,
        "INSERT INTO {}.command (key, fingerprint, result, at) SELECT 'c' || n, repeat('x', %s), '{}'::jsonb, now()"
        " FROM generate_series(1, %s) n".replace("'{}'::jsonb", "jsonb_build_object('n', n)"),
        *(width, count),
    )


def dying(at: int, *, table: str = "tenant/command") -> Callable[[str, int], None]:
    """A progress that kills at the n-th part of a table."""
    seen = 0

    def progress(path: str, _rows: int) -> None:
        nonlocal seen
        seen += path == table
        if seen == at:
            raise Killed

    return progress


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is full at 20 rows, so that little data makes many."""
    monkeypatch.setattr(packing, "PART_ROWS", 20)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Running jobs and old transactions get no time to end."""
    monkeypatch.setattr(export, "_IDLE", 0.0)
    monkeypatch.setattr(export, "_WRITERS", 0.2)


@pytest.mark.usefixtures("small_parts")
class TestKilledExport:
    @pytest.mark.parametrize("part", [1, 4])
    def test_goes_on_where_it_was(self, here: Site, there: Site, tmp_path: Path, part: int):
        tenant = here.customer()
        write_commands(here, tenant, 100)
        path = tmp_path / "x.bundle"
        with pytest.raises(Killed):
            here.export(tenant, path, there, progress=dying(part))
        assert here.state(tenant) == ("exporting", "exporting")
        first = unfinished(path).read_bytes()
        here.export(tenant, path, there)
        # What was whole before the kill is in the file as it was written, byte for byte, but for the last part.
        kept = verify_file(path).manifest.parts[: max(part - 1, 0)]
        members = verify_file(path).members
        assert all(first[m.offset : m.offset + m.size] == path.read_bytes()[m.offset : m.offset + m.size]
                   for m in (members[p.name] for p in kept))  # fmt: skip
        assert len(there.opened(path)["tenant/command"]) == 100
        assert here.state(tenant) == ("active", "active")

    def test_goes_on_behind_a_torn_part(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        write_commands(here, tenant, 100)
        path = tmp_path / "x.bundle"
        with pytest.raises(Killed):
            here.export(tenant, path, there, progress=dying(4))
        with unfinished(path).open("r+b") as file:
            file.truncate(file.seek(0, os.SEEK_END) - 700)
        here.export(tenant, path, there)
        assert len(set(there.opened(path)["tenant/command"])) == 100

    def test_is_finished_by_the_next_call_when_only_the_end_is_missing(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        tenant = here.customer()
        original = export._Export.end

        def die(*_args: Any) -> None:
            raise Killed

        monkeypatch.setattr(export._Export, "end", die)
        with pytest.raises(Killed):
            here.export(tenant, tmp_path / "x", there)
        monkeypatch.setattr(export._Export, "end", original)
        assert here.state(tenant) == ("exporting", "exporting")
        here.export(tenant, tmp_path / "x", there)
        assert here.state(tenant) == ("active", "active")

    def test_that_was_cancelled_does_not_go_on(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        write_commands(here, tenant, 100)
        path = tmp_path / "x.bundle"
        with pytest.raises(Killed):
            here.export(tenant, path, there, progress=dying(3))
        assert cancel_export(here.runtime, MOVER, tenant, trace_id="c")
        assert here.state(tenant) == ("active", "active")
        with pytest.raises(ExportUnderWay, match="worked since"):
            here.export(tenant, path, there)

    def test_that_is_cancelled_while_it_reads_signs_nothing(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        write_commands(here, tenant, 100)

        def cancel(path: str, rows: int) -> None:
            if path == "tenant/command" and rows == 40:
                cancel_export(here.runtime, MOVER, tenant, trace_id="c")

        with pytest.raises((ExportUnderWay, TenantNotActive)):
            here.export(tenant, tmp_path / "x", there, progress=cancel)
        assert not (tmp_path / "x").exists()

    def test_lets_nobody_else_write_its_file(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        write_commands(here, tenant, 40)

        def twice(_path: str, _rows: int) -> None:
            with pytest.raises(FileInTheWay):
                here.export(tenant, tmp_path / "x", there)

        here.export(tenant, tmp_path / "x", there, progress=twice)
        assert len(there.opened(tmp_path / "x")["tenant/command"]) == 40


class TestConsistency:
    def test_does_not_begin_while_another_change_is_on_its_way(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        here.installation.control("UPDATE control.tenant SET behind = true WHERE id = %s", tenant.id)
        with pytest.raises(TenantBusy):
            here.export(tenant, tmp_path / "x", there)
        assert here.state(tenant) == ("active", "active")
        here.installation.control("UPDATE control.tenant SET behind = false WHERE id = %s", tenant.id)
        here.export(tenant, tmp_path / "x", there)

    def test_is_one_moment_under_writers(self, here: Site, there: Site, tmp_path: Path):
        """Each writer's transaction puts one row into three tables: a bundle holds all of them or none."""
        tenant = here.customer()
        others = make_databases(here.installation.urls, here.installation.key)  # the writers are another process
        runtime = make_runtime(others)
        stop, refused, wrote = threading.Event(), threading.Event(), threading.Event()

        def write() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    with open_work(runtime, tenant, person(), trace_id="w") as work:
                        key = f"{threading.get_ident()}-{number}"
                        work.admit_once("test", key)
                        work.remember_command(key, fingerprint="f", result={})
                        work.enqueue("connectors.execute_run", args={"run_id": key}, dedupe_key=key)
                    wrote.set()
                except TenantNotActive:
                    refused.set()

        threads = [threading.Thread(target=write) for _each in range(3)]
        for thread in threads:
            thread.start()
        assert wrote.wait(20)
        try:
            here.export(tenant, tmp_path / "x", there)
            assert refused.wait(20) or here.state(tenant)[0] == "active"
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
            others.close()
        opened = there.opened(tmp_path / "x")
        inbox, jobs, commands = (opened[path] for path in ("cell/inbox", "cell/job", "tenant/command"))
        assert len(inbox) == len(jobs) == len(commands) > 0

    @pytest.mark.usefixtures("impatient")
    def test_waits_for_what_had_begun(self, here: Site, there: Site, tmp_path: Path):
        """Who entered the tenant before it was held still may write after: nothing is read until that has ended."""
        tenant = here.customer()
        with tenant_session(here.installation.databases, tenant, actor="slow") as (_session, entered):
            assert entered.state == "active"
            with pytest.raises(TenantBusy):
                here.export(tenant, tmp_path / "x", there)
        here.export(tenant, tmp_path / "x", there)
        assert here.state(tenant) == ("active", "active")


@pytest.mark.usefixtures("small_parts")
class TestKilledImport:
    @pytest.mark.parametrize("part", [1, 4])
    def test_goes_on_and_doubles_nothing(self, here: Site, there: Site, tmp_path: Path, part: int):
        tenant = here.customer()
        write_commands(here, tenant, 100)
        path = tmp_path / "x.bundle"
        here.export(tenant, path, there)
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(part))
        assert there.state(tenant) == ("seeding", "seeding")
        assert not there.installation.control("SELECT * FROM control.find_tenant(%s)", tenant.id)
        arrived = there.receive(path, here).tenant
        [row] = there.installation.rows(arrived, "SELECT count(*) AS n FROM {}.command WHERE key LIKE 'c%%'")
        assert row.n == 100

    def test_goes_on_where_only_the_directory_does_not_know(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """Killed between the last two commits: the cell says active, and nobody is led there yet."""
        tenant = here.customer()
        write_commands(here, tenant, 20)
        here.export(tenant, tmp_path / "x", there)

        def die(*_args: Any, **_named: Any) -> None:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(arrival, "update", die)
            with pytest.raises(Killed):
                there.receive(tmp_path / "x", here)
        assert there.state(tenant) == ("active", "seeding")
        assert there.receive(tmp_path / "x", here).tenant.id == tenant.id
        assert there.state(tenant) == ("active", "active")

    @pytest.mark.parametrize("step", ["_settle", "index_membership", "_activate", "activate"])
    def test_goes_on_from_each_of_the_last_steps(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
    ):
        tenant = here.customer()
        here.installation.rows(
            tenant,
            "INSERT INTO {}.member VALUES (%s, %s, 'Ann', 'owner', 'en', 'active', now())",
            *(tenant.id, f"ann-{tenant.id.hex}@example.test"),
        )
        here.export(tenant, tmp_path / "x", there)
        original = getattr(arrival, step)

        def die(*args: Any, **named: Any) -> None:
            original(*args, **named)
            raise Killed

        monkeypatch.setattr(arrival, step, die)
        with pytest.raises(Killed):
            there.receive(tmp_path / "x", here)
        monkeypatch.setattr(arrival, step, original)
        if there.state(tenant)[1] == "active":
            with pytest.raises(TenantIsHere):
                there.receive(tmp_path / "x", here)
        else:
            there.receive(tmp_path / "x", here)
        assert there.state(tenant) == ("active", "active")
        [entry] = there.installation.control("SELECT * FROM control.tenant WHERE id = %s", tenant.id)
        rows = there.installation.cell(f'SELECT action FROM "{entry.schema_name}".trail')  # noqa: S608 - our own schema
        assert [row.action for row in rows].count("tenancy.tenant.imported") == 1
        [index] = there.installation.control("SELECT * FROM control.membership WHERE tenant_id = %s", tenant.id)
        assert index.person_id == tenant.id  # the id was free here, so the person keeps it

    def test_twice_at_once_makes_one_tenant(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        write_commands(here, tenant, 200)
        path = tmp_path / "x.bundle"
        here.export(tenant, path, there)
        ended: list[object] = []
        ready = threading.Barrier(3)

        def run() -> None:
            ready.wait(10)
            try:
                ended.append(there.receive(path, here).tenant.id)
            except TenantIsHere:
                ended.append(None)

        _ = there.partner
        threads = [threading.Thread(target=run) for _each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert tenant.id in ended
        assert len(ended) == 3
        [entry] = there.installation.control("SELECT * FROM control.tenant WHERE id = %s", tenant.id)
        [counted] = there.installation.cell(f'SELECT count(*) AS n FROM "{entry.schema_name}".command')  # noqa: S608 - our own schema
        assert counted.n == 201  # and the import's own
        [kept] = there.installation.cell(f'SELECT count(*) AS n FROM "{entry.schema_name}".delegation')  # noqa: S608 - as above
        assert kept.n == 2

    def test_replayed_is_refused(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer()
        here.export(tenant, tmp_path / "x", there)
        arrived = there.receive(tmp_path / "x", here).tenant
        there.installation.rows(arrived, "DELETE FROM {}.delegation")
        with pytest.raises(TenantIsHere, match="holds the workspace"):
            there.receive(tmp_path / "x", here)
        assert not there.installation.rows(arrived, "SELECT 1 FROM {}.delegation")


SCRIPT = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from uuid import UUID
    import migrations.records
    from app.bootstrap.seeding import seeder
    from app.tenancy.bundles import packing
    from app.tenancy.bundles.export import ExportRequest, export_tenant
    from app.tenancy.bundles.importing import ImportRequest, import_tenant
    from app.tenancy.operations.creation import Seeder
    from app.vault.bundle_keys import open_bundle_keys
    from app.vault.keyring import Keyring, open_keyring
    from app.vault.rules import Program
    from tenants.engines import Databases
    from tenants.schema.install import read_key
    from tenants.registry import find_tenant
    from tenants.sessions import lookup_session
    from tests.factories.bundles import MOVER
    from tests.factories.installation import make_runtime

    packing.PART_ROWS = 20
    verb, control, cell, folder, path, tenant, other = sys.argv[1:]
    folder = Path(folder)
    databases = Databases(control_url=control, cell_urls={"main": cell}, key=read_key(control), gateways=4)
    keyring = open_keyring(Program.OPERATOR, folder / "keys", folder / "worker")
    runtime = make_runtime(databases, services={Keyring: keyring, Seeder: seeder(keyring)})
    keys, seen = open_bundle_keys(folder / "worker"), 0

    def die(table, rows):
        global seen
        seen += table == "tenant/command"
        if seen == 30:
            os.kill(os.getpid(), signal.SIGKILL)

    if verb == "export":
        with lookup_session(databases) as (session, _now):
            found = find_tenant(session, UUID(tenant))
        request = ExportRequest(found, bytes.fromhex(other), secrets=True)
        export_tenant(runtime, MOVER, keys, request, Path(path), trace_id="killed", progress=die)
    else:
        request = ImportRequest(Path(path), UUID(tenant), other)
        import_tenant(runtime, MOVER, keys, request, trace_id="killed", progress=die)
""")


class TestKilledProcess:
    def test_loses_nothing_in_either_direction(
        self, here: Site, there: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(packing, "PART_ROWS", 20)
        tenant = here.customer()
        write_commands(here, tenant, 1_000)
        path = tmp_path / "x.bundle"

        def die(verb: str, site: Site, *rest: str) -> None:
            urls = site.installation.urls
            arguments = [verb, urls.control_url, urls.cell_url, str(site.folder), str(path), *rest]
            done = subprocess.run(
                [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, check=False, timeout=60
            )
            assert done.returncode == -signal.SIGKILL, done.stderr.decode()

        die("export", here, str(tenant.id), there.keys.public_key.hex())
        assert unfinished(path).exists()
        here.export(tenant, path, there)
        die("import", there, str(there.partner.id), here.fingerprint)
        assert there.state(tenant) == ("seeding", "seeding")
        arrived = there.receive(path, here).tenant
        [row] = there.installation.rows(arrived, "SELECT count(*) AS n FROM {}.command")
        assert row.n == 1_001


class TestMemory:
    @pytest.mark.parametrize(
        "rows", [20_000, pytest.param(1_000_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
    )
    def test_is_bounded_by_a_part(self, here: Site, there: Site, tmp_path: Path, rows: int):
        """Parts hold at most 5,000 rows and 1 MiB; neither side ever holds more than a few of them."""
        tenant = here.customer("Large")
        write_commands(here, tenant, rows, width=400)
        tracemalloc.start()
        try:
            here.export(tenant, tmp_path / "x", there)
            exported = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            there.receive(tmp_path / "x", here)
            imported = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        parts = [part for part in verify_file(tmp_path / "x").manifest.parts if part.name.startswith("tenant/command/")]
        assert sum(part.rows for part in parts) == rows
        assert max(part.bytes for part in parts) <= PART_BYTES + 1_000
        assert len(parts) >= rows * 450 // PART_BYTES
        assert exported < 24 << 20
        assert imported < 48 << 20
