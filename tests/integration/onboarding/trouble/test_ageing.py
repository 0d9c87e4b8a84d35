"""An exception that nobody responds to: mails to whoever is next, once; a badge; a number for whoever watches."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.onboarding import operations
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.steering.counting import count_exceptions
from tests.factories.main_job import MainJob
from tests.factories.walker import picture_of, walk
from tests.integration.onboarding.test_course import Running, begin, replays, trail

DAYS = timedelta(days=10)


@pytest.fixture
def stuck(shop: MainJob) -> Running:
    """Its call failed, because nobody connected the product."""
    made = begin(shop, "Ageing")
    walk(shop, *made)
    return made


def letters(shop: MainJob, made: Running) -> list[str]:
    rows = shop.installation.rows(made[0], "SELECT email FROM {}.message WHERE kind = 'exception_aged' ORDER BY id")
    return [row.email for row in rows]


def test_tells_further_up_once_a_rung_until_somebody_responds(shop: MainJob, stuck: Running):
    shop.run()
    assert letters(shop, stuck) == []
    assert trail(shop, stuck, "onboarding.exception.aged") == []
    try:
        shop.installation.move_clock(DAYS)
        shop.run()
        shop.run()
        [exception] = picture_of(shop, *stuck).state.open_exceptions()
        told = letters(shop, stuck)
        assert exception.alerts >= 1
        assert len(trail(shop, stuck, "onboarding.exception.aged")) == exception.alerts
        assert shop.lead.id in {person.id for person in picture_of(shop, *stuck).everybody()}
        assert len(told) >= exception.alerts
        with shop.installation.work(stuck[0], shop.lead) as work:
            page = partner_page(work, get_picture(work, stuck[1]), "exceptions")
            assert page["tabs"]["unanswered"] == 1
            assert page["exceptions"][0]["told"]
            note = "I look at it."
            operations.answer_exception(work, onboarding_id=stuck[1], exception=exception.id, note=note)
        shop.installation.move_clock(2 * DAYS)
        shop.run()
        assert letters(shop, stuck) == told
    finally:
        shop.installation.cell("UPDATE cell.clock SET shift = '0'")
    assert replays(shop, stuck)


def test_is_counted_by_type_over_all_customers(shop: MainJob, stuck: Running):
    shop.run()
    [exception] = picture_of(shop, *stuck).state.open_exceptions()
    said = count_exceptions(shop.installation.databases).decode()
    [line] = [
        line for line in said.splitlines() if line.startswith(f'slipway_exceptions_open{{type="{exception.type}"}}')
    ]
    assert float(line.rpartition(" ")[2]) >= 1
    assert f'slipway_exceptions_oldest_seconds{{type="{exception.type}"}}' in said
    assert "Ageing" not in said
