"""What follows a finished run: a command for each link whose criterion is true, at its time; nothing when cancelled."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import StartNext
from app.templates.language import read_template
from app.templates.rules import TemplateRefused
from tests.unit.flow.parts.small import FILE, NEEDED, SmallRun, small_text
from tests.unit.flow.running import STAFF, of_type

THEN = """audience: msp
lifecycle: renewal
then:
  - {lifecycle: renewal, template: small, after: {business_days: 3}, when: inputs.seats > 5}
  - {lifecycle: expansion, template: small, when: inputs.seats > 50}
  - {lifecycle: escalation, template: small, when: inputs.size == 1}
  - {lifecycle: offboarding, template: small}
"""
TEXT = small_text(NEEDED, inputs="- {id: size, label: {en: S}, type: integer}").replace("audience: msp\n", THEN)


def finished(**inputs: int) -> SmallRun:
    run = SmallRun(read_template(TEXT, FILE).compile(), **inputs)
    run.complete("task.build")
    run.prove_value()
    return run


class TestFinishing:
    def test_starts_what_is_wanted_at_its_time(self):
        run = finished(seats=10)
        found = of_type(run.last, StartNext)
        assert [(each.lifecycle, each.number) for each in found] == [("renewal", 1), ("offboarding", 4)]
        assert run.state.ended_at == found[1].due_at < found[0].due_at

    def test_reads_the_criteria_as_things_stand_then(self):
        assert [each.lifecycle for each in of_type(finished(seats=2, size=1).last, StartNext)] == [
            "escalation",
            "offboarding",
        ]

    def test_cancelling_starts_nothing(self):
        run = SmallRun(read_template(TEXT, FILE).compile())
        run.apply(events.Cancelled(by=STAFF, reason="Over"))
        assert of_type(run.last, StartNext) == []


class TestLint:
    def test_one_successor_for_each_lifecycle(self):
        with pytest.raises(TemplateRefused, match="follows already"):
            read_template(TEXT.replace("{lifecycle: expansion,", "{lifecycle: renewal,"), FILE)
        with pytest.raises(TemplateRefused, match="not one of"):
            read_template(TEXT.replace("{lifecycle: expansion,", "{lifecycle: onboarding,"), FILE)
