"""The doctor's proof: a sound installation shows nothing, each planted orphan or contradiction exactly itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from app.demo.checks.consistency import consistency
from app.demo.checks.finding import Patient
from tenants.consistency import Trouble, examine_installation
from tenants.slots import discard_stale, make_slots
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import OWN, PeerHouse, open_house


class Planted(NamedTuple):
    """What is broken, where, and how it is mended again; {0} schema and {1} role of Acme, {2} prefix, {3} its id."""

    kind: str
    where: str
    broken: str
    mended: str


PLANTED = [
    Planted("schema without slot", "cell", "CREATE SCHEMA t_aaaaaaaaaaaaaaaa", "DROP SCHEMA t_aaaaaaaaaaaaaaaa"),
    Planted(
        "slot without schema",
        "cell",
        "ALTER SCHEMA {0} RENAME TO elsewhere",
        "ALTER SCHEMA elsewhere RENAME TO {0}",
    ),
    Planted("role without slot", "cell", "CREATE ROLE {2}_t_bbbbbbbbbbbbbbbb", "DROP ROLE {2}_t_bbbbbbbbbbbbbbbb"),
    Planted("slot without role", "cell", "ALTER ROLE {1} RENAME TO gone", "ALTER ROLE gone RENAME TO {1}"),
    Planted("membership missing", "cell", "REVOKE {1} FROM {4}", "GRANT {1} TO {4}"),
    Planted("membership too many", "cell", "GRANT {1} TO {2}_dispatcher", "REVOKE {1} FROM {2}_dispatcher"),
    Planted("membership too many", "cell", "GRANT {2}_partner TO {1}", "REVOKE {2}_partner FROM {1}"),
    Planted(
        "login inherits",
        "cell",
        "GRANT {1} TO {4} WITH INHERIT TRUE",
        "GRANT {1} TO {4} WITH INHERIT FALSE",
    ),
    Planted("login too many", "cell", "ALTER ROLE {1} LOGIN NOINHERIT", "ALTER ROLE {1} NOLOGIN INHERIT"),
    Planted("role too strong", "admin", "ALTER ROLE {1} BYPASSRLS", "ALTER ROLE {1} NOBYPASSRLS"),
    Planted("role too strong", "admin", "ALTER ROLE {4} INHERIT", "ALTER ROLE {4} NOINHERIT"),
    Planted(
        "role settings",
        "cell",
        "ALTER ROLE {4} SET search_path = {0}",
        "ALTER ROLE {4} RESET search_path",
    ),
    Planted("slot rights", "cell", "GRANT USAGE ON SCHEMA {0} TO PUBLIC", "REVOKE USAGE ON SCHEMA {0} FROM PUBLIC"),
    Planted("slot rights", "cell", "GRANT SELECT ON {0}.member TO {4}", "REVOKE SELECT ON {0}.member FROM {4}"),
    Planted("slot rights", "cell", "REVOKE USAGE ON SCHEMA {0} FROM {1}", "GRANT USAGE ON SCHEMA {0} TO {1}"),
    Planted("row security off", "cell", "ALTER TABLE cell.job DISABLE ROW LEVEL SECURITY", "ALTER TABLE cell.job ENABLE ROW LEVEL SECURITY"),  # noqa: E501 - one line a case
    Planted("row security off", "control", "ALTER TABLE control.host DISABLE ROW LEVEL SECURITY", "ALTER TABLE control.host ENABLE ROW LEVEL SECURITY"),  # noqa: E501 - as above
    Planted("slot state", "cell", "UPDATE cell.slot SET state = 'claimed' WHERE schema_name = (SELECT min(schema_name) FROM cell.slot WHERE state = 'free')", "UPDATE cell.slot SET state = 'free' WHERE tenant_id IS NULL"),  # noqa: E501 - as above
    Planted("tenant without entry", "control", "UPDATE control.tenant SET cell_name = NULL, id = '00000000-0000-0000-0000-00000000000a' WHERE id = '{3}'", "UPDATE control.tenant SET cell_name = 'main', id = '{3}' WHERE id = '00000000-0000-0000-0000-00000000000a'"),  # noqa: E501 - as above
    Planted("place differs", "control", "UPDATE control.tenant SET gateway = 77 WHERE id = '{3}'", "UPDATE control.tenant SET gateway = (right('{4}', 2))::int WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("state differs", "control", "UPDATE control.tenant SET state = 'suspended' WHERE id = '{3}'", "UPDATE control.tenant SET state = 'active' WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("request stuck", "control", "UPDATE control.tenant SET state = 'requested', requested_at = now() - interval '1 hour' WHERE id = '{3}'", "UPDATE control.tenant SET state = 'active', requested_at = now() WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("import stuck", "control", "UPDATE control.tenant SET state = 'seeding', requested_at = now() - interval '5 hours' WHERE id = '{3}'", "UPDATE control.tenant SET state = 'active', requested_at = now() WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("erasure stuck", "control", "INSERT INTO control.erasure (id, tenant_id, organisation_id, state, reason, trace_id, requested_by, requested_name, requested_at, decided_at) SELECT id, id, organisation_id, 'approved', 'x', 'x', id, 'x', now(), now() FROM control.tenant WHERE id = '{3}'", "DELETE FROM control.erasure WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("place left", "control", "UPDATE control.tenant SET state = 'dropped' WHERE id = '{3}'", "UPDATE control.tenant SET state = 'active' WHERE id = '{3}'"),  # noqa: E501 - as above
    Planted("database open", "cell", "GRANT CONNECT ON DATABASE {5} TO PUBLIC", "REVOKE CONNECT ON DATABASE {5} FROM PUBLIC"),  # noqa: E501 - as above
    Planted("database open", "cell", "GRANT CONNECT ON DATABASE {5} TO {2}_door", "REVOKE CONNECT ON DATABASE {5} FROM {2}_door"),  # noqa: E501 - as above
]  # fmt: skip
# What one breach must show beside itself: another's view of the same thing.
ALSO = {
    "slot without role": {"slot rights", "role without slot", "membership missing"},
    "tenant without entry": {"tenant without place"},
    "login too many": {"login inherits"},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerHouse]:
    """A house of its own: clones of one template share their roles, and would see each other's as orphans."""
    with open_house(OWN, tmp_path_factory.mktemp("consistency")) as opened:
        yield opened


