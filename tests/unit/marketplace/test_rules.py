"""States of a version on offer: which arrows there are, who waits for a review, what goes back."""

from __future__ import annotations

import pytest

from app.marketplace.rules import (
    ReasonMissing,
    State,
    VersionBehind,
    VersionOffered,
    Visibility,
    check_submission,
    first_state,
    may_become,
    newest,
    require_forward,
    require_reason,
)

ARROWS = {
    ("in_review", "listed"),
    ("in_review", "declined"),
    ("in_review", "withdrawn"),
    ("listed", "deprecated"),
    ("listed", "withdrawn"),
    ("listed", "taken_down"),
    ("deprecated", "withdrawn"),
    ("deprecated", "taken_down"),
}


class TestMayBecome:
    def test_knows_these_arrows_and_no_others(self):
        wanted = [State.LISTED, State.DECLINED, State.DEPRECATED, State.WITHDRAWN, State.TAKEN_DOWN]
        assert {(str(one), str(end)) for one in State for end in wanted if may_become(one, end)} == ARROWS


class TestFirstState:
    @pytest.mark.parametrize(
        ("visibility", "state"), [("private", "listed"), ("sub_partners", "listed"), ("public", "in_review")]
    )
    def test_is_a_review_for_what_everybody_sees(self, visibility: str, state: str):
        assert first_state(Visibility(visibility), passed=True) == state
        assert first_state(Visibility(visibility), passed=False) == "failed"

    def test_of_the_operators_own_needs_no_review_but_the_checks(self):
        assert first_state(Visibility.PUBLIC, passed=True, vouched=True) == "listed"
        assert first_state(Visibility.PUBLIC, passed=False, vouched=True) == "failed"


class TestCheckSubmission:
    @pytest.mark.parametrize("state", ["failed", "declined", "withdrawn"])
    def test_lets_a_closed_one_come_again(self, state: str):
        check_submission("1.0.0", [("1.0.0", state)])

    @pytest.mark.parametrize("state", ["in_review", "listed", "deprecated", "taken_down"])
    def test_refuses_what_stands(self, state: str):
        with pytest.raises(VersionOffered):
            check_submission("1.0.0", [("1.0.0", state)])

    def test_refuses_what_goes_back_within_its_major_number(self):
        with pytest.raises(VersionBehind):
            check_submission("1.1.0", [("1.2.0", "listed"), ("2.0.0", "listed")])
        check_submission("1.3.0", [("1.2.0", "listed"), ("2.0.0", "listed")])


class TestRequireForward:
    def test_counts_numbers_as_numbers(self):
        require_forward("1.10.0", ["1.9.0"])
        with pytest.raises(VersionBehind):
            require_forward("1.9.0", ["1.10.0"])
        with pytest.raises(VersionBehind):
            require_forward("1.0.0-rc.1", ["1.0.0"])

    def test_knows_the_newest(self):
        assert newest(["1.9.0", "1.10.0", "1.10.0-rc.1"]) == "1.10.0"


class TestRequireReason:
    def test_asks_for_words(self):
        assert require_reason("  Because. ") == "Because."
        with pytest.raises(ReasonMissing):
            require_reason(" \n")
