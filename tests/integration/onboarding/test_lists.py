"""A partner's lists with more in them than a page holds: all is counted, and every row is on exactly one page."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.paging import CursorForeign, CursorKey, LimitOutOfRange
from app.onboarding.queries.cards import Asked
from app.onboarding.queries.home import Wanted, get_customers, get_home, home_page
from tests.factories.installation import Installation, Partner, person

READER, OTHER = UUID(int=7), UUID(int=8)
MANY = 130
Crowd = tuple[Partner, Actor, Installation]


def need(kind: str = "task", state: str = "open", **other: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"key": kind, "kind": kind, "state": state, "reason": None, "title": {"en": kind.title()}}
    return plain | {"since": None, "due_at": None, "owner": {"en": "CSM"}, "people": [str(OTHER)]} | other


def write(
    installation: Installation, organisation: UUID, name: str, changed: datetime, *needs: Any, **other: Any
) -> None:
    """A customer and its line, as the projection writes them."""
    tenant = new_id()
    installation.control(
        "INSERT INTO control.tenant (id, organisation_id, kind, name, state, request_key, cause, requested_at)"
        " VALUES (%s, %s, 'customer', %s, 'active', %s, '{}', %s)",
        *(tenant, organisation, name, str(tenant), changed),
    )
    values = {"state": "running", "holder": "partner", "due_at": None} | other
    installation.control(
        "INSERT INTO control.onboarding_card (tenant_id, onboarding_id, organisation_id, seq, name, template, state,"
        " holder, needs, tasks_done, tasks_total, due_at, started_at, changed_at)"
        " VALUES (%s, %s, %s, 1, %s, 'Managed 1.0', %s, %s, %s, 1, 9, %s, %s, %s)",
        *(tenant, new_id(), organisation, name, values["state"], values["holder"]),
        *(msgspec.json.encode(needs).decode(), values["due_at"], changed, changed),
    )


@pytest.fixture
def crowd(installation: Installation) -> Crowd:
    """A partner with 130 customers on track, five behind, two stuck, three finished; and a neighbour with trouble."""
    partner, beside = installation.partner("Crowded"), installation.partner("Beside")
    installation.runtime.services[CursorKey] = CursorKey(b"the key of this test")
    [row] = installation.control("SELECT now() AS now")
    hour, now = timedelta(hours=1), row.now
    same = now - 100 * hour  # the same moment for all of them: only the id tells one page from the next
    for number in range(MANY):
        write(installation, partner.id, f"Calm {number}", same, need(people=[str(READER)]), holder="customer")
    for number in range(5):
        write(installation, partner.id, f"Late {number}", now - hour, need(due_at=str(now - hour)), due_at=now - hour)
    write(installation, partner.id, "Blocked", now, need("gate", "blocked", since=str(now - 9 * hour)))
    failed = need("exception", "blocked", reason="integration_failure", due_at=str(now - hour), people=[str(READER)])
    write(installation, partner.id, "Failed", now, failed)
    for number in range(3):
        write(installation, partner.id, f"Done {number}", now, need("exception", reason="old"), state="finished")
    for name in ("Foreign", "Strange"):
        write(installation, beside.id, name, now, need("exception", "blocked", reason="foreign"))
    lead = person("Lea", organisation_id=partner.id, roles=frozenset({"onboarding_lead"}))
    return partner, lead, installation


def home(crowd: Crowd, **wanted: Any) -> dict[str, Any]:
    partner, lead, installation = crowd
    asked = Wanted(**wanted)
    return home_page(get_home(installation.runtime, lead, partner.id, asked), asked)


class TestHome:
    def test_counts_every_running_onboarding(self, crowd: Crowd):
        assert home(crowd)["tally"] == {"on_track": MANY, "behind": 5, "stuck": 2}

    def test_shows_what_is_stuck_first_and_counts_what_it_does_not_show(self, crowd: Crowd):
        page = home(crowd)
        assert [each["subject"].split(" ")[0] for each in page["needs"]] == ["Failed", "Blocked", *["Late"] * 5]
        assert page["needs_in_all"] == 7

    def test_shows_a_reader_what_names_them(self, crowd: Crowd):
        page = home(crowd, scope="mine", reader=READER)
        assert [each["subject"] for each in page["needs"]] == ["Failed · Exception"]
        assert page["tally"]["on_track"] == MANY  # the tally is the team's

    def test_ages_queues_over_all_of_them(self, crowd: Crowd):
        queues = {queue["name"]: (queue["count"], round(queue["oldest"] / 3600)) for queue in home(crowd)["queues"]}
        assert queues == {
            "Own tasks": (MANY + 5, 100),
            "Customer response": (MANY, 100),
            "Handoff acceptance": (1, 9),
            "Exceptions": (1, 0),
        }

    def test_calls_a_queue_late_when_a_date_in_it_has_passed(self, crowd: Crowd):
        late = {queue["name"] for queue in home(crowd)["queues"] if queue["late"]}
        assert late == {"Own tasks", "Exceptions"}

    def test_counts_reasons_of_what_runs_and_of_nobody_else(self, crowd: Crowd):
        assert [(each["name"], each["count"]) for each in home(crowd)["reasons"]] == [("Integration failure", 1)]

    def test_has_every_onboarding_on_exactly_one_page(self, crowd: Crowd):
        seen, after = [], ""
        while True:
            page = home(crowd, page=Asked(after))
            seen += [line["tenant"] for line in page["onboardings"]]
            assert page["first"] == bool(after)
            after = page["older"]
            if not after:
                break
            assert len(page["onboardings"]) == 50
        assert len(seen) == len(set(seen)) == MANY + 10

    def test_says_why_an_onboarding_is_stuck(self, crowd: Crowd):
        lines = {line["tenant"]: (line["state"], line["reason"]) for line in home(crowd, state="stuck")["onboardings"]}
        assert lines == {"Failed": ("stuck", "Integration failure"), "Blocked": ("stuck", "")}


class TestACardOfAnEarlierBuild:
    def test_is_shown_as_far_as_it_goes(self, crowd: Crowd):
        partner, _lead, installation = crowd
        [row] = installation.control("SELECT now() AS now")
        old = {"key": "old", "kind": "exception", "state": "open", "title": "Old words", "owner": "CSM", "due_at": None}
        write(installation, partner.id, "Early", row.now, old)
        page = home(crowd)
        assert "Early · Old words" in [need["subject"] for need in page["needs"]]
        assert "Early" in [line["tenant"] for line in page["onboardings"]]


class TestCursor:
    def test_of_another_filter_is_refused(self, crowd: Crowd):
        after = home(crowd)["older"]
        with pytest.raises(CursorForeign):
            home(crowd, state="on_track", page=Asked(after))

    def test_of_another_partner_is_refused(self, crowd: Crowd):
        after, (_partner, _lead, installation) = home(crowd)["older"], crowd
        other = installation.partner("Curious")
        lead = person("Eve", organisation_id=other.id, roles=frozenset({"onboarding_lead"}))
        with pytest.raises(CursorForeign):
            get_home(installation.runtime, lead, other.id, Wanted(page=Asked(after)))

    @pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
    def test_goes_with_a_sane_number_of_rows_only(self, crowd: Crowd, limit: int):
        with pytest.raises(LimitOutOfRange):
            home(crowd, page=Asked(limit=limit))


class TestCustomers:
    def test_are_on_exactly_one_page_each_with_their_onboarding(self, crowd: Crowd):
        partner, lead, installation = crowd
        seen: list[tuple[str, str]] = []
        asked = Asked(limit=60)
        while True:
            page = get_customers(installation.runtime, lead, partner.id, asked)
            assert page.total == MANY + 10
            seen += [(tenant.name, health) for tenant, _card, health in page.tenants]
            if not page.older:
                break
            asked = Asked(page.older, 60)
        assert len(seen) == len({name for name, _ in seen}) == MANY + 10
        assert {health for _, health in seen} == {"on_track", "behind", "stuck", "finished"}
