"""Versions that came from somebody who ended them: what pages tell whoever offers or runs one.

Who knows of ends stands above templates, and is wired in by bootstrap; where nobody is, nothing has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy.orm import Session

from app.kernel.runtime import Runtime


@dataclass(frozen=True, slots=True)
class End:
    """That a version taken over is deprecated, withdrawn or taken_down: since when, why, what instead, until when.

    `digest` and `number` are of the template in it; `version` is what the publisher calls it, `newer` what there is to
    go to on the listing, "" for nothing.
    """

    template_id: str
    digest: str
    number: str
    version: str
    state: str
    reason: str
    at: datetime
    replaced_by: str
    ends_on: str
    newer: str
    listing: str


@dataclass(frozen=True, slots=True)
class Ends:
    """Finds what an organisation has taken and should leave; in its scope in `control`."""

    find: Callable[[Session], list[End]]


def ends_of(runtime: Runtime, session: Session, template_id: str | None = None) -> list[End]:
    """The ends that concern an organisation, or one template of it; in its scope."""
    known = cast("Ends | None", runtime.services.get(Ends))
    found = known.find(session) if known else []
    return [each for each in found if template_id in {None, each.template_id}]


def end_of(ends: Iterable[End], *, digest: str = "", number: str = "") -> End | None:
    """The end of the version with that address, or of that number, if it has ended."""
    return next((each for each in ends if digest == each.digest or (number and number == each.number)), None)
