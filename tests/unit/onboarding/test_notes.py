"""What the engine notes about an exception, in words for its reader: no key of the template is left in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec
import pytest

from app.flow import events
from app.flow.definition import CRITERION_ERROR, UNKNOWN_OUTCOME
from app.flow.state import OpenedException
from app.onboarding.queries.overview.notes import kind_of, note_of
from app.onboarding.queries.picture import Picture
from app.web.translations import translations
from tests.unit.flow.running import CUSTOMER, STAFF, Run, full_packet, managed_services

KEY = re.compile(r"[a-z]+_[a-z_]+|\bpacket\.|\b(task|gate|stage|milestone)\.")
PACKET = full_packet(managed_services())


def picture(run: Run, language: str) -> Picture:
    """What a reader of that language sees of it."""
    return Picture(
        onboarding=cast("Any", SimpleNamespace(id=UUID(int=1), people={})),
        definition=run.definition,
        state=run.state,
        tenant_id=UUID(int=2),
        tenant_name="Contoso",
        now=datetime(2026, 3, 2, tzinfo=UTC),
        say=translations(language).gettext,
        language=language,
    )


def late() -> Run:
    """Nobody schedules the kickoff until the last rung."""
    run = Run()
    while (timer := run.state.timers["kickoff_scheduled"]).armed:
        run.now = max(run.now, timer.due_at)
        run.apply(events.TimerFired(timer="kickoff_scheduled", rung=timer.rung, version=timer.version))
    return run


def refused() -> Run:
    """The customer says no to the goals."""
    run = Run()
    run.until_workspace()
    run.complete("task.kickoff", held_on="2026-03-09")
    run.apply(
        events.TaskCompleted(by=CUSTOMER, task="task.confirm_goals", answers={"approved": False, "comment": "Not so."})
    )
    return run


def lacking() -> Run:
    """The gate is passed over the head of a missing fact."""
    return Run({name: value for name, value in PACKET.items() if name != "business_outcome"})


def unfit() -> Run:
    """A fact of the deal is far too long."""
    return Run(PACKET | {"business_outcome": "x" * 50_000})


def only(run: Run) -> OpenedException:
    """The engine's newest exception."""
    return [each for each in run.state.exceptions.values() if each.raised_by is None][-1]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("story", [late, refused, lacking, unfit], ids=lambda story: story.__name__)
def test_what_the_engine_notes_names_no_key(story: Any, language: str):
    run = story()
    exception = only(run)
    seen = picture(run, language)
    assert not KEY.search(note_of(seen, exception, exception.note))
    assert not KEY.search(kind_of(seen, exception.type))


def test_a_deadline_says_what_the_template_says_of_it():
    run = late()
    message = run.definition.timers["kickoff_scheduled"].ladder[-1].message
    for language in ("en", "de"):
        assert note_of(picture(run, language), only(run), only(run).note) == message[language]


def test_a_rule_and_a_standstill_are_told_in_words():
    run = Run()
    seen, exception = picture(run, "en"), only(late())
    broken = "task.kickoff.exit could not be evaluated: no such key"
    assert note_of(seen, exception, broken) == ("A rule of “Schedule the kickoff” could not be evaluated: no such key")
    still = "Nothing is left to do, and the exit criterion is not true."
    assert "needs to end" in note_of(seen, exception, still)


def test_what_a_person_wrote_stands_as_it_was_written():
    run = Run()
    written = "“environment_answer” passed rung 3 of its ladder."
    report: Any = {"type": "timeline_risk", "reason_code": "scope_mismatch", "note": written}
    run.apply(events.ExceptionRaised(by=STAFF, item="task.schedule_kickoff", **report))
    [exception] = run.state.open_exceptions("task.schedule_kickoff")
    assert note_of(picture(run, "de"), exception, written) == written
    assert note_of(picture(run, "de"), None, written) == written


def test_a_clock_that_the_template_has_no_more_is_called_by_its_step():
    run = late()
    gone = msgspec.structs.replace(only(run), note="“old_clock” passed rung 9 of its ladder.")
    assert note_of(picture(run, "en"), gone, gone.note) == "Late: Schedule the kickoff"


def test_the_engines_own_types_have_names():
    seen = picture(Run(), "de")
    for kind in (UNKNOWN_OUTCOME, CRITERION_ERROR):
        assert kind_of(seen, kind) not in {kind, kind.replace("_", " ")}
