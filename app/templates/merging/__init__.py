"""Differences of two documents, and overlays brought to another version with nothing lost. Pure."""

from app.templates.merging.conflicts import Conflict, ConflictKind
from app.templates.merging.difference import Change, difference
from app.templates.merging.layout import rewritten
from app.templates.merging.resolving import Own, ResolutionRefused
from app.templates.merging.upgrade import Upgrade, UpgradeRefused, upgrade_overlay

__all__ = [
    "Change",
    "Conflict",
    "ConflictKind",
    "Own",
    "ResolutionRefused",
    "Upgrade",
    "UpgradeRefused",
    "difference",
    "rewritten",
    "upgrade_overlay",
]
