"""The demo's world against real databases, stand-ins and a mail sink: told once, told on after a kill, complete."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app.bootstrap.wiring import install_all
from app.demo.stand_ins import Outside, find_ports, lead_outside
from app.demo.world.house import REVIEWER
from app.demo.world.northwind import NORTHWIND
from app.demo.world.seeding import PARTNERS, is_seeded, make_tokens, seed
from app.notifications.mail_folder import MailFolder
from app.settings import Settings
from tests import cluster


class Place:
    """An installation of its own with a world outside it."""

    def __init__(self, folder: Path) -> None:
        self.databases = cluster.create_databases()
        given = {
            "SLIPWAY_CONTROL_URL": self.databases.control_url,
            "SLIPWAY_CELL_URL": self.databases.cell_url,
            "SLIPWAY_REDIS_URL": cluster.fresh_redis_url(),
            "SLIPWAY_KEYRING": str(folder / "keyring"),
        }
        settings = Settings.from_environment(given)
        install_all(settings)
        self.folder = folder / "demo"
        make_tokens(self.folder)
        self.outside: Outside = find_ports(self.folder)
        self.settings = lead_outside(settings, self.outside)

    def seed(self) -> None:
        with self.outside.running():
            seed(self.settings, self.folder, crm_port=self.outside.ports["hubspot"])

    def control(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.databases.control_url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def cell(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.databases.cell_url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()

    def counts(self) -> dict[str, int]:
        """How much there is of everything: what telling twice must not change."""
        schemas = [str(row[0]) for row in self.control("SELECT schema_name FROM control.tenant ORDER BY id")]
        tables = ("deal", "workflow", "connection", "member", "run", "onboarding", "trail", "journal", "message")
        inside = {table: sum(self.rows(schema, table) for schema in schemas) for table in tables}
        return inside | {"tenants": len(schemas), "hooks": len(self.control("SELECT FROM control.hook"))}

    def rows(self, schema: str, table: str) -> int:
        return len(self.cell(f'SELECT FROM "{schema}"."{table}"'))

    def cards(self) -> list[tuple[object, ...]]:
        """Where each onboarding stands."""
        return self.control(
            "SELECT o.slug, c.name, c.state, c.next_step, c.due_at < now() AS late, c.first_value_at IS NOT NULL"
            " FROM control.onboarding_card c JOIN control.organisation o ON o.id = c.organisation_id ORDER BY c.name"
        )

    def held_deals(self) -> dict[str, int]:
        """Deals that wait for a person, by the partner's short name."""
        homes = self.control(
            "SELECT o.slug, t.schema_name FROM control.tenant t"
            " JOIN control.organisation o ON o.id = t.organisation_id WHERE t.kind = 'home'"
        )
        query = "SELECT FROM \"{}\".deal WHERE state = 'held'"
        return {str(slug): len(self.cell(query.format(schema))) for slug, schema in homes}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    cluster.drop_databases(made.databases)


class TestSeed:
    @pytest.mark.timeout(300)
    def test_goes_on_where_it_was_killed_has_something_in_every_list_and_tells_it_once(self, place: Place):
        _kill_while_seeding(place)
        assert not is_seeded(place.folder)
        place.seed()
        goes_on_where_it_was_killed(place)
        has_something_in_every_list(place)
        runs_the_complete_templates(place)
        before = place.counts()
        assert is_seeded(place.folder)
        place.seed()
        assert place.counts() == before


def goes_on_where_it_was_killed(place: Place) -> None:
    """Northwind, whose seeding was cut off, has everything once."""
    cards = {card[1]: card for card in place.cards() if card[0] == NORTHWIND.slug}
    assert set(cards) == {sale.account for sale in NORTHWIND.sales if not sale.changes}
    assert cards["Oakfield Dental Group"][2] == "finished"
    assert cards["Tidewell Logistics"][3] == "task.describe_environment"
    tenants = "SELECT FROM control.tenant t JOIN control.organisation o ON o.id = t.organisation_id WHERE o.slug = '{}'"
    assert len(place.control(tenants.format(NORTHWIND.slug))) == 7
    people = {row[0] for row in place.control("SELECT email FROM control.person")}
    staff = {colleague.email for partner in PARTNERS for colleague in partner.staff} | {REVIEWER}
    assert staff <= people <= staff | {sale.contact.email for partner in PARTNERS for sale in partner.sales}


