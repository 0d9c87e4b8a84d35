"""Exports killed, doubled, cancelled, under writers: they go on, and what comes out is one moment of the tenant."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from app.kernel.work import TenantNotActive, open_work
from app.tenancy.bundles import export
from app.tenancy.bundles.errors import ExportUnderWay, FileInTheWay, TenantBusy
from app.tenancy.bundles.export import cancel_export
from app.tenancy.bundles.verification import verify_file
from app.tenancy.bundles.writing import unfinished
from tenants.sessions import tenant_session
from tests.factories.bundles import MOVER, Site
from tests.factories.installation import make_databases, make_runtime, person
from tests.integration.tenancy.bundles.dying import Killed, dying, write_commands


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
        jobs = [line for line in jobs if b"access." not in line]  # those of the tenant's founding
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
