"""Asks for a right. Who has which is decided above the trail (`app.access`); bootstrap wires the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.kernel.errors import Forbidden
from app.kernel.work import Work

READ: Final = "audit:trail:read"
EXPORT: Final = "audit:trail:export"
ERASE: Final = "audit:trail:erase"
KEEP: Final = "audit:trail:keep"


@dataclass(frozen=True, slots=True)
class Gate:
    """The service that knows; `require` raises what says why not."""

    require: Callable[[Work, str], None]


def require_right(work: Work, permission: str) -> None:
    """Go on only if the actor may do this in this tenant. Raises NotPermitted of `app.access`."""
    work.service(Gate).require(work, permission)


def may(work: Work, permission: str) -> bool:
    """Whether the actor may, for pages that offer only what they can do."""
    try:
        work.service(Gate).require(work, permission)
    except Forbidden:
        return False
    return True
