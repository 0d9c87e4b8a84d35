"""Signatures in the engine: exactly this text, by the right person, once; what was signed stays signed."""

from __future__ import annotations

from typing import ClassVar

import msgspec
import pytest

from app.flow import events
from app.flow.commands import OpenException
from app.flow.decide import decide_by, replay
from app.flow.events import By
from app.flow.fields import AnswersRefused, Value
from app.flow.kinds.refusing import NotTheSigner, SignInstead
from app.flow.kinds.signatures import text_digest
from app.flow.kinds.signing import AlreadySigned, TextChanged
from app.flow.simulate import simulate
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import NotYourTask
from app.templates.overlay import apply_overlays
from tests.unit.flow.parts.small import BOSS, SmallRun, milestone, refused, small, task
from tests.unit.flow.running import STAFF, of_type

TEXT = "We accept the risks."
KIM = By(actor="person:kim", side="customer", roles=("client",))
LEO = By(actor="person:leo", side="customer", roles=("client",))
MAX = By(actor="person:max", side="customer")


def step(more: str = "", text: str = TEXT, outer: str = "") -> str:
    return task("sign", f"signature: {{text: {{en: '{text}'}}{more}}}{outer}", kind="signature", owner="client")


def running(more: str = "", **kind: str) -> SmallRun:
    later = task("later", "depends_on: [task.sign], when: answers.sign.signed")
    return SmallRun(small(milestone("base", step(more, **kind), later)).compile())


def signed(
    by: By = KIM, *, text: str = TEXT, name: str = "Kim  Doe", locale: str = "en", waits_for: tuple[str, ...] = ()
) -> events.TaskSigned:
    digest = text_digest(text)
    return events.TaskSigned(by=by, task="task.sign", name=name, locale=locale, digest=digest, waits_for=waits_for)


class TestSign:
    def test_finishes_the_task_with_who_and_exactly_what(self):
        run = running()
        run.apply(signed())
        item, [made] = run.item("task.sign"), run.state.signatures["task.sign"]
        assert (item.state, item.answers) == ("done", {"signed": True, "signed_by": "Kim Doe"})
        assert text_digest(TEXT) in item.evidence.statement
        assert (made.by, made.name, made.locale, made.version) == (KIM.actor, "Kim Doe", "en", "1.0.0")
        assert run.item("task.later").state == "open"
        assert replay(run.definition, run.history) == run.state

    @pytest.mark.parametrize(
        ("event", "refusal"),
        [
            (signed(text="We accept some risks."), TextChanged),
            (signed(locale="de"), TextChanged),
            (signed(name="K"), AnswersRefused),
            (signed(name="K" * 201), AnswersRefused),
            (signed(STAFF), NotYourTask),
            (signed(MAX), NotTheSigner),
        ],
    )
    def test_is_refused(self, event: events.TaskSigned, refusal: type[Exception]):
        run = running(", role: client")
        with pytest.raises(refusal):
            run.apply(event)

    def test_without_a_role_is_anybodys_of_the_side(self):
        run = running()
        run.apply(signed(MAX))
        assert run.item("task.sign").state == "done"

    def test_happens_once_for_a_person_and_takes_as_many_as_are_asked_for(self):
        run = running(", signers: 2")
        run.apply(signed())
        assert run.item("task.sign").state == "open"
        with pytest.raises(AlreadySigned):
            run.apply(signed(name="Somebody Else"))
        run.apply(signed(LEO, name="Leo Ray"))
        assert run.item("task.sign").answers["signed_by"] == "Kim Doe\nLeo Ray"
        with pytest.raises(NotOpen):
            run.apply(signed(MAX))

    def test_of_all_of_a_role_waits_for_each_of_them(self):
        run, both = running(", signers: all"), (KIM.actor, LEO.actor)
        run.apply(signed(waits_for=both))
        assert run.item("task.sign").state == "open"
        with pytest.raises(NotTheSigner):
            run.apply(signed(MAX, waits_for=both))
        run.apply(signed(LEO, waits_for=both))
        assert run.item("task.sign").state == "done"

    def test_is_not_a_box_to_tick(self):
        ticked: list[dict[str, Value]] = [{}, {"signed": True}, {"signed": False, "signed_by": "K"}]
        for answers in ticked:
            with pytest.raises(SignInstead):
                running().apply(events.TaskCompleted(by=KIM, task="task.sign", answers=answers))
        with pytest.raises(NotOpen, match="something is signed"):
            running().apply(events.TaskSigned(by=STAFF, task="task.later", name="Ed", locale="en", digest=""))


