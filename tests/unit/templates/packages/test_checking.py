"""Whether a package fits its template however it is sold."""

from __future__ import annotations

from typing import Any

from app.templates.overlay import apply_overlays
from app.templates.packages.checking import check_package
from tests.unit.templates.packages.samples import gold, package
from tests.unit.templates.samples import managed_services


def add_on(name: str, **task: Any) -> dict[str, Any]:
    wanted = {"title": {"en": "Ring"}, "kind": "meeting", "owner": "csm"} | task
    addition = {"id": "ring", "place": "milestone.people_ready", "task": wanted}
    return {"id": name, "title": {"en": name.title()}, "adds": [addition]}


class TestCheckPackage:
    def test_finds_nothing_wrong_with_one_that_fits(self):
        assert check_package(package(), apply_overlays(managed_services())) == []

    def test_says_with_which_add_on_it_does_not_fit_and_says_it_once(self):
        wrong = package(add_ons=[*gold()["add_ons"], add_on("phone", owner="nobody")])
        found = check_package(wrong, apply_overlays(managed_services()))
        assert [each.sold_with for each in found] == [("Phone",)]
        assert "There is no role “nobody”" in found[0].problem.message

    def test_says_of_the_package_itself_what_is_wrong_without_any(self):
        found = check_package(package(leaves_out=["stage.handoff"]), apply_overlays(managed_services()))
        assert {each.sold_with for each in found} == {()}
        assert any("locked" in each.problem.message for each in found)
