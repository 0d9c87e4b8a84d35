"""Lets a connection out further when its steps are met, and takes it back at any time (REQUIREMENTS 1.9)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, cast
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.connecting.care import get_row
from app.connectors.kit.limits.release import MOST_MARKS, STAGES, Release, Stage
from app.connectors.models import Connection
from app.connectors.pillars.events import StageChanged
from app.connectors.pillars.operations import stamped
from app.connectors.pillars.rules import TRAIL_LENGTH, Step, is_back, missing_for
from app.connectors.pillars.state import Staged, keep_guide
from app.connectors.pillars.viewing import Integration, gather
from app.connectors.settings.operations import NothingSet, roll_back_settings
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.web.translations import mark

_MOST_CHOSEN: Final = 200
_WHOLE: Final = 100
STEP_NAMES: Final[dict[Step, str]] = {
    "scope": mark("Map what flows"),
    "risk": mark("Assess the risk"),
    "consent": mark("Get the customer's consent"),
    "access": mark("Approve unusual access"),
    "connected": mark("Connect"),
    "validated": mark("Validate in a sandbox"),
    "released": mark("Let it out"),
    "end_to_end": mark("Pass an end-to-end test"),
    "quality": mark("Verify the values"),
}


class StepsOpen(Conflict):
    """Steps are open that have to be met before the connection may go as far; the errors name them."""


class StageUnfit(Invalid):
    """The stage cannot be read, or a pilot has nobody in it."""


class NotStaged(Conflict):
    """The connection was live before there were stages, and nobody has taken it through the steps."""


class NothingBefore(Conflict):
    """The connection was in no other stage before this one."""


def set_stage(
    work: Work, connection_id: UUID, stage: str, *, share: int = 0, chosen: Sequence[UUID] = (), reason: str = ""
) -> Release:
    """Let a connection out as far as that, or take it back. Going on needs every step; going back needs none.

    What is let out is the configuration of now: a change of it is held until it is let out as well.

    Raises NotPermitted, ConnectionUnknown, ConnectorNotFound, NotStaged, StageUnfit, StepsOpen.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    wanted = _fit(stage, share, chosen)
    return _set(work, row, gather(work, row, lock=True), wanted, reason)


def roll_back(work: Work, connection_id: UUID, *, reason: str) -> Release:
    """Take the stage before, with the settings of that time. Raises as `set_stage`, NothingBefore, VersionUnknown."""
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    found = gather(work, row, lock=True)
    if len(found.guide.history) < 2:  # noqa: PLR2004  the one of now, and one before
        raise NothingBefore(mark("There is no stage before this one. Stop the connection instead."))
    before = found.guide.history[-2]
    if before.version != found.config.version:
        with suppress(NothingSet):  # another number of the same settings
            roll_back_settings(work, connection_id, before.version, reason=reason)
        row = get_row(work, connection_id, lock=True)
        found = gather(work, row, lock=True)
    wanted = Release(cast("Stage", before.stage), before.share, tuple(before.chosen))
    return _set(work, row, found, wanted, reason)


def _fit(stage: str, share: int, chosen: Sequence[UUID]) -> Release:
    if stage not in STAGES:
        raise StageUnfit(mark("Choose a stage."), errors=[("/stage", mark("Choose one."))])
    if stage != "pilot":
        return Release(stage)
    if not 0 <= share < _WHOLE or len(chosen) > _MOST_CHOSEN or not (share or chosen):
        told = mark("Say for which share of onboardings, from 1 to 99 per cent, or name some.")
        raise StageUnfit(told, errors=[("/share", told)])
    return Release(stage, share, tuple(str(each) for each in chosen))


def _set(work: Work, row: Connection, found: Integration, wanted: Release, reason: str) -> Release:
    if found.old:
        raise NotStaged(mark("This connection was live before there were stages. Begin its steps first."))
    missing = missing_for(wanted.stage, found.states)
    if missing and not is_back(wanted.stage, found.release.stage, STAGES):
        errors = [(f"/steps/{step}", STEP_NAMES[step]) for step in missing]
        raise StepsOpen(mark("Steps are open that have to be met first."), errors=errors)
    marks = found.release.marks
    if not missing and wanted.stage in {"pilot", "all"}:
        marks = (*(each for each in marks if each != found.mark), found.mark)[-MOST_MARKS:]
    made = replace(wanted, marks=marks)
    row.config, row.changed_at = row.config | {"release": made.document()}, work.now
    staged = Staged(
        made.stage, made.share, list(made.chosen), found.config.version, work.actor.name, work.now.isoformat(), reason
    )
    guide = stamped(work, found, found.guide)
    history = guide.history or (Staged("off", 0, [], 0, "", guide.begun_at, ""),)
    keep_guide(work, row.id, replace(guide, history=(*history, staged)[-TRAIL_LENGTH:]))
    event = StageChanged(
        subject_id=row.id,
        before=found.release.stage,
        stage=made.stage,
        share=made.share,
        chosen=len(made.chosen),
        reason=reason.strip() or None,
    )
    work.announce(event)
    return made
