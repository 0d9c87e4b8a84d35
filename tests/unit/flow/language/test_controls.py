"""Controls open a typed exception by themselves, and close it when what they watch is in order."""

from __future__ import annotations

from app.flow import events
from app.flow.decide import replay
from app.flow.simulate import simulate
from tests.unit.flow.parts.small import BOSS, SmallRun, milestone, refused, small, task
from tests.unit.flow.running import STAFF

ASKED = task(
    "ask", "fields: [{id: po, label: {en: PO}, type: text}, {id: wanted, label: {en: W}, type: boolean}]", kind="form"
)
BOTH = milestone("base", ASKED, task("write", "depends_on: [task.ask]"))


def control(when: str, *, on: str = "task.write", blocks: str = "true", more: str = "") -> str:
    return (
        f"controls: [{{id: po_missing, label: {{en: The order number is missing}}, when: '{when}', on: {on}, "
        f"exception: billing_mismatch, reason_code: scope_mismatch, blocks: {blocks}{more}}}]"
    )


WATCHED = control("task.ask.done && answers.ask.wanted && !answers.ask.po.given")


def run(sections: str = WATCHED) -> SmallRun:
    return SmallRun(small(BOTH, sections=sections).compile())


class TestControl:
    def test_opens_its_exception_before_what_it_holds_begins(self):
        started = run()
        assert not started.state.open_exceptions()
        started.complete("task.ask", wanted=True)
        [opened] = started.state.open_exceptions()
        assert (opened.type, opened.reason_code, opened.item) == ("billing_mismatch", "scope_mismatch", "task.write")
        assert (opened.place, opened.blocks, opened.raised_by) == ("control.po_missing", True, None)
        assert opened.note == "Control “po_missing”: The order number is missing"
        assert started.item("task.write").state == "waiting"

    def test_opens_nothing_while_all_is_in_order(self):
        started = run()
        started.complete("task.ask", wanted=True, po="4711")
        assert not started.state.exceptions
        assert started.item("task.write").state == "open"

    def test_closes_by_itself_and_what_it_held_goes_on(self):
        started = run(control("!packet.outcome.given", on="task.ask"))
        assert started.item("task.ask").state == "open"
        started.apply(events.PacketChanged(by=STAFF, facts={"outcome": None}, source="sales"))
        assert started.item("task.ask").state == "blocked"
        started.apply(events.PacketChanged(by=STAFF, facts={"outcome": "Calm"}, source="sales"))
        assert not started.state.open_exceptions()
        assert started.item("task.ask").state == "open"

    def test_opens_anew_when_it_is_out_of_order_again(self):
        started = run(control("!packet.outcome.given", on="task.ask"))
        for value in (None, "Calm", None):
            started.apply(events.PacketChanged(by=STAFF, facts={"outcome": value}, source="sales"))
        assert sorted(started.state.exceptions) == ["task.ask#1", "task.ask#2"]

    def test_stays_resolved_once_a_person_has_decided(self):
        started = run()
        started.complete("task.ask", wanted=True)
        [opened] = started.state.open_exceptions()
        way = events.ExceptionResolved(by=BOSS, exception=opened.id, resolution="retry", reason="None is needed.")
        started.apply(way)
        assert not started.state.open_exceptions()
        assert started.item("task.write").state == "open"
        started.apply(events.OwnerAssigned(by=STAFF, item="task.write", person="p-1"))
        assert not started.state.open_exceptions()

    def test_that_does_not_block_lets_work_go_on(self):
        started = run(control("task.ask.done && !answers.ask.po.given", blocks="false"))
        started.complete("task.ask")
        assert len(started.state.open_exceptions()) == 1
        assert started.item("task.write").state == "open"

    def test_that_cannot_be_judged_is_an_exception_with_its_place(self):
        started = run(control("answers.ask.wanted"))
        [opened] = started.state.open_exceptions()
        assert (opened.type, opened.place) == ("criterion_error", "controls.po_missing.when")
        started.complete("task.ask", wanted=False)
        assert not started.state.open_exceptions()

    def test_watches_nothing_that_has_ended(self):
        started = run(control("task.write.done"))
        started.complete("task.ask")
        started.complete("task.write")
        assert not started.state.open_exceptions()

    def test_replays_and_leads_into_no_dead_end(self):
        started = run()
        started.complete("task.ask", wanted=True)
        assert replay(started.definition, started.history) == started.state
        report = simulate(started.definition, seed=9, histories=25)
        assert report.dead_ends == ()


class TestControlOfATemplate:
    def test_names_an_item_that_there_is(self):
        [problem] = refused(BOTH, sections=control("true", on="task.wrote"))
        assert (problem.message, problem.fix) == ("There is no “task.wrote”.", "Did you mean “task.write”?")
        assert problem.line == 1

    def test_names_an_item_that_happens_once(self):
        each = milestone("base", ASKED, task("write", "depends_on: [task.ask], repeat: {at_most: 3}"))
        [problem] = refused(each, sections=WATCHED)
        assert "happens several times" in problem.message

    def test_gives_a_reason_that_its_route_knows(self):
        [problem] = refused(
            BOTH, sections=WATCHED.replace("reason_code: scope_mismatch", "reason_code: ai_uncertainty")
        )
        assert problem.message == "“billing_mismatch” is explained by: scope_mismatch."

    def test_is_type_checked(self):
        [problem] = refused(BOTH, sections=control("answers.ask.pro.given"))
        assert "undeclared reference" in problem.message
