"""What comes next, who has the ball, why the date is so, what went wrong and who solved it: over the real parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from app.flow.events import Evidenced
from app.onboarding import operations
from app.onboarding.dates.operations import DueDate, change_dates
from app.onboarding.queries.overview.answers import answers
from app.onboarding.queries.partner import exceptions_of
from app.onboarding.queries.picture import get_picture
from app.web.translations import translations
from tests.factories.main_job import MainJob
from tests.integration.onboarding.time.ladders import MOMENT, STEP, TIMER, Ladder, open_ladder

KEY = re.compile(r"\b[a-z]+_[a-z_]+\b|\b(task|gate|stage|milestone)\.\w|[0-9a-f]{8}-")


@pytest.fixture(autouse=True)
def _clock(shop: MainJob) -> Iterator[None]:
    """Business time is put back afterwards."""
    yield
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


def asked(ladder: Ladder, language: str = "en", *, told: bool = False) -> dict[str, Any]:
    """The answers, as that reader gets them."""
    with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
        say = translations(language).gettext
        seen = get_picture(work, ladder.onboarding_id, say=say, language=language)
        return answers(work, seen, told=told)


def troubles(ladder: Ladder, language: str = "en") -> list[dict[str, Any]]:
    """The exceptions of the page."""
    with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
        say = translations(language).gettext
        return exceptions_of(work, get_picture(work, ladder.onboarding_id, say=say, language=language))


def words(value: Any) -> Iterator[str]:
    """Every text of it but addresses, which name steps by their key."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in {"path", "holder", "reason_code", "state", "side"}:
                yield from words(each)
    elif isinstance(value, list):
        for each in value:
            yield from words(each)


def escalate(ladder: Ladder) -> None:
    """Nobody acts until the ladder has come to its end."""
    while ladder.picture.state.timers[TIMER].armed:
        ladder.wait_until(ladder.due_at + MOMENT)


class TestNextAndTheBall:
    def test_are_the_steps_that_somebody_can_do_and_whoever_is_waited_for(self, shop: MainJob):
        ladder = open_ladder(shop, "overseen")
        found = asked(ladder)
        assert ladder.picture.definition.items[STEP].title["en"] in [step["title"]["en"] for step in found["next"]]
        assert all(step["state"] in {"open", "running", "blocked"} for step in found["next"])
        [theirs] = [each for each in ladder.picture.definition.items.values() if each.title == found["ball"]["step"]]
        assert (theirs.side, ladder.picture.of(theirs.key).state) == (found["ball"]["holder"], "open")
        assert found["trouble"] == {
            "open": [],
            "solved": [],
            "count": 0,
            "path": f"{ladder.picture.path}?view=exceptions",
        }

    def test_say_the_reason_of_a_hold_to_each_side_in_its_words(self, shop: MainJob):
        ladder = open_ladder(shop, "withheld")
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            held: dict[str, Any] = {"reason_code": "customer_no_response", "reason": "No answer."}
            operations.hold_onboarding(work, onboarding_id=ladder.onboarding_id, **held)
        assert asked(ladder)["ball"]["why"] == "Customer no response"
        assert asked(ladder, "de", told=True)["ball"]["why"] == translations("de").gettext(
            "We are waiting for an answer from you."
        )


class TestTheDate:
    def test_says_how_far_it_moved_and_why(self, shop: MainJob):
        ladder = open_ladder(shop, "movable")
        before = asked(ladder)["date"]
        far = ladder.picture.first_value_due()
        assert far is not None
        day = self.working_day(ladder, (far + timedelta(days=21)).date())
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            wish = DueDate(item=STEP, day=day)
            change_dates(work, onboarding_id=ladder.onboarding_id, wish=wish, reason="Their people are away.")
        after = asked(ladder)["date"]
        assert after["moved_days"] > before["moved_days"]
        assert after["at"] > before["at"]
        assert ladder.picture.definition.items[STEP].title["en"] in after["why"]
        assert after["reason"] == "Their people are away."

    @staticmethod
    def working_day(ladder: Ladder, day: date) -> date:
        time = ladder.picture.state.time_for("customer")
        while not time.works_on(day):
            day += timedelta(days=1)
        return day


class TestTrouble:
    def test_says_what_is_open_with_whom_and_then_who_solved_it(self, shop: MainJob):
        ladder = open_ladder(shop, "troubled")
        escalate(ladder)
        [open_one] = asked(ladder)["trouble"]["open"]
        assert ladder.picture.definition.items[STEP].title["en"] in open_one["title"]
        assert open_one["who"]
        assert asked(ladder, told=True)["trouble"]["open"][0]["title"] == "We are waiting for your administrator."
        key = next(iter(ladder.picture.state.open_exceptions(STEP))).id
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            operations.resolve_exception(
                work,
                onboarding_id=ladder.onboarding_id,
                exception=key,
                resolution="close",
                reason="They answered by phone.",
                evidence=Evidenced(statement="A call."),
            )
        found = asked(ladder)["trouble"]
        assert (found["open"], found["solved"][0]["by"], found["count"]) == ([], shop.lead.name, 1)
        [shown] = [each for each in troubles(ladder) if each["id"]]
        assert (shown["solved"]["by"], shown["resolution"]) == (shop.lead.name, "They answered by phone.")

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_is_told_without_keys(self, shop: MainJob, language: str):
        ladder = open_ladder(shop, f"worded-{language}")
        escalate(ladder)
        [shown] = troubles(ladder, language)
        said = [asked(ladder, language), asked(ladder, language, told=True), shown["note"], shown["title"]]
        assert not [text for text in words(said) if KEY.search(text)]
        last = ladder.picture.definition.timers[TIMER].ladder[-1]
        assert shown["note"] == last.message[language]