def has_something_in_every_list(place: Place) -> None:
    """Each partner has what a visitor wants to see, and nothing is left to be done."""
    cards = place.cards()
    for partner in PARTNERS:
        own = [card for card in cards if card[0] == partner.slug]
        assert len(own) >= 3
        assert any(step == "gate.handoff_quality" for *_who, step, _late, _reached in own)
        assert any(state == "running" and late for _slug, _name, state, _step, late, _reached in own)
    assert any(reached for *_rest, reached in cards)
    assert any(state == "running" and late is False for _slug, _name, state, _step, late, _reached in cards)
    assert place.held_deals() == {partner.slug: 1 for partner in PARTNERS} | {"slipway": 0}
    offers = "SELECT state, count(*)::int FROM control.listing_version GROUP BY state ORDER BY state"
    assert place.control(offers) == [("in_review", 1), ("listed", 8)]
    mails = MailFolder(place.outside.mail_folder).messages()
    senders = {mail.sender.rpartition("<")[0].strip(' "') for mail in mails}
    assert senders >= {partner.brand.name for partner in PARTNERS}
    assert place.cell("SELECT extract(epoch FROM shift)::int FROM cell.clock") == [(0,)]
    assert place.cell("SELECT kind, last_error FROM cell.job WHERE state <> 'done' AND run_at <= now()") == []


def runs_the_complete_templates(place: Place) -> None:
    """Onboardings of all four, in the partners' own adaptations, far along; one sold as a package, one in Arabic."""
    rows = place.control("SELECT template_id, name, next_step, tasks_done FROM control.onboarding_card")
    templates = {"msp-midmarket-services", "saas-enterprise-launch", "erp-rollout-across-vendors"}
    assert {row[0] for row in rows} == templates | {"custom-integration", "msp-managed-services"}
    stages = {row[1]: row[2] for row in rows}
    assert stages["Pennant Architects"] == "gate.launch_approval"
    assert stages["Alpenglas Manufaktur"] == "gate.go_no_go"
    assert stages["Fjordbank"] == "task.send_data_flow"  # a file that the customer alone can hand over
    [[schema]] = place.control(
        "SELECT t.schema_name FROM control.tenant t JOIN control.onboarding_card c ON c.tenant_id = t.id"
        " WHERE c.next_step = 'task.documentation'"
    )
    chosen = "jsonb_path_query_array(deal->'package'->'add_ons', '$[*].id')"
    sold = f"SELECT deal->'package'->>'id', {chosen} FROM \"{{}}\".onboarding"  # noqa: S608 - a query of ours
    assert place.cell(sold.format(schema)) == [("managed-workplace-gold", ["backup"])]
    people = 'SELECT locale FROM "{}".member'
    assert ("ar",) in place.cell(people.format(schema))
    [arabic] = [mail for mail in MailFolder(place.outside.mail_folder).messages() if "يُرجى إنجاز" in mail.subject][:1]
    assert "alwaha.example" in arabic.recipients[0]
    assert any(count for (count,) in place.control("SELECT jsonb_array_length(needs) FROM control.onboarding_card"))


def _kill_while_seeding(place: Place) -> None:
    """Seed in a process of its own and kill it with -9 as soon as the first onboarding exists."""
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from app.demo.stand_ins import find_ports, lead_outside
        from app.demo.world.seeding import seed
        from app.settings import Settings
        folder = Path(sys.argv[1])
        outside = find_ports(folder)
        settings = lead_outside(Settings.from_environment(), outside)
        with outside.running():
            seed(settings, folder, crm_port=outside.ports["hubspot"])
    """)
    environment = {**os.environ, **place.settings.environment(), "SLIPWAY_ADDRESS_BOOK": ""}
    environment.pop("SLIPWAY_SMTP_URL")
    child = subprocess.Popen([sys.executable, "-c", program, str(place.folder)], env=environment)
    until = time.monotonic() + 150  # five templates are read and checked first
    while not place.control("SELECT FROM control.onboarding_card WHERE tasks_done > 2"):
        assert child.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.02)  # another process writes; there is nothing here to be woken by
    child.send_signal(signal.SIGKILL)
    child.wait()
