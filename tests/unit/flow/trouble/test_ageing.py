"""An exception that nobody responds to is told further up: once a rung, never early, until somebody responds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.commands import NotifyRole, StartAlert
from app.flow.decide import replay
from app.flow.definition import Definition
from app.flow.state import State
from app.flow.steps.ageing import is_overdue, rungs_of
from app.flow.steps.timers import TimerNotDue
from tests.unit.flow.running import STAFF, Run, managed_services, of_type

CALL = "task.create_workspace"
REPORT: Any = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Quiet."}


def escalating(*roles: str) -> Definition:
    """The template, telling these roles in turn of what nobody responds to."""
    found = managed_services()
    route = msgspec.structs.replace(found.exceptions["timeline_risk"], escalate=roles)
    return replace(found, exceptions={**found.exceptions, "timeline_risk": route})


def raised(*roles: str, item: str = CALL, blocks: bool = False) -> tuple[Run, StartAlert]:
    run = Run(definition=escalating(*roles) if roles else None)
    return run, of_type(run.apply(events.ExceptionRaised(by=STAFF, item=item, blocks=blocks, **REPORT)), StartAlert)[0]


def aged(run: Run, timer: StartAlert) -> tuple[list[str], list[StartAlert]]:
    """Who is told when that moment comes, and what is set then."""
    decision = run.apply(events.ExceptionAged(exception=timer.exception, version=timer.version))
    told = [each.role for each in of_type(decision, NotifyRole) if each.message == "exception_aged"]
    return told, of_type(decision, StartAlert)


class TestAgeing:
    def test_is_set_for_the_first_response_and_never_early(self):
        run, timer = raised()
        assert timer.due_at == run.state.exceptions[timer.exception].respond_by
        with pytest.raises(TimerNotDue):
            aged(run, timer)
        assert not is_overdue(run.state.exceptions[timer.exception], run.now)

    def test_tells_one_rung_after_the_other_and_the_lead_each_time_once(self):
        run, timer = raised("csm", "cs_leader")
        heard = []
        for _ in range(2):
            run.now = timer.due_at
            told, following = aged(run, timer)
            heard.append(told)
            before = run.state
            assert aged(run, timer) == ([], [])
            assert run.state is before
            timer = following[0] if following else timer
        assert heard == [["csm", "onboarding_lead"], ["cs_leader", "onboarding_lead"]]
        assert not following
        assert replay(run.definition, run.history) == run.state
        assert msgspec.convert(msgspec.to_builtins(run.state), State) == run.state

    def test_goes_along_the_route_where_the_template_says_nothing(self):
        run, timer = raised()
        exception = run.state.exceptions[timer.exception]
        ours = [role for role in exception.route[1:] if run.definition.roles[role].side == "partner"]
        assert [rung[0] for rung in rungs_of(run.definition, exception)] == (ours or ["onboarding_lead"])
        along = msgspec.structs.replace(exception, route=("csm", "cs_leader", "customer_owner", "revops"))
        assert rungs_of(run.definition, along) == [("cs_leader", "onboarding_lead"), ("revops", "onboarding_lead")]

    def test_tells_whoever_owns_the_first_stage_where_nobody_leads(self):
        run, timer = raised()
        led = {name: role for name, role in run.definition.roles.items() if name != "onboarding_lead"}
        definition = replace(run.definition, roles=led)
        exception = msgspec.structs.replace(run.state.exceptions[timer.exception], route=("csm",))
        owner = definition.of_kind("stage")[0].owner
        assert owner not in {stage.owner for stage in definition.of_kind("stage")[1:]}
        assert rungs_of(definition, exception) == [(owner,)]

    def test_says_what_the_first_response_is(self):
        run, timer = raised("csm")
        run.now = timer.due_at
        decision = run.apply(events.ExceptionAged(exception=timer.exception, version=timer.version))
        text = run.definition.exceptions["timeline_risk"].first_response
        assert of_type(decision, NotifyRole) == [
            NotifyRole(message="exception_aged", role=role, side="partner", item=CALL, text=text)
            for role in ("csm", "onboarding_lead")
        ]

    def test_tells_the_last_one_again_where_there_are_fewer_by_now(self):
        run, timer = raised("csm", "cs_leader")
        run.now = timer.due_at
        [following] = aged(run, timer)[1]
        run.definition = escalating("revops")
        run.now = following.due_at
        assert aged(run, following) == (["revops", "onboarding_lead"], [])

    def test_begins_after_the_time_for_the_first_response_and_ends_with_it(self):
        run, timer = raised()
        exception = run.state.exceptions[timer.exception]
        late = timer.due_at + timedelta(microseconds=1)
        assert (is_overdue(exception, timer.due_at), is_overdue(exception, late)) == (False, True)
        assert not is_overdue(msgspec.structs.replace(exception, answered_at=timer.due_at), late)
        assert not is_overdue(msgspec.structs.replace(exception, resolution="close"), late)
        assert not is_overdue(msgspec.structs.replace(exception, respond_by=None), late)

    @pytest.mark.parametrize("way", ["answered", "routed", "closed"])
    def test_stops_when_somebody_acts(self, way: str):
        run, timer = raised("csm", "cs_leader")
        key = timer.exception
        act: dict[str, events.Event] = {
            "answered": events.ExceptionAnswered(by=STAFF, exception=key, note="I look at it."),
            "routed": events.ExceptionReassigned(by=STAFF, exception=key, role="csm", person=None, reason="Theirs."),
            "closed": events.ExceptionResolved(by=STAFF, exception=key, resolution="close", reason="It is over."),
        }
        run.apply(act[way])
        run.now = timer.due_at + timedelta(days=9)
        before = run.state
        assert aged(run, timer) == ([], [])
        assert run.state is before

    @pytest.mark.parametrize("rungs", [0, 1])
    def test_stands_still_while_it_is_held(self, rungs: int):
        run, timer = raised("csm", "cs_leader")
        for _ in range(rungs):
            run.now = timer.due_at
            timer = aged(run, timer)[1][0]
        run.now = timer.due_at - timedelta(hours=1)
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        run.now = timer.due_at + timedelta(days=3)
        assert aged(run, timer) == ([], [])
        [moved] = of_type(run.apply(events.Resumed(by=STAFF)), StartAlert)
        assert moved.due_at > run.now
        assert aged(run, timer) == ([], [])
        run.now = moved.due_at
        assert aged(run, moved)[0] == [["csm", "cs_leader"][rungs], "onboarding_lead"]
        assert replay(run.definition, run.history) == run.state


class TestUnrelatedTracks:
    def test_go_on_beside_an_exception(self):
        """An action that waits for a person holds what depends on it, and nothing else."""
        stuck, free = Run(), Run()
        for run in (stuck, free):
            run.until_workspace()
        stuck.apply(events.ActionUnknown(task=CALL, request=1, error="No answer."))
        depending = below(stuck.definition, CALL)
        moving = [key for key, item in stuck.definition.items.items()
                  if item.kind == "task" and key not in depending and item.action is None]  # fmt: skip
        open_beside = [key for key in moving if free.item(key).state == "open"]
        assert open_beside, "a track beside the action"
        assert [key for key in moving if stuck.item(key).state == "open"] == open_beside
        stuck.complete(open_beside[0], **ANSWERS.get(open_beside[0], {}))
        assert stuck.item(open_beside[0]).state == "done"
        assert stuck.item(CALL).state == "blocked"


ANSWERS: dict[str, dict[str, Any]] = {
    "task.kickoff": {"held_on": "2026-03-09"},
    "task.review_environment": {"within_scope": True, "supported": True},
}


def below(definition: Definition, key: str) -> set[str]:
    """An item, what waits for it, and what it stands in."""
    found, more = set[str](), {key}
    while more - found:
        found |= more
        more = {each.key for each in definition.items.values() if found & {*each.depends_on, *each.children}} | found
    return found
