"""Dates under attack: each move stored once with its journal entry, tried without a trace, refused to strangers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.access.require import NotPermitted
from app.flow.dates.follow import DateReasonNeeded, DayRefused
from app.flow.decide import Recorded, replay
from app.flow.steps.draft import NotOpen
from app.kernel.errors import SlipwayError
from app.onboarding import operations
from app.onboarding.dates.operations import DueDate, GoLive, PlanStale, WorkingTime, change_dates, try_dates
from app.onboarding.dates.queries import list_moves
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import OnboardingMissing
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of

GATE, KICKOFF, WHY = "gate.handoff_quality", "task.schedule_kickoff", "They asked for it."
MOVES = (
    "SELECT j.seq, m.* FROM {}.journal j,"
    " jsonb_to_recordset(j.moves) m(item text, was timestamptz, becomes timestamptz, cause text, cause_item text)"
    " ORDER BY j.seq"
)
Running = tuple[Tenant, UUID]


@pytest.fixture(scope="module")
def running(shop: MainJob) -> Running:
    deal = shop.sell(company="Adatum", email="ada@adatum.example")
    shop.tell(deal)
    shop.run()
    return shop.started(deal)


def working_day(shop: MainJob, running: Running, ahead: int = 20) -> date:
    with shop.installation.work(running[0], shop.lead) as work:
        state = get_picture(work, running[1]).state
        return state.partner.day_at(state.time_for("partner").add_days(work.now, ahead))


def change(shop: MainJob, running: Running, wish: Any, actor: Any = None, **more: Any) -> Any:
    with shop.installation.work(running[0], actor or shop.lead) as work:
        return change_dates(work, onboarding_id=running[1], wish=wish, **({"reason": WHY} | more))


def stored(shop: MainJob, running: Running) -> tuple[Any, ...]:
    query = (
        "SELECT (SELECT count(*) FROM {}.journal) AS entries,"
        " (SELECT sum(jsonb_array_length(moves)) FROM {}.journal) AS moves,"
        " (SELECT count(*) FROM {}.trail WHERE starts_with(action, 'onboarding.')) AS told"
    )
    return tuple(shop.installation.rows(running[0], query)[0])


class TestMoves:
    def test_are_stored_with_the_entry_that_caused_them_and_add_up_to_the_dates(self, shop: MainJob, running: Running):
        change(shop, running, DueDate(item=KICKOFF, day=working_day(shop, running)))
        change(shop, running, DueDate(item=KICKOFF, day=None))
        moves = shop.installation.rows(running[0], MOVES)
        assert {move.cause for move in moves} == {"chosen", "released"}
        rows = {row.key: row for row in shop.installation.rows(running[0], "SELECT * FROM {}.item")}
        with shop.installation.work(running[0], shop.lead) as work:
            picture = get_picture(work, running[1])
        assert picture.state.plan is not None
        for key, row in rows.items():
            path = [move for move in moves if move.item == key]
            assert row.due_at == ([move.becomes for move in path] or [picture.state.plan.baseline[key]])[-1]
            assert row.due_at == picture.of(key).due_at

    def test_of_entries_by_an_older_build_are_told_with_the_others_newest_first(self, shop: MainJob, running: Running):
        def told(**more: Any) -> list[Any]:
            with shop.installation.work(running[0], shop.lead) as work:
                return list_moves(work, get_picture(work, running[1]), **more)

        change(shop, running, DueDate(item=KICKOFF, day=working_day(shop, running, 25)))
        change(shop, running, DueDate(item=KICKOFF, day=None))
        before, of_one = told(), told(item=KICKOFF)
        first = min(move.seq for move in before)
        older = MOVES.replace("j.seq,", "j.onboarding_id, j.seq,").replace(" ORDER BY j.seq", " WHERE j.seq = %s")
        shop.installation.rows(running[0], f"INSERT INTO {{}}.date_move {older}", first)
        shop.installation.rows(running[0], "UPDATE {}.journal SET moves = NULL WHERE seq = %s", first)
        assert (told(), told(item=KICKOFF), told(most=1)) == (before, of_one, before[:1])
        assert [move.seq for move in before] == sorted((move.seq for move in before), reverse=True)
        assert {move.item for move in of_one} == {KICKOFF}

    def test_belong_to_a_journal_that_replays_to_the_stored_state(self, shop: MainJob, running: Running):
        rows = shop.installation.rows(running[0], "SELECT at, event FROM {}.journal ORDER BY seq")
        history = [msgspec.convert({"at": row.at, "event": row.event}, Recorded) for row in rows]
        with shop.installation.work(running[0], shop.lead) as work:
            picture = get_picture(work, running[1])
        assert replay(picture.definition, history) == picture.state

    def test_are_told_in_the_trail_with_who_and_why(self, shop: MainJob, running: Running):
        day = working_day(shop, running, 40)
        change(shop, running, GoLive(day=day), reason="The contract says so.")
        change(shop, running, WorkingTime(side="customer", calendar={"zone": "Asia/Dubai"}), reason="They have moved.")
        query = "SELECT action, actor_name, reason, body FROM {}.trail ORDER BY at, id"
        told = {row.action: row for row in shop.installation.rows(running[0], query)}
        assert told["onboarding.go_live.chosen"].body["day"] == day.isoformat()
        assert told["onboarding.go_live.chosen"].reason == "The contract says so."
        assert told["onboarding.calendar.changed"].body["zone"] == "Asia/Dubai"
        assert told["onboarding.date.chosen"].actor_name == shop.lead.name


class TestTrying:
    def test_shows_what_doing_then_does_and_writes_nothing(self, shop: MainJob, running: Running):
        wish = DueDate(item="gate.launch", day=working_day(shop, running, 30))
        before = stored(shop, running)
        with shop.installation.work(running[0], shop.lead) as work:
            tried = try_dates(work, onboarding_id=running[1], wish=wish)
        assert stored(shop, running) == before
        assert tried.moves
        assert change(shop, running, wish).moves == tried.moves


class TestRefusals:
    @pytest.mark.parametrize("wish", [DueDate(item=KICKOFF, day=None), GoLive(day=None)])
    def test_of_who_may_not_leave_nothing_behind(self, shop: MainJob, running: Running, wish: Any):
        other = shop.installation.partner("Contoso Dates")
        eve = person("Eve", organisation_id=other.id, roles=frozenset({"partner_owner"}))
        before = stored(shop, running)
        for actor in (eve, customer_of(shop, running[0])):
            with pytest.raises(NotPermitted):
                change(shop, running, wish, actor)
        with pytest.raises(NotPermitted), shop.installation.work(running[0], eve) as work:
            try_dates(work, onboarding_id=running[1], wish=wish)
        assert stored(shop, running) == before

    def test_of_a_stale_version_an_empty_reason_a_day_that_is_over_and_a_step_of_nowhere(
        self, shop: MainJob, running: Running
    ):
        day, before = working_day(shop, running), stored(shop, running)
        wish = DueDate(item=KICKOFF, day=day)
        refused: list[tuple[type[SlipwayError], Any, dict[str, Any]]] = [
            (PlanStale, wish, {"seen": frozenset({'"1"'})}),
            (DateReasonNeeded, wish, {"reason": "  "}),
            (DayRefused, DueDate(item=KICKOFF, day=day - timedelta(days=900)), {}),
            (DayRefused, GoLive(day=day - timedelta(days=900)), {}),
        ]
        for error, wanted, more in refused:
            with pytest.raises(error):
                change(shop, running, wanted, **more)
        assert stored(shop, running) == before

    def test_of_an_onboarding_that_is_not_here(self, shop: MainJob, running: Running):
        with pytest.raises(OnboardingMissing), shop.installation.work(running[0], shop.lead) as work:
            change_dates(work, onboarding_id=UUID(int=1), wish=GoLive(day=None), reason=WHY)

    def test_of_what_has_ended(self, shop: MainJob, running: Running):
        with shop.installation.work(running[0], shop.lead) as work:
            operations.decide_gate(work, onboarding_id=running[1], gate=GATE, decision="proceed", reason=WHY)
        with pytest.raises(NotOpen):
            change(shop, running, DueDate(item=GATE, day=working_day(shop, running)))