@pytest.fixture(scope="module")
def acme(house: PeerHouse) -> Tenant:
    return house.two_customers()[0]


def troubles(house: PeerHouse, *, young: int = 0) -> tuple[Trouble, ...]:
    urls = {CELL: house.urls.cell_url}
    return examine_installation(house.key, control_url=house.urls.control_url, cell_urls=urls, young=young).troubles


class TestExamineInstallation:
    def test_finds_nothing_in_a_sound_one(self, house: PeerHouse, acme: Tenant):
        assert troubles(house) == ()

    @pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.kind}: {planted.broken[:30]}")
    def test_finds_what_was_planted(self, house: PeerHouse, acme: Tenant, planted: Planted):
        gateway, name = house.key.roles.gateway(acme.gateway), house.urls.cell_url.split("/")[-1].split("?")[0]
        names = (acme.schema, acme.role, house.key.prefix, acme.id, gateway, name)
        where = {"cell": house.urls.cell_url, "control": house.urls.control_url, "admin": house.admin_url}
        with psycopg.connect(where[planted.where], autocommit=True) as connection:
            connection.execute(planted.broken.format(*names))
            try:
                found = troubles(house)
            finally:
                connection.execute(planted.mended.format(*names))
        assert planted.kind in {trouble.kind for trouble in found}
        assert {trouble.kind for trouble in found} - {planted.kind} <= ALSO.get(planted.kind, set())
        assert all(trouble.subject and trouble.mend for trouble in found)
        assert troubles(house) == ()

    def test_finds_a_large_object_that_a_tenant_has_left(self, house: PeerHouse, acme: Tenant):
        """Making one needs no right, so nothing stops it: it is named instead."""
        with psycopg.connect(
            house.admin_url.replace("/postgres?", f"/{house.urls.cell_url.split('/')[-1].split('?')[0]}?")
        ) as admin:
            admin.execute(f"SET ROLE {acme.role}")
            row = admin.execute("SELECT lo_create(0)").fetchone()
            admin.execute("COMMIT")
            assert [trouble.kind for trouble in troubles(house)] == ["role owns"]
            admin.execute("SELECT lo_unlink(%s)", row)
            admin.execute("COMMIT")
        assert troubles(house) == ()

    @pytest.mark.parametrize("left", ["role", "nothing"])
    def test_lets_a_slot_that_is_being_discarded_be(self, house: PeerHouse, acme: Tenant, left: str):
        """Killed between its statements: the next round goes on, and there is nothing to restore."""
        make_slots(house.databases, CELL, 1)
        [slot] = house.cell("SELECT * FROM cell.slot WHERE state = 'free' ORDER BY made_at DESC LIMIT 1")
        house.cell("UPDATE cell.slot SET state = 'retired' WHERE schema_name = %s", slot.schema_name)
        house.cell(f"DROP SCHEMA {slot.schema_name} CASCADE")
        if left == "nothing":
            house.cell(f"REVOKE {house.key.roles.app} FROM {slot.role_name}")
            house.cell(f"DROP ROLE {slot.role_name}")
        assert troubles(house) == ()
        assert discard_stale(house.databases, CELL) == 1
        assert troubles(house) == ()

    def test_gives_an_import_four_hours(self, house: PeerHouse, acme: Tenant):
        begun = (
            "UPDATE control.tenant SET state = 'seeding', requested_at = now() - %s * interval '1 hour' WHERE id = %s"
        )
        try:
            house.control(begun, 3, acme.id)
            assert troubles(house, young=600) == ()
            house.control(begun, 5, acme.id)
            assert [trouble.kind for trouble in troubles(house, young=600)] == ["import stuck"]
        finally:
            house.control("UPDATE control.tenant SET state = 'active', requested_at = now() WHERE id = %s", acme.id)

    def test_lets_a_creation_that_is_on_its_way_be(self, house: PeerHouse, acme: Tenant):
        house.control("UPDATE control.tenant SET state = 'requested', requested_at = now() WHERE id = %s", acme.id)
        try:
            assert troubles(house, young=600) == ()
            assert [trouble.kind for trouble in troubles(house, young=0)] == ["request stuck"]
        finally:
            house.control("UPDATE control.tenant SET state = 'active' WHERE id = %s", acme.id)


