"""Exports whose worker dies, whose owner changes their mind, whose workspace goes away: nothing stays held still."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.tenancy.bundles import packing, writing
from app.tenancy.bundles.verification import verify_file
from app.tenancy.operations.transferring import carrying, transfers
from app.tenancy.operations.transferring.transfers import follow_all
from tests.factories.api import API
from tests.integration.tenancy.bundles.dying import Killed
from tests.integration.tenancy.transfers.moves import (
    TENANTS,
    again,
    customer,
    export,
    files,
    killed_at,
    state,
    swept,
    trail,
    work,
)

Then = Callable[[carrying.Meter], object]


def rows(api: API, tenant: str, count: int = 100) -> None:
    """So many rows that the bundle has many parts."""
    slot = api.installation.cell("SELECT schema_name FROM cell.slot WHERE tenant_id = %s", tenant)[0]
    api.installation.cell(
        f"INSERT INTO {slot.schema_name}.command (key, fingerprint, result, at)"  # noqa: S608 - our own name
        " SELECT 'c' || n, 'x', '{}', now() FROM generate_series(1, %s) n",
        count,
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small parts, each told at once."""
    monkeypatch.setattr(packing, "PART_ROWS", 20)
    monkeypatch.setattr(carrying, "_OFTEN", 0.0)


def at_part(monkeypatch: pytest.MonkeyPatch, number: int, then: Then) -> None:
    """Do this once, when the n-th part of the commands has been told."""
    original, seen = carrying.Meter.__call__, 0

    def call(meter: carrying.Meter, table: str, done: int) -> None:
        nonlocal seen
        original(meter, table, done)
        seen += table == "tenant/command"
        if seen == number:
            seen += 1_000
            then(meter)

    monkeypatch.setattr(carrying.Meter, "__call__", call)


def die(_meter: carrying.Meter) -> None:
    raise Killed


