"""What must have held all along, read from what clients were told, what the product saw, and what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import msgspec

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.flow import events
from app.flow.state import Proposal
from app.kernel.queue.sequencing import KIND
from app.onboarding.operations.operator.history import verify_history
from tests.factories.main_job import MainJob
from tests.integration.onboarding.checker.clients import Case

# The sequencer's one job a tenant is used again, by design.
_CANARIES = "SELECT DISTINCT c FROM {}.<table> t, unnest(%s::text[]) c WHERE strpos(to_jsonb(t)::text, c) > 0"
_ENDED = "SELECT id, state, epoch, finished_at FROM cell.job WHERE finished_at IS NOT NULL AND kind <> %s"


def note_the_ended(shop: MainJob, cases: Iterable[Case], jobs: dict[UUID, Any]) -> None:
    """Remember what has ended, as it was when it was first seen so."""
    for row in shop.installation.cell(_ENDED, KIND):
        jobs.setdefault(row.id, row)
    for case in cases:
        case.ended = case.ended or next(iter(_ended(case)), None)


def violations(shop: MainJob, cases: list[Case], jobs: dict[UUID, Any]) -> Iterator[str]:
    """Every invariant that does not hold, by its number."""
    now = {row.id: row for row in shop.installation.cell(_ENDED, KIND)}
    yield from (f"I2 job {key}: {row} became {now.get(key)}" for key, row in jobs.items() if now.get(key) != row)
    for case in cases:
        yield from (f"{case.canary}: {said}" for said in _of_case(shop, case))
    yield from _of_effects(shop, cases)
    yield from _of_delivery(shop)
    yield from _of_timers(shop)
    yield from _of_canaries(shop, cases)
    yield from _of_webhooks(shop, cases)


def _of_case(shop: MainJob, case: Case) -> Iterator[str]:
    rows = shop.installation.rows
    journal = {e.seq: e for e in rows(case.tenant, "SELECT * FROM {}.journal WHERE onboarding_id = %s", case.id)}
    commands = Counter(row.key for row in rows(case.tenant, "SELECT key FROM {}.command"))
    by_people = sorted(seq for seq, entry in journal.items() if entry.actor_kind == "person")
    told = sorted(seq for each in case.answered for seq in range(each.first, each.last + 1))
    if by_people != told:
        yield f"I1 people's entries {by_people}, answered {told}"
    yield from (
        f"I1 {each.key} is stored {commands[each.key]} times" for each in case.answered if commands[each.key] != 1
    )
    if case.ended and _ended(case) != [case.ended]:
        yield f"I2 {case.ended} became {_ended(case)}"
    with shop.installation.work(case.tenant, shop.lead) as work:
        yield from (f"I3 {said}" for said in verify_history(work, case.id))
    yield from _of_approvals([journal[seq] for seq in sorted(journal)])
    [left] = rows(
        case.tenant, "SELECT (SELECT count(*) FROM {}.trail) AS trail, (SELECT count(*) FROM {}.leaf) AS leaves"
    )
    if left.trail != left.leaves:
        yield f"I7 {left.trail} entries of the trail, {left.leaves} leaves"
    open_ = rows(case.tenant, "SELECT 1 FROM {}.exception WHERE subject_id = %s AND resolved_at IS NULL", case.id)
    if not case.ended and not open_:
        query = "SELECT key, state FROM {}.item WHERE onboarding_id = %s AND state IN ('open', 'running', 'blocked')"
        left = {row.key: row.state for row in rows(case.tenant, query, case.id)}
        runs = rows(case.tenant, "SELECT item_key, number, state FROM {}.run WHERE onboarding_id = %s", case.id)
        yield f"I10 it has neither ended nor an exception that somebody sees: {left}, {runs}; refused: {case.refused}"


def _of_effects(shop: MainJob, cases: list[Case]) -> Iterator[str]:
    keys = Counter(effect["key"] for effect in shop.product.effects)
    yield from (f"I4 {count} effects under {key}" for key, count in keys.items() if count > 1)
    for case in cases:
        query = "SELECT idempotency_key FROM {}.run WHERE onboarding_id = %s AND state = 'succeeded'"
        for row in shop.installation.rows(case.tenant, query, case.id):
            if keys[row.idempotency_key] != 1:
                yield f"I4 {case.canary}: succeeded, with {keys[row.idempotency_key]} effects"


def _of_delivery(shop: MainJob) -> Iterator[str]:
    jobs = {(row.tenant_id, row.dedupe_key): row for row in shop.installation.cell("SELECT * FROM cell.job")}
    entries: dict[UUID, set[UUID]] = {}
    query = "SELECT o.*, s.schema_name FROM cell.outbox o JOIN cell.slot s USING (tenant_id)"
    for event in shop.installation.cell(query):
        if event.tenant_id not in entries:
            trail = shop.installation.cell(f'SELECT id FROM "{event.schema_name}".trail')  # noqa: S608 - our own schema
            entries[event.tenant_id] = {row.id for row in trail}
        if event.state != "relayed" or event.id not in entries[event.tenant_id]:
            yield f"I5 {event.type} {event.id} is {event.state}; committed: {event.id in entries[event.tenant_id]}"
        for kind in SUBSCRIPTIONS.get(event.type, ()):
            job = jobs.get((event.tenant_id, f"{event.id}:{kind}"))
            if job is None or job.finished_at is None:
                yield f"I5 {kind} has not heard of {event.type} {event.id}"
    yield from _of_lanes(jobs.values())


def _of_approvals(journal: list[Any]) -> Iterator[str]:
    """Who agreed is not who asked; what they had read is what was last asked for; no one does alone what takes two.

    The proposals are followed here anew, from the journal alone.
    """
    asked: dict[str, tuple[Proposal, str]] = {}
    for entry in journal:
        match msgspec.convert(entry.event, events.Event):
            case events.ExceptionResolutionProposed(proposed=wanted):
                asked[wanted.exception] = Proposal(at=entry.at, resolved=wanted), str(entry.actor_id)
            case events.ExceptionResolutionDecided(exception=key, agreed=agreed, proposal=read):
                proposal, requester = asked.pop(key)
                if requester == str(entry.actor_id):
                    yield f"I9 {key} was asked for and agreed to by {requester}"
                if read != proposal.digest:
                    yield f"I9 {key}: {read} was read, {proposal.digest} was {'done' if agreed else 'declined'}"
            case events.ExceptionResolved(exception=key, resolution="skip" | "roll_back" as way):
                yield f"I9 {key}: {way} by {entry.actor_id} alone"


def _of_webhooks(shop: MainJob, cases: list[Case]) -> Iterator[str]:
    """However often it was told: one deal, one onboarding, each message taken in once."""
    for case in cases:
        deals = [row for row in shop.deals() if row.external_id == case.deal]
        begun = shop.installation.rows(case.tenant, "SELECT id FROM {}.onboarding")
        if len(deals) != 1 or [row.id for row in begun] != [case.id]:
            yield f"I1 {case.canary}: {len(deals)} deals and {len(begun)} onboardings of one sale"
    query = "SELECT external_id, count(*) AS n FROM {}.delivery GROUP BY external_id HAVING count(*) > 1"
    yield from (
        f"I1 message {row.external_id} is kept {row.n} times" for row in shop.installation.rows(shop.home, query)
    )


def _of_lanes(jobs: Iterable[Any]) -> Iterator[str]:
    lanes: dict[tuple[UUID, str], list[Any]] = {}
    for job in jobs:
        if job.lane_seq is not None and job.finished_at is not None:
            lanes.setdefault((job.tenant_id, job.lane), []).append(job)
    for lane, told in lanes.items():
        ordered = sorted(told, key=lambda job: job.lane_seq)
        if [job.finished_at for job in ordered] != sorted(job.finished_at for job in ordered):
            yield f"I5 {lane} was told out of order"


def _of_timers(shop: MainJob) -> Iterator[str]:
    query = """
        WITH asked AS (
            SELECT substring(j.dedupe_key from 7) AS timer FROM cell.job j
                WHERE starts_with(j.dedupe_key, 'timer:') AND NOT j.args ? 'ids'
            UNION ALL SELECT jsonb_array_elements_text(j.args -> 'ids') FROM cell.job j
        )
        SELECT t.id, t.state, (SELECT count(*) FROM asked a WHERE a.timer = t.id::text) AS jobs,
               t.fired_at + c.shift < t.due_at AS early, t.state = 'waiting' AND t.due_at < now() + c.shift AS late
        FROM cell.timer t CROSS JOIN cell.clock c
    """
    for row in shop.installation.cell(query):
        if row.jobs != (row.state == "fired") or row.early or row.late:
            yield f"I6 {row}"


def _of_canaries(shop: MainJob, cases: list[Case]) -> Iterator[str]:
    for case in cases:
        strangers = [other.canary for other in cases if other.tenant.id != case.tenant.id]
        for table in ("trail", "journal", "item", "onboarding", "run", "message", "packet", "member"):
            query = _CANARIES.replace("<table>", table)
            for row in shop.installation.rows(case.tenant, query, strangers):
                yield f"I8 {row.c} stands in {table} of {case.canary}"


def _ended(case: Case) -> list[Any]:
    query = "SELECT state, seq, finished_at FROM {}.onboarding WHERE id = %s AND finished_at IS NOT NULL"
    return case.shop.installation.rows(case.tenant, query, case.id)
