"""Which deliveries are sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.connectors.webhooks.log import Delivery, Standing, Wished

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def delivery(state: Standing = "failed", kind: str = "onboarding.gate.decided") -> Delivery:
    return Delivery(kind, AT, state)


class TestCovers:
    @pytest.mark.parametrize(
        ("state", "missed", "all_of_it"),
        [("failed", True, True), ("held", True, True), ("delivered", False, True), ("waiting", False, False)],
    )
    def test_is_by_state(self, state: Standing, missed: bool, all_of_it: bool):  # noqa: FBT001 - a table
        assert Wished().covers(delivery(state)) is missed
        assert Wished(delivered=True).covers(delivery(state)) is all_of_it

    def test_is_by_time_the_end_left_out(self):
        assert Wished(since=AT, until=AT + timedelta(seconds=1)).covers(delivery())
        assert not Wished(since=AT + timedelta(seconds=1)).covers(delivery())
        assert not Wished(until=AT).covers(delivery())
        assert not Wished(since=AT + timedelta(days=1), until=AT).covers(delivery()), "a time that is none"

    @pytest.mark.parametrize(
        ("types", "covered"),
        [
            ((), True),
            (("onboarding.*",), True),
            (("onboarding.gate.decided",), True),
            (("intake.*", "*"), True),
            (("intake.*",), False),
        ],
    )
    def test_is_by_type(self, types: tuple[str, ...], covered: bool):  # noqa: FBT001 - a table
        assert Wished(types=types).covers(delivery()) is covered
