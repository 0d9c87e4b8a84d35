"""Three times to value, kept apart."""

from __future__ import annotations

from datetime import timedelta

from app.flow.clocks.value import times_to_value
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import MONDAY

CLOCKS = "clocks: {kickoff: task.kickoff, account_created: task.account, core_process: milestone.base}"
BASE = milestone("base", task("kickoff"), task("account"))


def run(sections: str = CLOCKS) -> SmallRun:
    return SmallRun(small(BASE, sections=sections).compile())


class TestTimesToValue:
    def test_are_unknown_before_anything_was_reached(self):
        started = run()
        found = times_to_value(started.definition, started.state, None)
        assert (found.trigger.took, found.kickoff.took, found.account.took) == (None, None, None)
        assert found.trigger.begins_at == started.state.started_at

    def test_begin_and_end_where_the_template_says(self):
        started = run()
        started.complete("task.kickoff")
        started.now += timedelta(days=2)
        started.complete("task.account")
        started.now += timedelta(days=3)
        started.prove_value()
        closed_at = MONDAY - timedelta(days=4)
        found = times_to_value(started.definition, started.state, closed_at)
        assert started.state.first_value_at is not None
        assert found.trigger.begins_at == closed_at
        assert found.trigger.took == started.state.first_value_at - closed_at
        assert found.kickoff.took == timedelta(days=5, minutes=2)
        assert found.account.took == timedelta()  # the account was the last of the core process

    def test_are_unknown_where_the_template_says_nothing(self):
        started = run("")
        for key in ("task.kickoff", "task.account"):
            started.complete(key)
        started.prove_value()
        found = times_to_value(started.definition, started.state, None)
        assert found.trigger.took is not None
        assert (found.kickoff.took, found.account.took) == (None, None)
