"""Destroys personal values in the trail: those of one person, or those past their time. Entries and leaves stay.

What goes is each value with the key of its commitment; the act itself is an entry that names what it took from, so a
verifier tells an erased value from one that somebody removed. Only a function of the database can do it
(`tenants/schema/trail.py`), and taking away is all it can do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, text

from app.audit import leaf
from app.audit.events import ValuesErased
from app.audit.gate import KEEP, require_right
from app.audit.queries.signed import commitments_of
from app.kernel.errors import Invalid
from app.kernel.trail import Entry as TrailEntry
from app.kernel.work import Work
from app.web.translations import mark

SYSTEM_ONLY = {"erase_expired": "called by the job that keeps the workspace's own policy"}
_PAGE: Final = 500  # entries of one act
Choice = Callable[[TrailEntry, frozenset[str]], frozenset[str]]  # of the paths that an entry has, those to go


class ErasureReasonMissing(Invalid):
    """Nobody destroys anything without saying why."""


def erase_person(work: Work, *, person_id: UUID, reason: str) -> int:
    """Destroy the name, reasons and personal values of one person wherever they acted or were acted on.

    Returns how many entries lost something. Repeatable: what is gone is not looked for again.
    Raises NotPermitted, ErasureReasonMissing.
    """
    require_right(work, KEEP)
    if not reason.strip():
        raise ErasureReasonMissing(mark("Say why these values are erased."), errors=[("/reason", "missing")])

    def choose(entry: TrailEntry, paths: frozenset[str]) -> frozenset[str]:
        acted = {leaf.ACTOR_NAME, leaf.REASON} if entry.actor_id == person_id else set()
        meant = entry.subject_id == person_id and entry.action != ValuesErased.type  # the act itself has its own reason
        return paths & (acted | (paths - {leaf.ACTOR_NAME} if meant else frozenset()))

    of_person = or_(TrailEntry.actor_id == person_id, TrailEntry.subject_id == person_id)
    return _erase(work, of_person, choose, subject=person_id, reason=reason.strip(), by_policy=False)


def erase_expired(work: Work, *, before: datetime) -> int:
    """Destroy every personal value of entries older than that business time. Returns how many lost something."""
    return _erase(
        work,
        TrailEntry.at < before,
        lambda _entry, paths: paths,
        subject=work.tenant.id,
        reason=None,
        by_policy=True,
    )


def _erase(
    work: Work,
    which: ColumnElement[bool],
    choose: Choice,
    *,
    subject: UUID,
    reason: str | None,
    by_policy: bool,
) -> int:
    count = 0
    for page in _pages(work, which):
        taken = [found for entry in page if (found := _taken(work, entry, choose)) is not None]
        if taken:
            work.session.execute(_ERASE, {"entries": json.dumps(taken)})
            named = [str(one["id"]) for one in taken]
            work.record(ValuesErased(subject_id=subject, entries=named, by_policy=by_policy, reason=reason))
            count += len(taken)
    work.session.expire_all()
    return count


def _pages(work: Work, which: ColumnElement[bool]) -> Iterator[Sequence[TrailEntry]]:
    """Entries that still hold a personal value, by id."""
    holds = or_(TrailEntry.salt != "", TrailEntry.personal["keys"] != {})
    last = UUID(int=0)
    while True:
        query = select(TrailEntry).where(which, holds, TrailEntry.id > last).order_by(TrailEntry.id).limit(_PAGE)
        page = work.session.scalars(query).all()
        if not page:
            return
        last = page[-1].id
        yield page


def _taken(work: Work, entry: TrailEntry, choose: Choice) -> dict[str, Any] | None:
    """What is to go from one entry, and the keys of what stays; None where nothing of it is there."""
    kept = commitments_of(entry, work.tenant.id)
    if kept is None:
        return None
    version, paths = int(kept["v"]), frozenset(kept["commitments"])
    keys = leaf.field_keys(entry.salt, kept["commitments"], version=version) if entry.salt else kept.get("keys", {})
    going = choose(entry, paths) & keys.keys()
    if version == leaf.FIRST_FORMAT and going:
        going = paths  # one key for all of them: what is kept would give away what is not
    if not going:
        return None
    stays = {path: key for path, key in keys.items() if path not in going}
    return {"id": str(entry.id), "drop": sorted(going), "keep": stays, "personal": kept}


_ERASE = text("SELECT cell.erase_trail_values(CAST(:entries AS jsonb))")
