"""What a tenant may be told to be: limits narrower than the plan's, merged as a patch says."""

from __future__ import annotations

import pytest

from app.access.limits import Limit
from app.tenancy.rules import LIMITS, effective, is_plan_key, merged, wider
from app.tenancy.schemas import Limits, LimitsPatch


class TestLimits:
    def test_are_documented_and_on_the_wire(self):
        assert set(LIMITS) == set(Limit) == set(Limits.__struct_fields__) == set(LimitsPatch.__struct_fields__)

    def test_of_a_tenant_may_be_narrower_only(self):
        assert wider({"members": 3, "onboardings": 9}, {"members": 3, "onboardings": 8}) == ["onboardings"]
        assert wider({"members": 99}, {}) == []  # the plan says nothing of it

    def test_that_hold_are_the_plans_with_the_own_over_them(self):
        assert effective({"members": 3, "onboardings": 8}, {"members": 1}) == {"members": 1, "onboardings": 8}
        assert effective(None, None) == {}

    @pytest.mark.parametrize(
        ("stored", "patch", "after"),
        [
            ({"members": 3}, {"onboardings": 1}, {"members": 3, "onboardings": 1}),
            ({"members": 3}, {"members": None}, None),
            ({"members": 3, "onboardings": 1}, {"members": None}, {"onboardings": 1}),
            ({"members": 3}, None, None),
            (None, {"members": 0}, {"members": 0}),
            (None, {"members": None}, None),
        ],
    )
    def test_are_merged_as_the_patch_says(self, stored, patch, after):
        assert merged(stored, patch) == after


class TestPlanKey:
    @pytest.mark.parametrize("key", ["a", "standard", "gold-2.1_x", "0"])
    def test_is_a_word_the_api_takes(self, key):
        assert is_plan_key(key)

    @pytest.mark.parametrize("key", ["", "A", "a ", "a\n", "-a", "a-", "ä", "a" * 64])
    def test_is_nothing_else(self, key):
        assert not is_plan_key(key)
