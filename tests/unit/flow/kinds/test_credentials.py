"""Credentials in the engine: it knows that a value was given, and has no place for what it is."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.decide import replay
from app.flow.events import By
from app.flow.fields import AnswersRefused, Value
from app.flow.kinds.handing import NotYourCredentials
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.onboarding.handing.operations import ValuesRefused, checked_values
from app.vault.secret import Secret
from tests.unit.flow.parts.small import SmallRun, milestone, refused, small, task
from tests.unit.flow.running import CUSTOMER, STAFF

FIELDS = """credential: {connector: desk, fields: [
    {id: token, label: {en: Token}, pattern: "tk_[a-z]{4,}", max_length: 12},
    {id: user, label: {en: User}, type: text, optional: true},
    {id: base, label: {en: Address}, type: url, optional: true}]}"""
GIVE = task("give", FIELDS, kind="credential", owner="client")
NEXT = task("next", "when: answers.give.token.given && !answers.give.user.given, depends_on: [task.give]")
AGAIN = events.CredentialsGiven(by=CUSTOMER, task="task.give", fields=("user",))


def running() -> SmallRun:
    return SmallRun(small(milestone("base", GIVE, NEXT)).compile())


def give(run: SmallRun, by: By = CUSTOMER, **answers: Value):
    return run.apply(events.TaskCompleted(by=by, task="task.give", answers=answers))


class TestHandOver:
    def test_finishes_the_task_and_is_seen_by_criteria_as_given(self):
        run = running()
        give(run, token=True)
        assert (run.item("task.give").state, run.item("task.give").answers) == ("done", {"token": True})
        assert run.item("task.next").state == "open"
        assert run.item("task.give").evidence.given_by == CUSTOMER.actor

    @pytest.mark.parametrize("answers", [{}, {"token": False}, {"user": True}, {"token": "tk_abcd"}, {"tocken": True}])
    def test_needs_what_is_needed_and_takes_no_value(self, answers):
        with pytest.raises(AnswersRefused) as trouble:
            give(running(), **answers)
        assert "tk_abcd" not in repr((trouble.value.message, trouble.value.errors))

    def test_is_of_its_own_side(self):
        with pytest.raises(NotYourTask):
            give(running(), by=STAFF, token=True)

    def test_happens_anew_without_the_task_moving(self):
        run = running()
        give(run, token=True)
        settled = run.item("task.give").settled_at
        run.apply(AGAIN)
        given = run.item("task.give")
        assert (given.state, given.settled_at, given.answers) == ("done", settled, {"token": True, "user": True})
        assert given.evidence.given_at > settled
        assert replay(run.definition, run.history) == run.state

    def test_anew_is_refused_before_the_first_time_and_to_others(self):
        run = running()
        with pytest.raises(NotOpen, match="open"):
            run.apply(AGAIN)
        give(run, token=True)
        with pytest.raises(NotYourCredentials):
            run.apply(events.CredentialsGiven(by=STAFF, task="task.give", fields=("user",)))
        with pytest.raises(AnswersRefused):
            run.apply(events.CredentialsGiven(by=CUSTOMER, task="task.give", fields=("other",)))
        with pytest.raises(NotOpen, match="not a step in which"):
            run.apply(events.CredentialsGiven(by=STAFF, task="task.next", fields=("user",)))


class TestValues:
    def checked(self, **typed: str) -> dict[str, Secret]:
        handover = running().definition.items["task.give"].handover
        assert handover is not None
        return checked_values(handover, {name: Secret(value) for name, value in typed.items()})

    def test_lose_the_blanks_around_them(self):
        kept = self.checked(token=" tk_abcd\n", user="  ")
        assert {name: value.reveal() for name, value in kept.items()} == {"token": "tk_abcd"}

    @pytest.mark.parametrize(
        ("typed", "word"),
        [
            ({"token": "xtk_abcd"}, "form"),
            ({"token": "tk_" + "a" * 10}, "long"),
            ({"token": "tk_ab\x00cd"}, "stored"),
            ({"base": "ftp://desk.example"}, "web address"),
            ({"other": "tk_abcd"}, "no such field"),
        ],
    )
    def test_are_refused_with_no_word_of_them(self, typed: dict[str, str], word: str):
        with pytest.raises(ValuesRefused) as trouble:
            self.checked(**typed)
        told = repr((trouble.value.message, trouble.value.errors))
        assert word in told
        assert not any(value in told for value in typed.values())


class TestLint:
    @pytest.mark.parametrize(
        ("step", "word"),
        [
            (GIVE.replace(FIELDS, "help: {en: x}"), "“credential” is missing"),
            (GIVE.replace("connector: desk, ", ""), "“connector” is missing"),
            (GIVE.replace("id: token, ", ""), "“id” is missing"),
            (GIVE.replace("kind: credential", "kind: form"), "does not belong to this kind"),
            (GIVE.replace("id: user", "id: token"), "in this list twice"),
            (GIVE.replace("tk_[a-z]{4,}", "tk_["), "not a pattern"),
            (GIVE.replace("max_length: 12", "max_length: 12, min_length: 13"), "as long as that and as short"),
            (GIVE.replace("owner: client", "owner: client, repeat: {at_most: 3}"), "replace what was handed over"),
            (GIVE.replace("owner: client", "owner: client, evidence: {label: {en: x}}"), "does not belong"),
            (GIVE.replace("owner: client", "owner: client, when: answers.give.token"), "undeclared reference"),
            (GIVE.replace("{en: Token}", "{de: Token}"), "missing in “en”"),
        ],
    )
    def test_says_what_does_not_fit(self, step: str, word: str):
        problems = refused(milestone("base", step))
        assert any(word in str(each) for each in problems), [str(each) for each in problems]
        assert all(each.line > 1 for each in problems)

    def test_knows_a_connector_that_is_nearly_called_so(self):
        call = task("call", "action: {connector: desks, action: read, input: {}}", kind="action")
        [problem] = refused(milestone("base", GIVE, call))
        assert "No action here calls “desk”" in problem.message
        assert "desks" in problem.fix
