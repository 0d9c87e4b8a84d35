"""How far a connection has been let out, as pure rules: whether a call is live, goes to a stand-in, or is held."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

if TYPE_CHECKING:
    from app.connectors.kit.manifest import Manifest

Stage = Literal["off", "sandbox", "pilot", "all"]
Verdict = Literal["live", "sandbox", "off", "not_chosen", "changed"]
STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
NEW: Final[Mapping[str, Any]] = {}  # what a connection that is set up now carries: its connector says where it begins
MOST_MARKS: Final = 20  # configurations of one connection that have been let out
_SHARES: Final = 100


@dataclass(frozen=True, slots=True)
class Release:
    """How far a connection is let out. `marks`: the configurations that were, the newest last.

    In a pilot it is live for the onboardings that were `chosen`, and for `share` per cent of all others.
    """

    stage: Stage = "off"
    share: int = 0
    chosen: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()

    @classmethod
    def read(cls, kept: Mapping[str, Any], *, custom: bool) -> Self:
        """From what stands in a connection's config; one that nobody has decided of begins by its connector."""
        if "stage" not in kept:
            return cls("off" if custom else "all")
        return cls(kept["stage"], kept.get("share", 0), tuple(kept.get("chosen", ())), tuple(kept.get("marks", ())))

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        return {"stage": self.stage, "share": self.share, "chosen": list(self.chosen), "marks": list(self.marks)}


def mark_of(manifest: Manifest, config: Mapping[str, Any]) -> str:
    """The fingerprint of what is validated and let out: what is set, and the connector's first version number.

    Credentials are no part of it: they prove themselves. Nor is the number of the version: what was let out before is
    let out again when somebody goes back to it.
    """
    said = {name: config.get(name) or {} for name in ("settings", "mappings")}
    said |= {"level": config.get("level") or manifest.default_level, "provider": manifest.provider}
    said |= {"major": manifest.version.partition(".")[0]}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]


def verdict_on(kept: Mapping[str, Any] | None, manifest: Manifest, config: Mapping[str, Any], about: str) -> Verdict:
    """Whether a call about that onboarding may go out (REQUIREMENTS 1.9, P4 and P7).

    None is a connection from before there were stages: it is live. So is one of a connector that is no custom
    integration, until somebody takes it through the steps.
    """
    if kept is None:
        return "live"
    release = Release.read(kept, custom=manifest.custom)
    if release.stage in {"off", "sandbox"}:
        return "off" if release.stage == "off" else "sandbox"
    if not kept.get("stage"):
        return "live"
    if mark_of(manifest, config) not in release.marks:
        return "changed"
    return "live" if release.stage == "all" or is_in_pilot(release, about) else "not_chosen"


def is_in_pilot(release: Release, about: str) -> bool:
    """Whether an onboarding is one of the pilot's; a greater share keeps all that were in a smaller one."""
    return about in release.chosen or (about != "" and place_of(about) < release.share)


def place_of(about: str) -> int:
    """Where an onboarding stands among 100, the same each time it is asked."""
    return int.from_bytes(hashlib.sha256(about.encode()).digest()[:4]) % _SHARES
