"""Templates: the largest one instantiated with three overlays, and the whole library checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from app.templates.library import Shelf, lint_library, list_shelves, open_shelf
from app.templates.overlay import Overlay, apply_overlays, read_overlay
from app.templates.overlays.checked import Checked
from tests.benchmarks.ground import Ground
from tests.benchmarks.measure import Figure, at_most, ms, percentile, sample


def measure(_ground: Ground) -> Iterator[Figure]:
    """The figures of this group; none of them asks a server."""
    shelf = largest()
    overlays = [*shelf.overlays.values()][:1]
    for name in ("distributor", "region", "customer")[len(overlays) :]:
        overlays.append(_titled(shelf, name, overlays))

    checked = Checked()  # as a process keeps it that starts onboardings

    def instantiate() -> None:
        apply_overlays(shelf.template, overlays, checked=checked).compile()

    first = sample(lambda: apply_overlays(shelf.template, overlays).compile(), 5)
    yield Figure("instantiate_largest_3_overlays_first_in_process", ms(percentile(first, 50)), "ms")
    times = sample(instantiate, 40)
    yield Figure("instantiate_largest_3_overlays_p50", ms(percentile(times, 50)), "ms", at_most(50))
    yield Figure("instantiate_largest_3_overlays_p95", ms(percentile(times, 95)), "ms")
    assert not lint_library()
    yield Figure(
        f"lint_library_of_{len(list_shelves())}", percentile(sample(lint_library, 5, warm=1), 50), "s", at_most(5)
    )


def largest() -> Shelf:
    """The template of the library with the most items."""
    shelves = [open_shelf(name) for name in list_shelves()]
    return max(shelves, key=lambda shelf: len(shelf.effective().compile().items))


def _titled(shelf: Shelf, name: str, before: Sequence[Overlay]) -> Overlay:
    """One more overlay on top, as a region or a customer would have: title and texts of its own."""
    title = {language: f"{text} ({name})" for language, text in shelf.template.document["title"].items()}
    texts = {key: dict(value) for key, value in shelf.template.document["texts"].items()}
    digest = apply_overlays(shelf.template, before).digest
    base = {"id": shelf.template.id, "version": shelf.template.version, "digest": digest}
    document = {"slipway": "1", "overlay": f"bench-{name}", "version": "1.0.0", "partner": name, "base": base}
    return read_overlay(json.dumps(document | {"patch": {"title": title, "texts": texts}}), f"{name}.yaml")
