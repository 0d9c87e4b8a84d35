"""What is known of a record after a look, and what somebody decides about it."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import keep_document, lock_document
from app.audit.queries.documents import find_document
from app.connectors.drift.events import DriftCorrected, DriftFound, DriftSettled, LookAsked
from app.connectors.drift.holding import hold_writes, release
from app.connectors.drift.records import (
    DRIFT,
    Drift,
    Hold,
    Place,
    ending_of,
    find_drift,
    hold_of,
    list_drifts,
    list_holds,
    settled,
)
from app.connectors.drift.rules import Answer, find_differences, merge
from app.connectors.drift.sources import Ours, Theirs
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.work import Work
from app.web.translations import mark

FOUND = Counter("slipway_drift_found", "Records of which another system says something else.", ["connector", "source"])
SYSTEM_ONLY = {"note_look": "called by the job that has looked"}
MOST_LISTED: Final = 200  # records of a list
_LONGEST_REASON: Final = 300
_LANE: Final = "drift"


class DriftUnknown(Missing):
    """There is no such record that drifted in this workspace."""


class NothingOpen(Conflict):
    """It is settled already, or the two systems agree again."""


class SettlementUnexplained(Invalid):
    """What is decided of a record is kept with its reason."""


def note_look(work: Work, place: Place, ours: Ours, theirs: Theirs) -> Drift | None:
    """Keep what differs, let writes to the record wait or go on. None where it has always agreed.

    Two looks at once are noted one after the other; the second finds what the first has written.
    """
    before = find_drift(work.session, place.id)
    salt = before.salt if before else token_hex(16)
    agreed = before.agreed if before else {}
    if not find_differences(ours.fields, theirs.fields, salt=salt, agreed=agreed, now=work.now) and before is None:
        return None
    kept = lock_document(work, DRIFT, str(place.id))  # from here on nobody else notes or settles it
    before = Drift.read(kept.body) if kept.version else None
    fresh = before or Drift(place=place, title=ours.title, salt=salt, found_at=work.now.isoformat(), seen_at="")
    found = find_differences(ours.fields, theirs.fields, salt=fresh.salt, agreed=fresh.agreed, now=work.now)
    after = replace(
        fresh,
        title=ours.title,
        names=ours.names,
        onboarding_id=ours.onboarding_id,
        seen_at=work.now.isoformat(),
        differences=tuple(merge(fresh.differences, found, at=work.now.isoformat())),
    )
    _follow(work, before, after)
    return after


def settle_drift(
    work: Work, drift_id: UUID, *, answer: Answer, reason: str, fields: frozenset[str] = frozenset()
) -> Drift:
    """Decide what holds of a record; with `fields` of these only. What waited goes on once nothing of it is open.

    `theirs`: their value holds from now on; a write that carries ours ends for a person, all others go on. `ours`: they
    may say what they say, and what waited goes on. `give_up`: what waited is not made. Raises NotPermitted,
    DriftUnknown, NothingOpen, SettlementUnexplained (REQUIREMENTS 1.10, gate 2).
    """
    require(work, Permission.CONNECTION_WRITE)
    if not reason.strip():
        said = mark("Write down why: what is decided here is kept with its reason.")
        raise SettlementUnexplained(said, errors=[("/reason", said)])
    before = get_drift(work, drift_id, lock=True)
    why, said_at = reason.strip()[:_LONGEST_REASON], work.now.isoformat()
    after = settled(before, fields, answer, by=work.actor.name, at=said_at, reason=why)
    if not after.last or after.last["at"] != said_at or not after.last["fields"]:
        raise NothingOpen(mark("This is settled already. Look at it again."))
    keep_document(work, DRIFT, str(drift_id), after.body())
    waited = _go_on(work, after) if not after.open else 0
    told: dict[str, Any] = {"answer": answer, "fields": after.last["fields"], "waited": waited, "reason": why}
    told |= _about(after)
    work.announce(DriftSettled(subject_id=drift_id, onboarding_id=after.onboarding_id, **told))
    return after


def ask_look(work: Work) -> None:
    """Have everything that other systems hold as well compared at once. Raises NotPermitted."""
    require(work, Permission.CONNECTION_WRITE)
    work.enqueue("connectors.look_for_drift", lane=_LANE)
    work.announce(LookAsked(subject_id=work.tenant.id))


def get_drift(work: Work, drift_id: UUID, *, lock: bool = False) -> Drift:
    """One record that drifted. Raises NotPermitted, DriftUnknown."""
    require(work, Permission.CONNECTION_READ)
    found = find_document(work.session, DRIFT, str(drift_id), lock=lock)
    if found is None or not found.version:
        raise DriftUnknown(mark("This is not here. It may belong to another workspace."))
    return Drift.read(found.body)


def read_drifts(work: Work) -> tuple[list[Drift], list[Hold]]:
    """Every record that drifted, those to decide first; and what holds writes back. Raises NotPermitted."""
    require(work, Permission.CONNECTION_READ)
    return list_drifts(work.session), list_holds(work.session)


def _follow(work: Work, before: Drift | None, after: Drift) -> None:
    keep_document(work, DRIFT, str(after.id), after.body())
    was = {each.field for each in before.differences if each.state == "open"} if before else set()
    new = [each.field for each in after.differences if each.state == "open" and each.field not in was]
    if after.open:
        hold_writes(work, hold_of(after))
    about: dict[str, Any] = {"subject_id": after.id, "onboarding_id": after.onboarding_id} | _about(after)
    if new:
        FOUND.labels(after.place.connector, after.place.source).inc()
        work.announce(DriftFound(**about, fields=new))
    elif was and not after.open:
        _go_on(work, after)
        work.announce(DriftCorrected(**about, fields=sorted(was)))


def _go_on(work: Work, drift: Drift) -> int:
    """Nothing of it is open any more: what waited goes on as each field was decided."""
    changed, given_up = ending_of(drift)
    return release(work, drift.id, changed=changed, given_up=given_up)


def _about(drift: Drift) -> dict[str, str]:
    return {"connector": drift.place.connector, "source": drift.place.source, "record": drift.place.record}