class TestAKilledWorker:
    def test_is_followed_by_one_that_goes_on_in_the_same_file(self, api: API, monkeypatch: pytest.MonkeyPatch):
        tenant = customer(api)
        rows(api, tenant)
        asked = export(api, tenant)
        at_part(monkeypatch, 3, die)
        with pytest.raises(Killed):
            work(api)
        half = api.admin.get(asked.headers["location"]).body
        assert (half["state"], state(api, tenant)) == ("running", ("exporting", "exporting"))
        assert half["parts"] >= 3
        assert half["rows"] >= 60
        assert half["bytes"] > 0
        path = api.folder.file(UUID(asked.body["id"]))
        begun = Path(f"{path}.part").read_bytes()
        again(api)
        assert [kind for kind in work(api) if kind.startswith("tenancy.")] == ["tenancy.write_bundle"]
        done = api.admin.get(asked.headers["location"]).body
        assert (done["state"], state(api, tenant)) == ("done", ("active", "active"))
        assert path.read_bytes()[: len(begun) // 2] == begun[: len(begun) // 2]
        assert done["rows"] == verify_file(path).rows

    @pytest.mark.parametrize("step", ["end", "_conclude"])
    def test_right_before_the_end_ends_as_if_nothing_had_been(
        self, api: API, monkeypatch: pytest.MonkeyPatch, step: str
    ):
        tenant = customer(api)
        asked = export(api, tenant, reason=f"killed at {step}")
        killed_at(api, monkeypatch, step)
        assert api.admin.get(asked.headers["location"]).body["state"] == "done"
        ends = [body for action, _kind, body in trail(api, api.doors.northwind) if action == "tenancy.transfer.ended"]
        assert [body["why"] for body in ends].count(f"killed at {step}") == 1

    def test_that_dies_every_time_gives_the_workspace_back(self, api: API, monkeypatch: pytest.MonkeyPatch):
        tenant = customer(api)
        rows(api, tenant)
        asked = export(api, tenant)
        at_part(monkeypatch, 1, die)
        with pytest.raises(Killed):
            work(api)
        api.installation.cell("UPDATE cell.job SET attempts = 99 WHERE finished_at IS NULL")
        again(api)
        work(api)
        assert follow_all(api.worker, seconds=0) == 1
        failed = api.admin.get(asked.headers["location"]).body
        assert (failed["state"], failed["trouble"]["type"]) == ("failed", "given-up")
        assert "Ask for it anew" in failed["trouble"]["detail"]
        assert state(api, tenant) == ("active", "active")
        assert not [name for name in files(api) if asked.body["id"] in name]
        assert export(api, tenant).status == 202
        work(api)


class TestACancelledExport:
    def test_that_waits_never_begins(self, api: API):
        tenant = customer(api)
        path = export(api, tenant).headers["location"]
        assert api.admin.send("DELETE", path, None, {}).body["state"] == "cancelled"
        work(api)
        assert api.admin.get(path).body["state"] == "cancelled"
        assert api.admin.get(f"{path}/bundle").status == 410
        assert api.actions(tenant) == ["tenancy.tenant.created", "tenancy.export.requested"]

    def test_stops_while_it_is_written(self, api: API, monkeypatch: pytest.MonkeyPatch):
        tenant = customer(api)
        rows(api, tenant)
        asked = export(api, tenant, stays=True)
        at_part(monkeypatch, 2, lambda _meter: api.admin.send("DELETE", asked.headers["location"], None, {}))
        work(api)
        assert api.admin.get(asked.headers["location"]).body["state"] == "cancelled"
        assert state(api, tenant) == ("active", "active")
        assert not [name for name in files(api) if asked.body["id"] in name]
        assert api.actions(tenant)[-1] == "tenancy.export.ended"

    def test_of_a_dead_worker_lets_the_workspace_go_on_at_once(self, api: API, monkeypatch: pytest.MonkeyPatch):
        tenant = customer(api)
        rows(api, tenant)
        path = export(api, tenant).headers["location"]
        at_part(monkeypatch, 2, die)
        with pytest.raises(Killed):
            work(api)
        api.admin.send("DELETE", path, None, {})
        assert state(api, tenant) == ("active", "active")
        again(api)
        work(api)
        assert (api.admin.get(path).body["state"], state(api, tenant)) == ("cancelled", ("active", "active"))

    def test_leaves_an_operators_export_of_the_same_workspace_alone(self, api: API, tmp_path: Path):
        tenant = customer(api)
        path = export(api, tenant).headers["location"]
        found = api.installation.control("SELECT * FROM control.tenant WHERE id = %s", tenant)[0]
        api.installation.cell("UPDATE cell.tenant SET state = 'exporting' WHERE id = %s", tenant)
        api.installation.control("UPDATE control.tenant SET state = 'exporting' WHERE id = %s", tenant)
        assert found.state == "active"
        api.admin.send("DELETE", path, None, {})
        assert state(api, tenant) == ("exporting", "exporting")
        work(api)
        assert state(api, tenant) == ("exporting", "exporting")


class TestAnExportThatCannotBe:
    def test_because_the_workspace_was_erased_meanwhile_says_so(self, api: API):
        tenant = customer(api)
        path = export(api, tenant).headers["location"]
        api.admin.post(f"{TENANTS}/{tenant}/erasure", {"reason": "gone"})
        cat = api.caller("cat@northwind.example", api.doors.northwind)
        assert cat.post(f"{TENANTS}/{tenant}/erasure/approval", {"reason": "gone"}).body["state"] == "dropped"
        work(api)
        failed = api.admin.get(path).body
        assert (failed["state"], failed["trouble"]["type"]) == ("failed", "tenant-gone")
        assert api.admin.get(f"{path}/bundle").status == 410

    def test_because_another_process_has_the_file_is_tried_again_and_names_no_folder(self, api: API):
        asked = export(api, customer(api))
        api.folder.prepare()
        with Path(f"{api.folder.file(UUID(asked.body['id']))}.part").open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            work(api)
            assert api.admin.get(asked.headers["location"]).body["state"] == "running"
            api.installation.cell("UPDATE cell.job SET attempts = 11 WHERE finished_at IS NULL")
            again(api)
            work(api)
        trouble = api.admin.get(asked.headers["location"]).body["trouble"]
        assert trouble["type"] == "file-in-the-way"
        assert str(api.folder.path) not in trouble["detail"]

    def test_because_the_partner_has_no_home_says_so(self, api: API, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(transfers, "home_of", lambda *_given: None)
        path = export(api, customer(api)).headers["location"]
        assert follow_all(api.worker, seconds=0) == 1
        assert api.admin.get(path).body["trouble"]["type"] == "home-missing"

    def test_because_the_disk_is_full_is_tried_again_and_then_says_so(self, api: API, monkeypatch: pytest.MonkeyPatch):
        tenant = customer(api)
        rows(api, tenant)
        path = export(api, tenant).headers["location"]

        def full(*_given: Any, **_more: Any) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(writing.BundleWriter, "add", full)
        work(api)
        assert api.admin.get(path).body["state"] == "running"
        api.installation.cell("UPDATE cell.job SET attempts = 11 WHERE finished_at IS NULL")
        again(api)
        work(api)
        failed = api.admin.get(path).body
        assert (failed["state"], failed["trouble"]["type"]) == ("failed", "bundles-away")
        assert str(api.folder.path) not in str(failed)
        assert state(api, tenant) == ("active", "active")
        assert swept(api) == 0
