"""Messages that nobody is asked about: sent or kept back when their turn comes, and never when that is in doubt."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from app.flow import events
from app.flow.clocks.court import Ball, whose_move
from app.flow.commands import OpenException
from app.flow.communications.policy import SUPPRESSED
from app.flow.decide import decide, new_state, replay
from app.flow.definition import AUTOMATIC_KINDS, Definition
from app.flow.state import SYSTEM
from tests.unit.flow.communications.sample import LEAD, TASK, TELL, TalkRun, automatic, template, unchecked
from tests.unit.flow.parts.small import BUILD, milestone
from tests.unit.flow.running import of_type

SEVERAL = milestone("site", BUILD, TELL, more="repeat: {at_most: 3}")
IF_SMALL = "suppress: 'inputs.segment == \"small\"'"
IF_STOPPED = "suppress: 'packet.outcome.given && packet.outcome == \"stop\"'"


def without_gate(definition: Definition) -> Definition:
    """The same where nobody decides anything."""
    items = {key: item for key, item in definition.items.items() if item.kind != "gate"}
    items["stage.handoff"] = msgspec.structs.replace(items["stage.handoff"], children=("milestone.told",))
    return replace(definition, items=items)


class TestAutomatic:
    def test_goes_out_by_itself_when_its_turn_has_come(self):
        run = automatic()
        [sent] = run.sent()
        assert (sent.to, sent.replies_to, sent.number, sent.by_itself) == ("client", "lead", 1, True)
        assert sent.body == {"en": "Please choose a day.", "de": "Bitte wählen Sie einen Tag."}
        assert (run.item(TASK).state, run.item(TASK).settled_by) == ("done", SYSTEM)
        assert run.item(TASK).answers == {"subject": "Your kickoff", "body": "Please choose a day."}
        assert run.told() == []

    @pytest.mark.parametrize("kind", AUTOMATIC_KINDS)
    def test_is_meant_for_every_kind_on_the_list(self, kind):
        to = "lead" if kind == "inactivity_alert" else "client"
        assert len(TalkRun(mode="automatic", kind=kind, to=to).sent()) == 1

    def test_goes_out_once_whatever_happens_next(self):
        run = automatic()
        for fact in ("Calm", "Calmer"):
            run.learn(outcome=fact)
            assert run.sent() == []
        run.complete("task.build")
        assert run.sent() == []

    @pytest.mark.parametrize("kind", ["news", "go_live_date", "customer_at_fault"])
    def test_is_a_draft_where_its_kind_may_not_go_out_alone(self, kind):
        run = TalkRun.of(unchecked(mode="automatic", kind=kind))
        assert (run.sent(), run.item(TASK).state) == ([], "open")

    def test_is_a_draft_in_a_workflow_without_a_gate(self):
        definition = without_gate(template(mode="automatic", kind="kickoff_nudge").compile())
        begin = automatic().history[0]
        begun = decide(definition, new_state(definition), begin.event, begin.at)
        assert begun.state.items[TASK].state == "open"

    def test_is_a_draft_while_a_placeholder_stands_in_its_words(self):
        run = automatic()
        left = msgspec.structs.replace(run.definition.communications["nudge"], body={"en": "{provider} writes."})
        definition = replace(run.definition, communications={"nudge": left}, views={})
        assert replay(definition, run.history).items[TASK].state == "open"

    def test_is_a_draft_where_its_approval_applies(self):
        run = automatic("approval: {role: cs_leader, when: 'inputs.segment == \"large\"'}", segment="large")
        assert (run.sent(), run.item(TASK).state, run.told()) == ([], "open", ["cs_leader"])
        free = automatic("approval: {role: cs_leader, when: 'inputs.segment == \"large\"'}", segment="small")
        assert len(free.sent()) == 1

    def test_goes_out_in_each_part_once(self):
        run = TalkRun(mode="automatic", kind="kickoff_nudge", milestones=SEVERAL)
        assert [each.task for each in run.sent()] == ["task.tell#1"]
        run.apply(events.PartAdded(by=LEAD, item="milestone.site", name="Bonn"))
        assert [each.task for each in run.sent()] == ["task.tell#2"]

    def test_waits_while_the_onboarding_is_held(self):
        after = milestone("base", BUILD, TELL.replace("sends:", "depends_on: [task.build], sends:"))
        run = TalkRun(mode="automatic", kind="kickoff_nudge", milestones=after)
        hold = events.Held(by=LEAD, reason_code="customer_no_response", reason="The fair")
        run.apply(events.ExceptionRaised(by=LEAD, item=TASK, type="timeline_risk", reason_code="scope_mismatch",
                                         note="Wait.", blocks=True))  # fmt: skip
        run.complete("task.build")
        assert run.sent() == []
        run.apply(hold)
        run.learn(outcome="Calm")
        assert run.sent() == []
        run.apply(events.Resumed(by=LEAD))
        assert run.sent() == []
        [opened] = run.state.open_exceptions(TASK)
        run.apply(events.ExceptionResolved(by=LEAD, exception=opened.id, resolution="retry", reason="Go on."))
        assert len(run.sent()) == 1


class TestSuppressed:
    def test_leaves_its_task_out_with_the_reason(self):
        for mode, kind in (("automatic", "kickoff_nudge"), ("draft", "news")):
            run = TalkRun(IF_SMALL, mode=mode, kind=kind, segment="small")
            state = run.item(TASK)
            assert (run.sent(), state.state, state.settled_by, state.reason) == ([], "skipped", SYSTEM, SUPPRESSED)
            assert run.told() == []

    def test_leaves_a_draft_out_as_soon_as_it_is_true(self):
        run = TalkRun(IF_STOPPED)
        assert run.item(TASK).state == "open"
        run.learn(outcome="stop")
        assert (run.item(TASK).state, run.item(TASK).reason) == ("skipped", SUPPRESSED)

    def test_counts_more_than_approval(self):
        run = TalkRun(IF_SMALL, "approval: {role: cs_leader}", kind="go_live_date", segment="small")
        assert (run.item(TASK).state, run.state.approvals) == ("skipped", {})


class TestUnclear:
    @pytest.mark.parametrize(
        "rule", [IF_SMALL, "approval: {role: cs_leader, when: 'inputs.segment == \"large\"'}"], ids=["keeps", "asks"]
    )
    def test_sends_nothing_and_says_where(self, rule):
        run = automatic(rule)
        [opened] = [each.exception for each in of_type(run.last, OpenException)]
        assert (opened.type, opened.item) == ("criterion_error", TASK)
        assert str(opened.place).startswith("communications.nudge.")
        assert (run.sent(), run.item(TASK).state) == ([], "waiting")
        run.learn(outcome="Calm")
        assert (run.sent(), len(run.state.open_exceptions(TASK))) == ([], 1)


class TestHistory:
    def test_replays_to_the_same_state(self):
        for run in (automatic(), TalkRun(IF_STOPPED), automatic(IF_SMALL)):
            run.learn(outcome="stop")
            assert replay(run.definition, run.history) == run.state

    def test_of_a_task_rolled_back_never_sends_by_itself_again(self):
        run = automatic()
        run.apply(events.RolledBack(by=LEAD, stage="stage.work", reason="Once more."))
        assert (run.sent(), run.item(TASK).state, run.told()) == ([], "open", ["lead"])
        run.send()
        assert [each.number for each in run.sent()] == [2]

    def test_gives_the_ball_to_nobody_because_of_it(self):
        run = automatic()
        assert whose_move(run.definition, run.state) == Ball("partner")  # the other task's
        assert not [name for name, told in run.state.reminders.items() if name == TASK and told.armed]
