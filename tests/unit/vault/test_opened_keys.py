"""What is remembered of a distant keeper: for minutes, within a number, and never across a word to forget."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.vault.keepers.opened_keys import OPENED_FOR, REFUSED_FOR, OpenedKeys
from app.vault.keepers.wrapping import KeyMissing, KeysDisabled
from app.vault.secret import Secret

ASKED = [(UUID(int=number), "dek:1", b"w") for number in range(6)]


class Keeper:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.refusal: KeyMissing | KeysDisabled | None = None

    def __call__(self) -> Secret:
        """The key, or the refusal."""
        self.asked += 1
        if self.refusal:
            raise self.refusal
        return Secret("key")


@given(st.lists(st.tuples(st.sampled_from(ASKED), st.floats(0, 200), st.booleans()), max_size=40))
def test_an_answer_is_never_older_than_its_time_nor_than_the_last_word(history):
    now, told = [0.0], dict[tuple[UUID, str, bytes], float]()
    opened = OpenedKeys(limit=3, clock=lambda: now[0])
    for asked, passed, forget in history:
        now[0] += passed
        if forget:
            opened.forget()
            told.clear()
        keeper = Keeper()
        assert opened.recall(asked, keeper) == Secret("key")
        if keeper.asked:
            told[asked] = now[0]
        else:
            assert now[0] < told[asked] + OPENED_FOR
        assert len(opened._answers) <= 3


@pytest.mark.parametrize("refusal", [KeyMissing("gone"), KeysDisabled("off")])
def test_a_refusal_is_remembered_for_less_time(refusal):
    now, keeper = [0.0], Keeper()
    keeper.refusal = refusal
    opened = OpenedKeys(clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(type(refusal), match=str(refusal)):
            opened.recall(ASKED[0], keeper)
    assert keeper.asked == 1
    now[0], keeper.refusal = REFUSED_FOR, None
    assert opened.recall(ASKED[0], keeper) == Secret("key")


def test_other_trouble_is_not_remembered():
    opened, calls = OpenedKeys(), []

    def away() -> Secret:
        calls.append(1)
        raise ConnectionError

    for _ in range(2):
        with pytest.raises(ConnectionError):
            opened.recall(ASKED[0], away)
    assert len(calls) == 2


def test_an_answer_that_was_under_way_when_all_was_forgotten_is_not_kept():
    opened, begun, go_on, keeper = OpenedKeys(), threading.Event(), threading.Event(), Keeper()

    def slow() -> Secret:
        begun.set()
        assert go_on.wait(10)
        return Secret("key")

    thread = threading.Thread(target=lambda: opened.recall(ASKED[0], slow))
    thread.start()
    assert begun.wait(10)
    opened.forget()  # the key was switched off after the vault had answered
    go_on.set()
    thread.join(10)
    opened.recall(ASKED[0], keeper)
    assert keeper.asked == 1
