"""What two sets of roles share, and how long a renewal is offered for."""

from datetime import UTC, date, datetime, timedelta

import pytest

from app.access.policy.delegations import LONGEST, check_window, day_end, renewal_end, share

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LESS = "csm!onboarding:task:complete"


class TestWhatIsShared:
    @pytest.mark.parametrize(
        ("some", "others", "both"),
        [
            (["csm"], [LESS, "technical"], [LESS]),
            (["onboarding_lead"], ["csm"], ["csm"]),
            (["technical"], ["technical"], ["technical"]),
            (["csm"], ["technical"], []),
            ([LESS], ["csm"], [LESS]),
        ],
    )
    def test_goes_as_far_as_both_and_says_nothing_twice(self, some, others, both):
        assert share(some, others) == both


class TestTheEndOfARenewal:
    def test_is_as_long_again(self):
        assert renewal_end(NOON - timedelta(days=60), NOON) == date(2027, 1, 20)

    @pytest.mark.parametrize("length", [timedelta(minutes=1), timedelta(days=1), LONGEST, 2 * LONGEST])
    @pytest.mark.parametrize("ends", [NOON, day_end(NOON.date()), NOON.replace(hour=0)])
    def test_is_a_day_that_may_be_asked_for(self, length: timedelta, ends: datetime):
        check_window(ends, day_end(renewal_end(ends - length, ends)), ends - timedelta(seconds=1))
