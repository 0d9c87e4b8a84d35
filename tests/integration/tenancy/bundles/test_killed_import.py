"""Imports killed at every step, twice at once, replayed: they go on and double nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.tenancy.bundles import arrival
from app.tenancy.bundles.errors import TenantIsHere
from tests.factories.bundles import Site
from tests.integration.tenancy.bundles.dying import Killed, dying, write_commands


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
