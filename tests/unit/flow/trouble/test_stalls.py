"""What nobody can move any more has an owner; what becomes possible is told to whoever does it."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import NotifyRole, RequestAction
from app.flow.steps.exceptions import STALLED
from app.flow.steps.settle import input_now
from tests.unit.flow.migration.versions import found, version
from tests.unit.flow.parts.small import NEEDED, SmallRun, milestone, small, task
from tests.unit.flow.running import STAFF, Run, of_type

CALL = "task.create_workspace"


class TestStall:
    @pytest.mark.parametrize(
        ("stage", "item", "word"),
        [("exit: inputs.seats > 100", "stage.work", "exit"), ("entry: inputs.seats > 100", "stage.work", "entry")],
    )
    def test_is_an_exception_on_what_waits_for_its_criterion(self, stage: str, item: str, word: str):
        run = SmallRun(small(NEEDED, stage=stage, inputs=SEATS).compile())
        if word == "exit":
            assert not run.state.open_exceptions()
            run.complete("task.build")
        [stalled] = run.state.open_exceptions()
        assert (stalled.item, stalled.place, stalled.blocks, stalled.raised_by) == (item, STALLED, False, None)
        assert (stalled.type, stalled.reason_code) == ("timeline_risk", "waiting_internal_provisioning")
        assert stalled.note == f"Nothing is left to do, and the {word} criterion is not true."

    def test_is_said_once(self):
        run = SmallRun(small(NEEDED, stage="entry: inputs.seats > 100", inputs=SEATS).compile())
        [stalled] = run.state.open_exceptions()
        run.apply(events.OwnerAssigned(by=STAFF, item="task.build", person="p-1"))
        assert run.state.open_exceptions() == [stalled]

    def test_is_none_while_somebody_can_do_something(self):
        both = milestone("base", task("build"), task("other"))
        run = SmallRun(small(both, stage="exit: inputs.seats > 100", inputs=SEATS).compile())
        run.complete("task.build")
        assert not run.state.open_exceptions()
        run.complete("task.other")
        assert [each.item for each in run.state.open_exceptions()] == ["stage.work"]

    def test_is_one_too_where_only_what_nobody_has_to_do_is_open(self):
        both = milestone("base", task("build"), task("extra", "optional: true"))
        run = SmallRun(small(both, stage="exit: inputs.seats > 100", inputs=SEATS).compile())
        run.complete("task.build")
        assert run.item("task.extra").state == "open"
        assert [each.item for each in run.state.open_exceptions()] == ["stage.work"]


SEATS = "- {id: more, label: {en: More}, type: integer, default: 1}"


class TestTurn:
    def test_is_told_to_whoever_does_the_step(self):
        run = SmallRun(small(milestone("base", task("build"), task("next", "depends_on: [task.build]"))).compile())
        decision = run.complete("task.build")
        title = run.definition.items["task.next"].title
        assert of_type(decision, NotifyRole) == [
            NotifyRole(message="task_opened", role="lead", side="partner", item="task.next", text=title)
        ]
        assert run.item("task.next").opened_at == run.history[-1].at

    @pytest.mark.parametrize(
        ("left_out", "becomes"),
        [(("task.build", "task.other"), "skipped"), (("task.build",), "done"), ((), "done")],
    )
    def test_of_what_it_stands_in_ends_as_what_is_in_it(self, left_out: tuple[str, ...], becomes: str):
        run = SmallRun(small(milestone("base", task("build"), task("other"))).compile())
        for key in ("task.build", "task.other"):
            if key in left_out:
                run.apply(events.ItemSkipped(by=STAFF, item=key, reason="No."))
            else:
                run.complete(key)
        ended = run.item("milestone.base")
        assert (ended.state, ended.settled_by, ended.settled_at) == (becomes, "system", run.history[-1].at)
        assert (run.item("stage.work").state, run.item("stage.live").state) == (becomes, "open")


class TestCall:
    def test_has_all_its_values(self):
        run = Run()
        decision = run.until_workspace()
        values = input_now(run.definition, run.state, run.definition.items[CALL])
        own = {"name": "Known legal_account_name", "plan": "team", "region": "eu", "seats": 30}
        assert values == own | {"external_id": "onboarding-1"}
        assert of_type(decision, RequestAction) == [
            RequestAction(task=CALL, connector="product_admin", action="create_workspace", input=values, request=1)
        ]

    def test_takes_a_date_as_its_day(self):
        def begin_on(document):
            next(each for each in document["inputs"] if each["id"] == "start_date")["default"] = "2026-04-01"
            found(document, CALL)["action"]["input"]["starts"] = "inputs.start_date"

        run = Run(definition=version(begin_on))
        [asked] = of_type(run.until_workspace(), RequestAction)
        assert asked.input["starts"] == "2026-04-01"

    def test_would_be_made_without_what_has_no_value_yet(self):
        run = Run()
        named = input_now(run.definition, run.state, run.definition.items[CALL]).keys()
        assert named == {"external_id", "name", "plan", "region"}
        assert input_now(run.definition, run.state, run.definition.items["task.kickoff"]) == {}
