"""Service packages: what was sold decides what runs, not the order in which it is named."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.templates.overlay import apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.packages.checking import check_package
from app.templates.packages.document import read_package
from app.templates.packages.stitching import sell
from tests.unit.templates.packages.samples import package
from tests.unit.templates.samples import managed_services

PLACES = ("milestone.people_ready", "milestone.first_ticket_solved", "milestone.environment_known")
ADD_ONS = [
    {
        "id": f"extra-{number}",
        "title": {"en": f"Extra {number}"},
        "adds": [
            {"id": "visit", "place": place, "task": {"title": {"en": "Visit"}, "kind": "meeting", "owner": "csm"}}
        ],
    }
    for number, place in enumerate((*PLACES, PLACES[0]))
]
NAMES = [str(each["id"]) for each in ADD_ONS]
SOLD = package(add_ons=ADD_ONS)
CHECKED = Checked()


class TestSell:
    @settings(max_examples=8, deadline=None)
    @given(names=st.lists(st.sampled_from(NAMES), unique=True), data=st.data())
    def test_makes_the_same_of_the_same_add_ons_in_any_order(self, names: list[str], data: st.DataObject):
        base = apply_overlays(managed_services(), checked=CHECKED)
        shuffled = data.draw(st.permutations(names))
        one, other = sell(SOLD, names, base, CHECKED), sell(SOLD, shuffled, base, CHECKED)
        assert one.digest == other.digest
        new = one.compile().items.keys() - base.compile().items.keys()
        assert new == {f"task.{each.replace('-', '_')}_visit" for each in names}

    def test_fits_in_every_choice_and_reads_back_as_it_was_written(self):
        base = apply_overlays(managed_services())
        assert check_package(SOLD, base) == []
        assert read_package(SOLD.document).digest == SOLD.digest
