"""The library's template in other versions, and overlays upgraded between them. Not a test."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from app.templates.document import Source
from app.templates.language import Template, address, check_template
from app.templates.merging import Upgrade, upgrade_overlay
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.tree import look, words_of
from tests.unit.templates.samples import managed_services, overlay

Change = Callable[[dict[str, Any]], None]
READY = "stages.rollout.milestones.people_ready"
TRAIN = f"{READY}.tasks.train_staff"


@cache
def old() -> Effective:
    return apply_overlays(managed_services())


def version(change: Change | None = None, number: str = "1.1.0") -> Effective:
    document = copy.deepcopy(dict(managed_services().document))
    document["version"] = number
    if change:
        change(document)
    source = Source("new.yaml", document, {}, {})  # no text of its own: to parse one took half of every test here
    assert check_template(source) == []
    return apply_overlays(Template(document, address(document), source))


def part(document: Mapping[str, Any], path: str) -> Any:
    return look(document, words_of(path))


def of_task(text: str, name: str = "train_staff") -> str:
    """A patch of one task of the rollout."""
    return f"stages: [{{id: rollout, milestones: [{{id: people_ready, tasks: [{{id: {name}, {text}}}]}}]}}]"


def upgraded(patch: str, change: Change | None = None, **resolutions: Any) -> Upgrade:
    """By a path's last word, as each test has one place."""
    new, said = version(change), overlay(patch)
    open_ones = upgrade_overlay(old(), new, said).open
    taken = {each.path: resolutions[each.words[-1]] for each in open_ones if each.words[-1] in resolutions}
    return upgrade_overlay(old(), new, said, taken)


def overlay_of(upgrade: Upgrade) -> Overlay:
    assert upgrade.overlay is not None, upgrade.open
    return upgrade.overlay


def effective_of(upgrade: Upgrade) -> Mapping[str, Any]:
    assert upgrade.effective is not None, upgrade.open
    return upgrade.effective.document
