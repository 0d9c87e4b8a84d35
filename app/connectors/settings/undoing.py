"""Has a run undone by the action that its connector names for it: a person decides, nothing does so by itself."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.runner import Runner
from app.connectors.models import Run
from app.connectors.operations import RunRequest, request_run
from app.connectors.runs.ending import run_name
from app.connectors.settings.events import CompensationAsked
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.work import Work
from app.web.translations import mark

_UNDOING: Final = 1_000_000  # the number of the run that undoes run n of an item is n more than this
_OVER: Final = frozenset({"succeeded", "unknown"})


class RunUnknown(Missing):
    """There is no such run in this workspace."""


class NothingToUndo(Conflict):
    """The run has had no effect, or nobody knows how to undo it."""


class UndoingUnexplained(Invalid):
    """Undoing something needs a reason."""


def list_undoable(work: Work, onboarding_id: UUID) -> list[UUID]:
    """Runs of an onboarding that can be undone and are not being undone yet, the oldest first. Raises NotPermitted."""
    require(work, Permission.CONNECTION_WRITE)
    runs = list(work.session.scalars(select(Run).where(Run.onboarding_id == onboarding_id).order_by(Run.requested_at)))
    asked = {run.id for run in runs}
    return [run.id for run in runs if _undone_by(run) not in asked and _can_be_undone(work, run)]


def compensate_run(work: Work, run_id: UUID, *, reason: str, onboarding_id: UUID | None = None) -> UUID:
    """Ask for the run that undoes this one, once, whoever asks again. Returns its id.

    `onboarding_id`: only where it is a run of that onboarding.
    It goes like any other: by the connection's level, its gate, its own strategy after silence. Raises NotPermitted,
    RunUnknown, UndoingUnexplained, NothingToUndo where the run failed, its action has no compensation, or what that
    needs is not known.
    """
    require(work, Permission.CONNECTION_WRITE)
    run = work.session.get(Run, run_id, with_for_update=True)
    if run is None or onboarding_id not in {None, run.onboarding_id}:
        raise RunUnknown(mark("There is no such run here."))
    if not reason.strip():
        raise UndoingUnexplained(mark("Say why it is undone."), errors=[("/reason", mark("Say why it is undone."))])
    undo, given = _undoing(work, run)
    made = _undone_by(run)
    if work.session.get(Run, made) is None:
        asked = RunRequest(run.onboarding_id, run.item_key, run.connector, undo, given, _UNDOING + run.number)
        made = request_run(work, asked)
        told = {"connector": run.connector, "action": run.action, "undo": undo, "by_run": str(made)}
        work.announce(
            CompensationAsked(subject_id=run.id, onboarding_id=run.onboarding_id, reason=reason.strip(), **told)
        )
    return made


def _undone_by(run: Run) -> UUID:
    """The run that undoes it, whether or not it was asked for: as `request_run` names it."""
    return run_name(run.onboarding_id, run.item_key, _UNDOING + run.number)


def _can_be_undone(work: Work, run: Run) -> bool:
    try:
        return bool(_undoing(work, run))
    except (NothingToUndo, ConnectorNotFound):  # its connector may have been taken out of the installation
        return False


def _undoing(work: Work, run: Run) -> tuple[str, dict[str, Any]]:
    """The action that undoes a run, and what it is given: what the run gave, else what it was given."""
    connector, action = work.service(Runner).registry.get_action(run.connector, run.action)
    if run.state not in _OVER or not action.compensate:
        raise NothingToUndo(mark("This run has done nothing that its connector can undo."))
    known = run.input | (run.result or {})
    wanted = connector.manifest.actions[action.compensate].input["properties"]
    given = {name: known[name] for name in wanted if name in known}
    if connector.unfit(action.compensate, given):
        raise NothingToUndo(mark("What is needed to undo this run is not known. Look at the other system."))
    return action.compensate, given
