"""Messages that a person reads, changes and sends: who may, what is sent, what is refused."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import CloseException
from app.flow.communications.sending import NotTheApprover, PolicyUnclear
from app.flow.communications.text import LONGEST_SUBJECT
from app.flow.decide import replay
from app.flow.events import By
from app.flow.fields import AnswersRefused
from app.flow.steps.draft import NotOpen
from app.flow.steps.holds import OnHold
from app.flow.steps.work import NotYourTask, TaskBuiltUpon
from tests.unit.flow.communications.sample import LEAD, TASK, TELL, TalkRun, automatic, unchecked
from tests.unit.flow.parts.small import BOSS, BUILD, milestone
from tests.unit.flow.running import CUSTOMER, of_type

OWN = milestone("base", BUILD, TELL.replace("sends:", "fields: [{id: subject, label: {en: S}, type: integer}], sends:"))
THEIRS = milestone("base", BUILD, TELL.replace("owner: lead", "owner: client"))
IF_STOPPED = "approval: {role: cs_leader, when: 'packet.outcome == \"stop\"'}"
PLACES = ["/answers/subject", "/answers/body"]


class TestDraft:
    def test_opens_for_its_owner_and_sends_nothing(self):
        run = TalkRun()
        assert (run.sent(), run.item(TASK).state, run.told()) == ([], "open", ["lead"])

    def test_sends_exactly_what_was_written(self):
        run = TalkRun()
        run.send(subject="  Los: „Auftakt“ ", body="Dear Maria,\r\n\r\n<b>see</b> you & yours\r\non Monday.")
        [sent] = run.sent()
        text = "Dear Maria,\n\n<b>see</b> you & yours\non Monday."
        assert (sent.subject, sent.body, sent.by_itself) == ({"und": "Los: „Auftakt“"}, {"und": text}, False)
        assert run.item(TASK).answers == {"subject": "Los: „Auftakt“", "body": text}
        assert (run.item(TASK).state, run.item(TASK).settled_by) == ("done", "person:lena")
        assert run.definition.fields["answers.tell.subject"].required

    def test_takes_text_from_right_to_left(self):
        run = TalkRun()
        run.send(subject="שלום", body="שלום וברכה")
        assert run.sent()[0].subject == {"und": "שלום"}

    @pytest.mark.parametrize(
        ("subject", "body", "places"),
        [
            (None, None, PLACES),
            ("", " \n ", PLACES),
            (None, "See you.", PLACES[:1]),
            ("Your day", None, PLACES[1:]),
            ("x" * (LONGEST_SUBJECT + 1), "See you.", PLACES[:1]),
            ("Your day", "x" * 10_001, PLACES[1:]),
            ("Hi\r\nBcc: eve@evil.example", "See you.", PLACES[:1]),
            ("Hi\u202egnp.exe", "See you.", PLACES[:1]),
            ("Hi\u2028there", "See you.", PLACES[:1]),
            ("News of {provider}", "Your {provider}", PLACES),
            ("Your day", "a\x00b", PLACES[1:]),
            (7, ["a"], PLACES),
        ],
    )
    def test_refuses_words_that_cannot_be_sent(self, subject, body, places):
        run = TalkRun()
        with pytest.raises(AnswersRefused) as refused:
            run.send(subject=subject, body=body)
        assert [place for place, _reason in refused.value.errors] == places
        assert run.item(TASK).state == "open"

    def test_asks_for_its_words_whatever_the_task_asks_for(self):
        run = TalkRun(milestones=OWN)
        assert [field.id for field in run.definition.items[TASK].fields] == ["subject", "body"]
        run.send()
        assert len(run.sent()) == 1

    def test_takes_no_other_answers(self):
        with pytest.raises(AnswersRefused):
            TalkRun().apply(
                events.TaskCompleted(
                    by=LEAD, task=TASK, answers={"subject": "a", "body": "b", "to": "eve@evil.example"}
                )
            )

    def test_is_sent_once(self):
        run = TalkRun()
        run.send()
        with pytest.raises(NotOpen, match="done"):
            run.send()

    def test_is_not_sent_while_the_onboarding_is_held(self):
        run = TalkRun()
        run.apply(events.Held(by=LEAD, reason_code="customer_no_response", reason="The fair"))
        with pytest.raises(OnHold):
            run.send()
        run.apply(events.Resumed(by=LEAD))
        run.send()
        assert len(run.sent()) == 1

    def test_is_not_the_customers_to_send(self):
        with pytest.raises(NotYourTask):
            TalkRun().send(CUSTOMER)
        with pytest.raises(NotTheApprover, match="partner"):
            TalkRun.of(unchecked(milestones=THEIRS)).send(CUSTOMER)

    def test_is_reminded_of_as_any_step(self):
        reminded = TalkRun("approval: {role: cs_leader}")
        due = reminded.state.reminders[TASK]
        reminded.now = due.due_at
        told = reminded.apply(events.ReminderDue(item=TASK, version=due.version)).commands[0]
        assert (told.message, told.role) == ("reminder", "cs_leader")


class TestReopened:
    def test_is_sent_again_by_a_person_only(self):
        for run in (automatic(), TalkRun()):
            if run.item(TASK).state == "open":
                run.send()
            run.apply(events.TaskReopened(by=LEAD, task=TASK, reason="The wrong day."))
            assert (run.sent(), run.item(TASK).state) == ([], "open")
            run.send(body="On Tuesday.")
            assert [each.number for each in run.sent()] == [2]
            assert replay(run.definition, run.history) == run.state

    def test_stays_sent_once_something_was_built_on_it(self):
        after = milestone("base", TELL, BUILD.replace("{id: build,", "{id: build, depends_on: [task.tell],"))
        run = TalkRun(milestones=after)
        run.send()
        with pytest.raises(TaskBuiltUpon):
            run.apply(events.TaskReopened(by=LEAD, task=TASK, reason="The wrong day."))


class TestApproval:
    @pytest.mark.parametrize("rule", ["approval: {role: cs_leader}", "approval: {role: cs_leader, when: 'true'}"])
    def test_is_asked_of_its_role_and_given_by_nobody_else(self, rule):
        run = TalkRun(rule)
        assert (run.told(), run.state.acts(run.definition.items[TASK])) == (["cs_leader"], "cs_leader")
        with pytest.raises(NotTheApprover, match="cs_leader"):
            run.send(LEAD)
        run.send(BOSS)
        assert (len(run.sent()), run.state.approvals) == (1, {})

    def test_is_needed_by_every_risky_kind_whatever_its_rule_says(self):
        run = TalkRun.of(unchecked("approval: {role: cs_leader, when: 'false'}", kind="scope_change"))
        with pytest.raises(NotTheApprover):
            run.send(LEAD)

    def test_is_not_needed_where_its_rule_is_not_true(self):
        run = TalkRun(IF_STOPPED)
        assert run.told() == ["lead"]
        run.send(LEAD)
        assert len(run.sent()) == 1

    def test_is_asked_for_as_soon_as_its_rule_is_true_and_no_longer(self):
        run = TalkRun(IF_STOPPED)
        run.learn(outcome="stop")
        assert run.told() == ["cs_leader"]
        with pytest.raises(NotTheApprover):
            run.send(LEAD)
        run.learn(outcome="Calm")
        assert (run.told(), run.state.approvals) == (["lead"], {})
        run.send(LEAD)

    def test_that_nobody_can_give_keeps_the_message_back(self):
        run = TalkRun("approval: {role: cs_leader}")
        with pytest.raises(NotTheApprover):
            run.send(By(actor="person:eve", roles=()))
        run.apply(events.ItemSkipped(by=LEAD, item=TASK, reason="Nobody can."))
        assert (run.sent(), run.item(TASK).state, run.state.approvals) == ([], "skipped", {})


class TestUnclear:
    def test_keeps_back_what_a_person_would_send(self):
        run = TalkRun(IF_STOPPED)
        run.learn(outcome=None)
        [opened] = run.state.open_exceptions(TASK)
        assert (opened.type, opened.place) == ("criterion_error", "communications.nudge.approval.when")
        for by in (LEAD, BOSS):
            with pytest.raises(PolicyUnclear, match="approval"):
                run.send(by)
        run.learn(outcome="Calm")
        assert [each.exception for each in of_type(run.last, CloseException)] == [opened.id]
        run.send(LEAD)
        assert len(run.sent()) == 1