class TestTheDoctor:
    def look(self, house: PeerHouse, tmp_path: Path):
        own = {"SLIPWAY_CONTROL_URL": house.urls.control_url, "SLIPWAY_CELL_URL": house.urls.cell_url}
        return list(consistency(Patient(tmp_path, own)))

    def test_says_in_one_line_that_everything_agrees(self, house: PeerHouse, acme: Tenant, tmp_path: Path):
        [finding] = self.look(house, tmp_path)
        assert finding.ok
        assert "agree" in finding.found

    def test_names_each_orphan_with_its_mend(self, house: PeerHouse, acme: Tenant, tmp_path: Path):
        house.cell("CREATE SCHEMA t_cccccccccccccccc")
        try:
            [finding] = self.look(house, tmp_path)
        finally:
            house.cell("DROP SCHEMA t_cccccccccccccccc")
        assert (finding.ok, finding.required) == (False, True)
        assert "DROP SCHEMA t_cccccccccccccccc" in finding.mend

    def test_counts_what_is_too_much_to_show(self, house: PeerHouse, acme: Tenant, tmp_path: Path):
        names = [f"t_{'d' * 15}{letter}" for letter in "abcdefghijklmnopqrstuvw"]
        house._cell.execute("; ".join(f"CREATE SCHEMA {name}" for name in names))
        try:
            findings = self.look(house, tmp_path)
        finally:
            house._cell.execute("; ".join(f"DROP SCHEMA {name}" for name in names))
        assert len(findings) == 21
        assert findings[-1].found == "and 3 more"

    def test_asks_nobody_where_nothing_is_named_and_nothing_runs(self, tmp_path: Path):
        assert list(consistency(Patient(tmp_path, {}))) == []
