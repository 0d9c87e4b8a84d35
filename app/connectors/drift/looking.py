"""The job that compares: it names the records, then looks at each. The look holds no session."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from app.connectors.drift.holding import forget_old
from app.connectors.drift.operations import note_look
from app.connectors.drift.records import Place
from app.connectors.drift.sources import Asking, Ours, Source, Theirs, find_source, source_names
from app.connectors.models import Connection
from app.connectors.operations import ConnectionView
from app.connectors.tokens.operations import ACTIVE
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Cap, Work
from app.vault.operations import take_connection_secrets

LOOKS = Counter("slipway_drift_looks", "Records compared with another system.", ["connector", "result"])
SYSTEM_ONLY = {"begin_look": "called by the job that looks"}
_PAGE: Final = 100  # records a transaction names
_AT_ONCE: Final = 2  # looks over one connection: what people wait for comes first
_LONGEST: Final = timedelta(hours=1)


def name_records(run: JobRun, *, root: str, source: str, after: str) -> Outcome:
    """Ask for a look at each record of a page, and for the next page. Killed in the middle, it asks for none twice."""
    names = [name for name in source_names() if name >= source]
    with run.finish() as work:
        if not source:
            forget_old(work)
        if names:
            last = _name_page(work, find_source(names[0]), root, after if names[0] == source else "")
            following = (names[0], last) if last else (names[1], "") if len(names) > 1 else None
            if following:
                args: dict[str, object] = {"root": root, "source": following[0], "after": following[1]}
                key = f"drift:{root}:{following[0]}:{following[1]}"
                work.enqueue("connectors.look_for_drift", args=args, queue="bulk", dedupe_key=key)
    return Done()


def _name_page(work: Work, source: Source | None, root: str, after: str) -> str:
    """The place behind which the next page begins, or nothing."""
    found = source.list_places(work, after=after, limit=_PAGE) if source else []
    for _at, place in found:
        if place.source:
            args: dict[str, object] = {
                "source": place.source,
                "connection_id": place.connection_id,
                "connector": place.connector,
                "record": place.record,
            }
            cap, key = Cap(f"drift:{place.connection_id}", _AT_ONCE), f"drift:{root}:{place.id}"
            work.enqueue("connectors.look_at_record", args=args, queue="bulk", dedupe_key=key, cap=cap)
    return found[-1][0] if len(found) == _PAGE else ""


def look_at(run: JobRun, place: Place) -> Outcome:
    """Read one record there and note what differs. A system that is down, or asks for patience, says nothing of it."""
    source = find_source(place.source)
    if source is None:
        return Done()
    with run.work() as work:
        asking = begin_look(work, source, place, run.job.id)
    if asking is None:
        return Done()
    heard = source.ask(run, asking)
    if isinstance(heard, TryAgain) and not run.last_attempt:
        LOOKS.labels(place.connector, "later").inc()
        return TryAgain(min(heard.after, _LONGEST), heard.reason)
    if not isinstance(heard, Theirs):
        LOOKS.labels(place.connector, "unreadable").inc()
        return Done()
    with run.finish() as work:
        ours: Ours | None = source.find_ours(work, place)  # as it is now: it may have been changed meanwhile
        drift = note_look(work, place, ours, heard) if ours == asking.ours else None
    LOOKS.labels(place.connector, "differs" if drift and drift.open else "agrees").inc()
    return Done()


def begin_look(work: Work, source: Source, place: Place, run_id: UUID) -> Asking | None:
    """What is needed to ask; None where nothing is to be compared, or the connection does not work now."""
    row = work.session.get(Connection, place.connection_id)
    ours = source.find_ours(work, place)
    if row is None or row.state != ACTIVE or ours is None:
        return None
    sealed = take_connection_secrets(work, connection_id=row.id, run_id=run_id)
    return Asking(place, ConnectionView(row.id, row.connector, row.config), sealed, ours)
