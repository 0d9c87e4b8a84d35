"""What becomes of a line's own overlays on another version of what they stand on: merged one after the other. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.templates.language import address
from app.templates.lines.chains import CHECKED, Chain
from app.templates.merging import Upgrade, upgrade_overlay
from app.templates.merging.resolving import Resolution
from app.templates.overlay import Effective, Overlay, apply_overlays

Resolutions = Mapping[str, Mapping[str, Resolution]]  # by overlay, by path


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one overlay; `made` is None while a conflict of it is open."""

    before: Overlay
    upgrade: Upgrade
    made: Overlay | None


@dataclass(frozen=True, slots=True)
class UpgradePlan:
    """Every own overlay up to the first that asks something; `chain` and `result` only when nothing is asked."""

    now: Effective
    beneath: tuple[Effective, Effective]  # what the own overlays stand on, now and then
    steps: tuple[Step, ...]
    chain: Chain | None
    result: Effective | None

    @property
    def address(self) -> str:
        """What a person agrees to: everything that it makes, or nothing yet."""
        return self.result.digest if self.result else ""


def plan_upgrade(
    now: Chain, own: int, target: Chain, resolutions: Resolutions, number: Callable[[Overlay], str]
) -> UpgradePlan:
    """Bring the uppermost `own` overlays of a chain onto another chain; `number` gives each its next version.

    Raises TemplateRefused, UpgradeRefused, ResolutionRefused.
    """
    kept = len(now.overlays) - own
    old, new = Chain(now.template, now.overlays[:kept]), target
    beneath = (old.effective(), new.effective())
    steps: list[Step] = []
    for overlay in now.overlays[kept:]:
        upgrade = upgrade_overlay(old.effective(), new.effective(), overlay, resolutions.get(overlay.id, {}))
        made = _numbered(upgrade.overlay, number(overlay)) if upgrade.overlay else None
        steps.append(Step(overlay, upgrade, made))
        if made is None:
            return UpgradePlan(now.effective(), beneath, tuple(steps), None, None)
        old = Chain(old.template, (*old.overlays, overlay))
        new = Chain(new.template, (*new.overlays, made))
    result = apply_overlays(new.template, new.overlays, checked=CHECKED)
    return UpgradePlan(now.effective(), beneath, tuple(steps), new, result)


def _numbered(overlay: Overlay, version: str) -> Overlay:
    document = {**overlay.document, "version": version}
    return Overlay(document, address(document), overlay.source)
