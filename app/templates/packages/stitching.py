"""What a sold package makes of a template: one overlay of the package, then one of each add-on that was sold. Pure.

They lie upon the effective document that a lane has pinned, as every overlay does: who set a value is told by its
overlay, a locked path stays as it is, and what does not fit is refused with its place.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from app.templates.document import Source
from app.templates.language import address
from app.templates.overlay import Effective, apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.overlays.marks import check_marks
from app.templates.overlays.patching import Patching
from app.templates.overlays.reading import Overlay
from app.templates.packages.document import Addition, AddOn, Package, Text, Tier
from app.templates.packages.leaving_out import leave_out, parts_of
from app.templates.packages.patches import Patch
from app.templates.rules import Problem, TemplateRefused
from app.templates.schema import check_schema

Ladder = Sequence[Mapping[str, Any]]


def stitch(package: Package, sold: Collection[str], upon: Effective) -> tuple[Overlay, ...]:
    """The overlays of a package that was sold with these add-ons, in the package's order however they are named.

    Nothing to say makes none. Raises PackageUnfit for an add-on that it has not, and TemplateRefused.
    """
    for name in sold:
        package.add_on(name)
    add_ons = [each for each in package.content.add_ons if each.id in sold]
    work = _Stitching(package, upon)
    work.lay(f"package-{package.id}", package.content.title, work.of_package())
    for each in add_ons:
        work.lay(f"{package.id}-with-{each.id}", each.title, work.of_add_on(each))
    return tuple(work.overlays)


def sell(package: Package, sold: Collection[str], upon: Effective, checked: Checked | None = None) -> Effective:
    """The document that an onboarding runs by. Raises PackageUnfit, TemplateRefused."""
    overlays = stitch(package, sold, upon)
    if not overlays:
        return upon
    return apply_overlays(upon.template, (*upon.overlays, *overlays), checked=checked)


class _Stitching:
    """The document under way, so that each overlay names the address of what it lies upon."""

    def __init__(self, package: Package, upon: Effective) -> None:
        self.package, self.template = package, upon.template
        document = copy.deepcopy(dict(upon.document))
        self.under = Patching(document, list(upon.locks))
        self.overlays: list[Overlay] = []
        if package.content.template != upon.template.id:
            message = f"It stands on {package.content.template}, and this is {upon.template.id}."
            self._refuse([Problem(self._file, 1, 1, message, "Sell a package of this template, or change the lane.")])

    @property
    def _file(self) -> str:
        return f"package {self.package.id}"

    def of_package(self) -> dict[str, Any]:
        """The patch of the package itself: what it leaves out, its level of service, what is always in it."""
        patch, content = Patch(), self.package.content
        leave_out(patch, self.under.document, content.leaves_out)
        gone = set(content.leaves_out)
        if content.tier is not None:
            self._serve(patch, content.tier, gone)
        self._add(patch, content.adds)
        return patch.document

    def of_add_on(self, add_on: AddOn) -> dict[str, Any]:
        """The patch of an add-on."""
        patch = Patch()
        self._add(patch, add_on.adds)
        return patch.document

    def lay(self, name: str, title: Text, said: Mapping[str, Any]) -> None:
        """Make an overlay of a patch and lay it upon what is there. Raises TemplateRefused."""
        if not said:
            return
        content, digest = self.package.content, address(self.under.document)
        base = {"id": self.template.id, "version": self.template.version, "digest": digest}
        document = {
            "slipway": "1",
            "overlay": name,
            "version": content.version,
            "partner": content.partner,
            "title": dict(title),
            "base": base,
            "patch": dict(said),
        }
        source = Source(name, document, {}, {})
        self._refuse(check_schema(source, "overlay") or check_marks(source))
        overlay = Overlay(document, address(document), source)
        self.under.apply(overlay)
        self._refuse(self.under.problems)
        self.overlays.append(overlay)

    def _add(self, patch: Patch, additions: Sequence[Addition]) -> None:
        places = parts_of(self.under.document)
        for addition in additions:
            part = places.get(addition.place)
            if part is None:
                message = f"There is no “{addition.place}” in {self.template.id} {self.template.version}."
                fix = f"“{addition.id}” needs another place."
                self._refuse([Problem(self._file, 1, 1, message, fix)])
                continue
            for section, elements in addition.brings.items():
                inside = section in {"milestones", "gates", "tasks"}
                for element in elements:
                    patch.add((*part.words, section) if inside else (section,), element)

    def _serve(self, patch: Patch, tier: Tier, gone: Collection[str]) -> None:
        """The level of service upon the timers and troubles that are there; one that is not there is refused."""
        timers = {each["id"]: each for each in self.under.document.get("timers", ())}
        parts = parts_of(self.under.document)
        for name, times in tier.timers.items():
            timer = timers.get(name, {"item": "", "ladder": ()})
            part = parts.get(timer["item"])
            if part and {part.key, *part.above} & set(gone):
                continue  # what it watched over is not sold
            if len(timer["ladder"]) != len(times):
                message = f"The timer “{name}” has {len(timer['ladder'])} steps here, and the tier sets {len(times)}."
                self._refuse([Problem(self._file, 1, 1, message, "Publish the package for this version.")])
            patch.change(("timers", name), {"ladder": list(_rungs(timer["ladder"], times))})
        for name, time in tier.exceptions.items():
            patch.change(("exceptions", name), {"respond_within": time})

    def _refuse(self, problems: Sequence[Problem]) -> None:
        if problems:
            raise TemplateRefused(problems)


def _rungs(ladder: Ladder, times: Sequence[Mapping[str, int]]) -> Iterator[dict[str, Any]]:
    for rung, time in zip(ladder, times, strict=True):
        yield {**rung, "after": dict(time)}
