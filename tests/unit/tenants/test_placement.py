"""Which cell a new tenant goes to."""

from __future__ import annotations

from typing import Any

import pytest

from tenants.cells import CLOSED, CellLoad, NoCell, choose_cell


def cell(name: str, **more: Any) -> CellLoad:
    given: dict[str, Any] = {"region": None, "plans": None, "capacity": None, "state": "open", "tenants": 0}
    return CellLoad(name, **(given | more))


class TestChoosing:
    def test_takes_the_emptiest(self):
        assert choose_cell([cell("a", tenants=5), cell("b", tenants=4), cell("c", tenants=9)]) == "b"

    def test_reckons_with_the_share_of_a_capacity(self):
        small, large = cell("small", tenants=90, capacity=100), cell("large", tenants=500, capacity=10_000)
        assert choose_cell([small, large]) == "large"

    def test_goes_by_name_where_all_else_is_equal(self):
        assert choose_cell([cell("b"), cell("a")]) == "a"

    def test_keeps_to_the_region_that_is_asked_for(self):
        cells = [cell("eu", region="eu", tenants=50), cell("us", region="us")]
        assert choose_cell(cells, region="eu") == "eu"

    def test_lets_a_tenant_without_a_region_go_anywhere(self):
        assert choose_cell([cell("eu", region="eu", tenants=1), cell("us", region="us")]) == "us"

    def test_keeps_a_cell_to_its_plans(self):
        cells = [cell("big", plans=["scale"]), cell("all", tenants=7)]
        assert choose_cell(cells, plan="scale") == "big"
        assert choose_cell(cells, plan="starter") == "all"
        assert choose_cell(cells) == "all"

    def test_takes_the_named_cell_though_another_is_emptier(self):
        assert choose_cell([cell("a", tenants=5), cell("b")], wanted="a") == "a"

    @pytest.mark.parametrize(
        ("cells", "asked", "said"),
        [
            ([], {}, "no cell"),
            ([cell("a")], {"wanted": "b"}, "called b"),
            ([cell("a", state=CLOSED)], {}, "a is closed"),
            ([cell("a", state=CLOSED)], {"wanted": "a"}, "a is closed"),
            ([cell("a", capacity=3, tenants=3)], {}, "a is full (3 of 3)"),
            ([cell("a", region="eu")], {"region": "us"}, "a is in eu"),
            ([cell("a")], {"region": "us"}, "a is in no region"),
            ([cell("a", plans=["scale"])], {"plan": "starter"}, "a takes scale only"),
        ],
    )
    def test_says_why_none_takes_it(self, cells: list[CellLoad], asked: dict[str, str], said: str):
        with pytest.raises(NoCell, match=said.replace("(", r"\(").replace(")", r"\)")):
            choose_cell(cells, **asked)