class TestDecline:
    WHY: ClassVar[dict[str, Value]] = {"signed": False, "comment": "Not paragraph 2."}
    DECLINED = events.TaskCompleted(by=KIM, task="task.sign", answers=WHY)

    def test_opens_what_the_template_says(self):
        run = running(outer=", on_refusal: {exception: timeline_risk, reason_code: scope_mismatch}")
        decision = run.apply(self.DECLINED)
        [opened] = [each.exception for each in of_type(decision, OpenException)]
        assert (opened.type, opened.note, opened.blocks) == ("timeline_risk", "Refused: Not paragraph 2.", True)
        with pytest.raises(NotOpen, match="blocked"):
            run.apply(signed())

    def test_can_be_thought_over(self):
        run = running(", signers: 2")
        run.apply(signed(LEO, name="Leo Ray"))
        run.apply(self.DECLINED)
        key = next(iter(run.state.exceptions))
        run.apply(events.ExceptionResolved(by=STAFF, exception=key, resolution="retry", reason="They talked it over."))
        run.apply(signed())
        assert run.item("task.sign").answers == {"signed": True, "signed_by": "Leo Ray\nKim Doe"}

    def test_needs_its_reason_and_the_right_person(self):
        with pytest.raises(AnswersRefused):
            running().apply(msgspec.structs.replace(self.DECLINED, answers={"signed": False}))
        with pytest.raises(NotTheSigner):
            running(", role: client").apply(msgspec.structs.replace(self.DECLINED, by=MAX))


class TestAnotherVersion:
    def moved(self, run: SmallRun, text: str) -> SmallRun:
        new = apply_overlays(small(milestone("base", step(", signers: 2", text=text)))).compile()
        event = events.Migrated(
            by=BOSS, before=run.definition.digest, definition=new.digest, version="1.1.0", reason="Better",
            map=events.MigrationMap(dropped=("task.later",)),
        )  # fmt: skip
        known = {each.digest: each for each in (run.definition, new)}
        run.state = decide_by(known.__getitem__, run.state, event, run.now).state
        run.definition = new
        return run

    def test_keeps_what_was_signed_and_asks_anew_for_another_text(self):
        run = running(", signers: 2")
        run.apply(signed())
        run = self.moved(run, "We accept all risks.")
        assert [each.name for each in run.state.signatures["task.sign"]] == ["Kim Doe"]
        with pytest.raises(TextChanged):
            run.apply(signed(LEO, name="Leo Ray"))
        run.apply(signed(LEO, name="Leo Ray", text="We accept all risks."))
        assert run.item("task.sign").state == "open"
        run.apply(signed(text="We accept all risks."))
        assert run.item("task.sign").state == "done"
        assert len(run.state.signatures["task.sign"]) == 3

    def test_counts_what_was_signed_where_the_text_is_the_same(self):
        run = running(", signers: 2")
        run.apply(signed())
        run = self.moved(run, TEXT)
        run.apply(signed(LEO, name="Leo Ray"))
        assert run.item("task.sign").state == "done"

    def test_does_not_open_what_is_done(self):
        run = running(", signers: 2")
        run.apply(signed())
        run.apply(signed(LEO, name="Leo Ray"))
        run = self.moved(run, "We accept all risks.")
        assert run.item("task.sign").state == "done"

    def test_is_not_needed_for_a_stage_that_begins_anew_to_forget_it(self):
        run = running(", signers: 2")
        run.apply(signed())
        run.apply(events.RolledBack(by=BOSS, stage="stage.work", reason="From the start."))
        assert run.state.signatures == {}
        run.apply(signed())


class TestLint:
    @pytest.mark.parametrize(
        ("written", "word"),
        [
            (task("sign", kind="signature", owner="client"), "“signature” is missing"),
            (step().replace("text: {en: 'We accept the risks.'}", "role: client"), "“text” is missing"),
            (step().replace("{en: ", "{de: "), "missing in “en”"),
            (step(", role: lead"), "not on that side"),
            (step(", role: clientt"), "There is no role “clientt”"),
            (step(", signers: none"), "is not one of"),
            (step(text="Signed for {nobody}."), "no text “nobody”"),
            (step(outer=", fields: [{id: x, label: {en: X}, type: text}]"), "does not belong"),
        ],
    )
    def test_says_what_does_not_fit(self, written: str, word: str):
        problems = refused(milestone("base", written))
        assert any(word in str(each) for each in problems), [str(each) for each in problems]


def test_histories_of_both_kinds_end():
    give = task("give", "credential: {connector: desk, fields: [{id: a, label: {en: A}}]}", kind="credential")
    two = step(", signers: 2").replace("id: sign", "id: two")
    definition = small(milestone("base", give, two, step())).compile()
    report = simulate(definition, seed=1, histories=60)
    assert report.dead_ends == ()
    assert {"task.sign", "task.two", "task.give"} <= set(report.touched)
