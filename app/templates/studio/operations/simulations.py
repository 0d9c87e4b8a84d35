"""Has histories of a draft walked: a job in the home, which says how far it is and stops in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import keep_document
from app.audit.queries.documents import find_document
from app.flow.definition import Definition
from app.flow.simulate import TimeOver, Walked, look
from app.flow.simulation.edges import ANY, edges_of
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work
from app.templates.authoring.checking import check_text
from app.templates.lines.chains import Chain, find_beneath
from app.templates.lines.queries import published_shelves
from app.templates.studio.events import DraftSimulated
from app.templates.studio.queries import SIMULATION, find_simulation, get_draft, get_kept
from app.templates.studio.simulated import Found, report_of
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "walk_draft": "called by the job that `ask_simulation` asks for",
    "stop_walking": "called in the transaction that gives that job up",
}
HISTORIES: Final = 200
LONGEST: Final = 20.0  # seconds of walking, also within one history; what was walked until then is what is told
TOLD_IN: Final = 5.0  # seconds for walking to the dead ends again, whose ways are told
_OFTEN: Final = 0.5  # seconds between two words about how far it is


def ask_simulation(work: Work, draft_id: UUID) -> int:
    """Ask for histories of the draft as it is saved; an earlier wish is dropped. Returns the number of the wish.

    Raises NotPermitted, DraftMissing.
    """
    require(work, Permission.TEMPLATE_EDIT)
    draft = get_kept(work.session, draft_id, lock=True)
    before = find_simulation(work.session, draft_id)
    number = before.number + 1 if before else 1
    body = {"state": "waiting", "walked": 0, "of": HISTORIES, "draft": draft.version, "report": None}
    keep_document(work, SIMULATION, draft.key, body | {"number": number})
    args: dict[str, object] = {"draft_id": str(draft_id), "number": number}
    work.enqueue("templates.walk_draft", args=args, lane=f"walk:{draft_id}", queue="bulk")
    work.record(DraftSimulated(subject_id=draft_id, version=draft.version))
    return number


def walk_draft(run: JobRun, draft_id: UUID, number: int) -> Outcome:
    """Walk the draft along its edges and at random; told as it goes. A wish that was dropped is not fulfilled."""
    with run.work() as work:
        asked = find_simulation(work.session, draft_id)
        if asked is None or asked.number != number:
            return Done()
        source = get_draft(work.session, draft_id)[1]
    definition = _compiled(run, source)
    if definition is None:
        _tell(run, draft_id, number, {"state": "refused"})
        return Done()
    total = len(edges_of(definition)) + HISTORIES
    walked: list[Walked] = []
    for each in _walks(definition):
        walked += each
        if not _tell(run, draft_id, number, {"state": "walking", "walked": len(walked), "of": total}):
            return Done()
    report = report_of(definition, Found(walked, total), _clock(TOLD_IN))
    _tell(run, draft_id, number, {"state": "done", "walked": len(walked), "of": total, "report": report})
    return Done()


def stop_walking(work: Work, draft_id: UUID, number: int) -> None:
    """The walk has failed for good: say so, or its page would wait for ever."""
    _note(work, draft_id, number, {"state": "failed"})


def _compiled(run: JobRun, source: str) -> Definition | None:
    organisation_id = run.tenant.organisation_id

    def find(result: str) -> Chain:
        with partner_session(run.runtime.databases, organisation_id, actor=run.actor.label) as (session, _now):
            return find_beneath(published_shelves(session), result)

    effective = check_text(source, find).effective
    return effective.compile() if effective else None


def _walks(definition: Definition) -> Iterator[list[Walked]]:
    """Histories as they are walked, some at a time, until all are or the time is up."""
    is_over, told = _clock(LONGEST), time.monotonic()
    some: list[Walked] = []
    ways = [*((1, edge) for edge in edges_of(definition)), *((seed, ANY) for seed in range(1, HISTORIES + 1))]
    with suppress(TimeOver):  # what was walked until then is what is told
        for seed, edge in ways:
            some.append(look(definition, seed, edge, is_over))
            if time.monotonic() - told >= _OFTEN:
                yield some
                some, told = [], time.monotonic()
    yield some


def _clock(seconds: float) -> Callable[[], bool]:
    """Whether so many seconds have passed from now on."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _tell(run: JobRun, draft_id: UUID, number: int, news: dict[str, Any]) -> bool:
    """Write down how far it is; whether anybody still wants to know."""
    with run.work() as work:
        return _note(work, draft_id, number, news)


def _note(work: Work, draft_id: UUID, number: int, news: dict[str, Any]) -> bool:
    kept = find_document(work.session, SIMULATION, str(draft_id), lock=True)
    if kept is None or kept.body["number"] != number:
        return False
    keep_document(work, SIMULATION, kept.key, {**kept.body, **news})
    return True
