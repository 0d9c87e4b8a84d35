"""Every template of the library: whatever people do, an onboarding of it comes to its end."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from app.bootstrap.commands.templates.actions import run_templates
from app.flow.simulate import look
from app.flow.simulation.edges import ANY, edges_of
from app.templates.library import LIBRARY, list_shelves, open_shelf

SHELVES = list_shelves()
LANGUAGES = ("en", "de", "ar")
COMPLETE = (
    "erp/rollout-across-vendors",
    "integrator/custom-integration",
    "msp/midmarket-services",
    "saas/enterprise-launch",
)


@pytest.fixture(scope="module")
def seed() -> int:
    """Where the histories of this run begin; printed, so that a dead end can be walked again."""
    chosen = random.SystemRandom().randrange(10**6)
    print(f"seed {chosen}")  # noqa: T201 - what walks the same histories again
    return chosen


class TestLibrary:
    @pytest.mark.parametrize("name", SHELVES)
    def test_leads_histories_to_an_end(self, name: str, seed: int):
        """A few that nobody has chosen; twenty of each version are in `TestSimulation`, ten thousand in `make soak`."""
        definition = open_shelf(name).effective().compile()
        for number in range(seed, seed + 4):
            assert look(definition, number, ANY).status != "running", number

    @pytest.mark.parametrize("name", SHELVES)
    def test_leads_histories_along_its_edges_to_an_end(self, name: str):
        definition = open_shelf(name).effective().compile()
        for edge in edges_of(definition):
            assert look(definition, 1, edge).status != "running", edge.name

    @pytest.mark.soak
    @pytest.mark.parametrize("name", SHELVES)
    def test_leads_ten_thousand_histories_to_an_end(self, name: str):
        assert run_templates(["simulate", str(LIBRARY / name), "--histories", "10000", "--workers", "2"]) == 0

    @pytest.mark.soak
    @pytest.mark.parametrize("overlay", sorted(LIBRARY.glob("*/*/overlays/*.yaml")), ids=lambda path: str(path.stem))
    def test_leads_ten_thousand_histories_of_a_partners_version_to_an_end(self, overlay: Path):
        long = ["--overlay", str(overlay), "--histories", "10000", "--workers", "2"]
        assert run_templates(["simulate", str(overlay.parents[1]), *long]) == 0

    @pytest.mark.parametrize("name", COMPLETE)
    def test_speaks_three_languages_and_two_partners_words(self, name: str):
        shelf = open_shelf(name)
        assert tuple(shelf.template.document["locales"]) == LANGUAGES
        for partner in [None, *shelf.overlays]:
            assert shelf.effective(partner).compile().title["ar"]
