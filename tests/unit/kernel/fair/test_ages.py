"""Whose door a pile of work closes."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.queue.fair.ages import Waits

AGES = st.dictionaries(st.integers(1, 50).map(lambda n: UUID(int=n)), st.floats(0, 1_000, allow_nan=False), max_size=20)


class TestWaits:
    @given(AGES)
    def test_are_widespread_where_half_of_those_who_wait_and_two_at_least_wait_as_long(self, ages: dict[UUID, float]):
        told = Waits(ages).widespread
        if told:
            longer = sum(age >= told for age in ages.values())
            assert longer >= 2
            assert longer * 2 >= len(ages)

    @given(AGES)
    def test_of_one_alone_close_its_own_door_only(self, ages: dict[UUID, float]):
        noisy = UUID(int=99)
        waits = Waits({noisy: 5_000.0, **dict.fromkeys(ages, 1.0)})
        assert waits.met_by(noisy) == 5_000.0
        assert waits.met_by(None) <= 1.0
        assert waits.met_by(UUID(int=98)) <= 1.0

    @given(AGES)
    def test_of_a_drained_cell_are_everybodys(self, ages: dict[UUID, float]):
        assert Waits(ages, drained=True).met_by(None) == max(ages.values(), default=0.0)
