"""Asks for a right. Who has which is decided above the trail (`app.access`); bootstrap wires the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.kernel.work import Work

READ: Final = "audit:trail:read"
EXPORT: Final = "audit:trail:export"
KEEP: Final = "audit:trail:keep"


@dataclass(frozen=True, slots=True)
class Gate:
    """The service that knows; `require` raises what says why not, `may` only says whether the roles go that far."""

    require: Callable[[Work, str], None]
    may: Callable[[Work, str], bool]


def require_right(work: Work, permission: str) -> None:
    """Go on only if the actor may do this in this tenant. Raises NotPermitted of `app.access`."""
    work.service(Gate).require(work, permission)


def may(work: Work, permission: str) -> bool:
    """Whether the actor may, for pages that offer only what they can do; some of it after a fresh proof."""
    return work.service(Gate).may(work, permission)
