"""Brings an overlay from the document it was written for to another version: a three-way merge that loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.kernel.errors import Conflict as Unfit
from app.templates.document import Position, Source
from app.templates.language import address
from app.templates.merging.conflicts import Conflict
from app.templates.merging.finding import Found, Versions, find_conflicts
from app.templates.merging.resolving import Resolution, check_resolutions, settled
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.edits import edits_of
from app.templates.overlays.tree import path_at, words_at
from app.templates.rules import Path, Problem


class UpgradeRefused(Unfit):
    """The two versions are not of one template."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What came of an upgrade: while a conflict is open there is no overlay.

    `carried` are the places of edits that go on untouched, `redundant` of those that the new version says by itself;
    they stay in the patch, so that the way back leads to the same overlay.
    """

    overlay: Overlay | None
    effective: Effective | None
    conflicts: tuple[Conflict, ...]
    open: tuple[Conflict, ...]
    carried: tuple[str, ...]
    redundant: tuple[str, ...]


def upgrade_overlay(
    old: Effective, new: Effective, overlay: Overlay, resolutions: Mapping[str, Resolution] | None = None
) -> Upgrade:
    """The overlay for `new`, from that for `old`: templates, or templates with the overlays before it in its chain.

    Raises TemplateRefused where it does not fit `old` or where what comes out is no template, UpgradeRefused,
    ResolutionRefused.
    """
    if old.template.id != new.template.id:
        raise UpgradeRefused(f"{old.template.id} and {new.template.id} are not versions of one template.")
    ours = apply_overlays(old.template, [*old.overlays, overlay])
    patch = overlay.document["patch"]
    versions = Versions(old.document, new.document, ours.document, patch, new.locks)
    found = find_conflicts(versions, edits_of(patch, old.document))
    taken = resolutions or {}
    check_resolutions(found.conflicts, taken)
    left = tuple(each for each in found.conflicts if each.path not in taken)
    if left:
        return _told(found, left)
    upgraded = _rewritten(overlay, new, settled(versions, found.conflicts, taken))
    effective = apply_overlays(new.template, [*new.overlays, upgraded])
    return _told(found, (), upgraded, effective)


def _told(
    found: Found, left: tuple[Conflict, ...], overlay: Overlay | None = None, effective: Effective | None = None
) -> Upgrade:
    return Upgrade(overlay, effective, found.conflicts, left, found.carried, found.redundant)


def _rewritten(overlay: Overlay, new: Effective, patch: dict[str, Any]) -> Overlay:
    base = {"id": new.template.id, "version": new.template.version, "digest": new.digest}
    document = {**overlay.document, "base": base, "patch": patch}
    return Overlay(document, address(document), _Rewritten(overlay.source.file, document, {}, {}, overlay.source))


@dataclass(frozen=True, slots=True)
class _Rewritten(Source):
    """A document that came of another one: what it says is told at the place in the file it came from."""

    before: Source | None = None

    def place(self, path: Path) -> Position:
        """Where the same words stand in the file."""
        return self.before.place(self._there(path)) if self.before else (1, 1)

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem at the same words of the file."""
        place = self._there(path)
        found = self.before.problem(place, message, fix, key=key) if self.before else None
        return found or Problem(self.file, 1, 1, message, fix)

    def _there(self, path: Path) -> Path:
        return path_at(self.before.document if self.before else {}, words_at(self.document, path))
