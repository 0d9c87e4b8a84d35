"""Versions in the order of semver.org, and what may follow what."""

from __future__ import annotations

import pytest

from app.templates.authoring.versions import VersionTaken, check_next
from app.templates.overlays.versions import precedence

ORDERED = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.10"


class TestOrder:
    def test_is_that_of_the_specification(self):
        versions = ORDERED.split()
        by_text = sorted(versions)
        assert by_text != versions
        assert sorted(by_text, key=precedence) == versions


class TestCheckNext:
    @pytest.mark.parametrize("version", ["1.0.1", "1.1.0", "2.0.0", "0.9.1"])
    def test_lets_what_is_later_in_its_major_number_through(self, version: str):
        check_next(version, ["1.0.0", "0.9.0"])

    @pytest.mark.parametrize("version", ["1.0.0", "1.0.0-rc.1", "0.8.0", "0.9.0"])
    def test_refuses_what_exists_or_goes_back(self, version: str):
        with pytest.raises(VersionTaken):
            check_next(version, ["1.0.0", "0.9.0"])

    def test_lets_anything_be_the_first(self):
        check_next("0.0.1-alpha", [])
