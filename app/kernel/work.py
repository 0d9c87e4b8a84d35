"""Work: one unit of work is one transaction in one tenant's scope. Only here is a tenant's change committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.actor import Actor, Rights
from app.kernel.errors import Unavailable
from app.kernel.events import Event, plain
from app.kernel.ids import new_id
from app.kernel.marks import Marks, TrailFacts
from app.kernel.runtime import Runtime, Service
from tenants.line import Line, line_of
from tenants.sessions import Entered, Founding, TenantOutdated, founding_session, tenant_session
from tenants.tenant import Tenant

JOBS = "jobs"  # the topic the dispatcher listens to
# What a chain of steps asks for at each of them is done for those of a second at once: half a worker's time otherwise.
_GATHERING = timedelta(seconds=1)


# Word for word as in frontend/errors/upgrading.html, where it is translated.
_UPGRADING = "This workspace is being upgraded. Nothing is lost; try again in a minute."


class TenantNotActive(Unavailable):
    """The tenant is being set up, suspended or on its way out: it does no work. `state` says which."""

    retry_after = 60

    def __init__(self, state: str) -> None:
        super().__init__(f"This workspace is {state} and does no work at the moment.")
        self.state = state
        self.extensions = {"state": state}


class TenantUpgrading(Unavailable):
    """The tenant's schema has not been brought to what this build needs."""

    retry_after = 60


class Cap(NamedTuple):
    """What bears only so many jobs of a tenant at once, such as `connection:<id>`."""

    key: str
    most: int


class BegunJob(NamedTuple):
    """A job that this work has asked for and claimed at once."""

    id: UUID
    kind: str
    args: dict[str, Any]
    epoch: int
    trace_id: str


class Work:
    """What an operation gets: the session, whose data, who acts, the business time, and the marks it leaves."""

    def __init__(self, runtime: Runtime, session: Session, *, tenant: Tenant, actor: Actor, entered: Entered) -> None:
        self.session = session
        self.tenant = tenant
        self.actor = actor
        self.now = entered.business_now
        self.database_now = entered.database_now
        self.trace_id = ""
        self.topics: set[str] = set()
        self._runtime = runtime
        self._marks = Marks()
        self._gathered: list[dict[str, Any]] = []

    def service(self, kind: type[Service]) -> Service:
        """The wired service of that type. Raises LookupError where bootstrap has wired none."""
        return self._runtime.service(kind)

    @cached_property
    def line(self) -> Line:
        """The driver's connection inside this transaction: for the statements that every change sends."""
        return line_of(self.session.connection())

    @cached_property
    def rights(self) -> Rights:
        """The roles this actor has in this tenant, read in this very transaction: revocation acts at once."""
        found = self._runtime.load_rights(self.session, self.tenant, self.actor, self.database_now)
        for event in found.entered:
            self.record(event, on_behalf_of=found.on_behalf_of)
        return found

    def announce(self, event: Event, *, on_behalf_of: UUID | None = None, lane_seq: int | None = None) -> UUID:
        """Write what happened into the trail and the outbox, under one id. Returns the id.

        `lane_seq` is the journal number of an onboarding's event: subscribers get one onboarding's events in order.
        """
        entry_id = self.record(event, on_behalf_of=on_behalf_of)
        self.pass_on(entry_id, event, lane_seq=lane_seq)
        return entry_id

    def pass_on(self, entry_id: UUID, event: Event, *, lane_seq: int | None = None) -> None:
        """Tell subscribers, after the commit, of an event that the trail has: the outbox half of `announce`."""
        lane = str(event.onboarding_id) if event.onboarding_id and lane_seq is not None else None
        row = {"tenant_id": self.tenant.id, "id": entry_id, "type": event.type, "state": "new"}
        row |= {"lane": lane, "lane_seq": lane_seq, "trace_id": self.trace_id, "created_at": self.database_now}
        self._marks.add("outbox", row)
        self.topics |= {JOBS, f"live:{self.tenant.id}"}

    def record(self, event: Event, *, on_behalf_of: UUID | None = None) -> UUID:
        """Write what happened into the trail only: nobody is told. Returns the entry's id.

        What somebody does by a delegation says so, as far as their rights were asked.
        """
        rights: Rights = self.__dict__.get("rights", Rights())
        by = {"delegations": [str(each) for each in rights.delegations]} if rights.delegations else {}
        facts = TrailFacts(
            id=new_id(),
            tenant_id=self.tenant.id,
            at=self.now,
            actor_kind=self.actor.kind,
            actor_id=self.actor.id,
            actor_name=self.actor.name,
            on_behalf_of=on_behalf_of or rights.on_behalf_of,
            action=event.type,
            subject_kind=event.subject_kind,
            subject_id=event.subject_id,
            onboarding_id=event.onboarding_id,
            reason=event.reason,
            trace_id=self.trace_id,
            body=event.body() | by,
            personal=event.personal,
        )
        made = self._runtime.make_leaf(facts)
        row = {name: getattr(facts, name) for name in TrailFacts.__slots__ if name not in {"tenant_id", "personal"}}
        row |= {"salt": made.salt, "leaf_hash": made.leaf_hash, "personal": made.personal}
        self._marks.add("trail", row)
        return facts.id

    def enqueue(
        self,
        kind: str,
        *,
        args: dict[str, object] | None = None,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
        queue: str = "default",
        lane: str | None = None,
        gathered: bool = False,
        cap: Cap | None = None,
    ) -> UUID:
        """Ask for a job after the commit; the same `dedupe_key` asks only once. `run_at` is on the database's clock.

        Of those that have the same `cap`, no more than it says are on their way or running: others wait in the queue.

        One that is `gathered` is also done by the next of its lane: it waits a second where this work goes on at once.
        """
        job_id = new_id()
        row = {"tenant_id": self.tenant.id, "id": job_id, "kind": kind, "queue": queue, "args": plain(args or {})}
        row |= {"lane": lane, "lane_seq": None, "dedupe_key": dedupe_key or str(job_id), "state": "ready"}
        row |= {"run_at": run_at or self.database_now, "created_at": self.database_now, "trace_id": self.trace_id}
        row |= {"attempts": 0, "epoch": 0} | ({"cap_key": cap.key, "cap_most": cap.most} if cap else {})
        self._marks.add("job", row)
        if gathered:
            self._gathered.append(row)
        self.topics.add(JOBS)
        return job_id

    def ask(self, statement: bytes, *values: object) -> Any:
        """The one value of a statement that every job sends, in the driver's own words: the ORM costs more than it."""
        row = self.line.ask(statement, *values)
        return row[0] if row else None

    def settle(self) -> None:
        """Send the rows that are still to be sent and hear what was said to those sent ahead: refused now or never."""
        self.session.flush()
        self.line.settle()

    @contextmanager
    def acting(self, actor: Actor) -> Iterator[None]:
        """What happens meanwhile is done by somebody else, with their rights: by a job, or in the name of a person."""
        before, self.actor = self.actor, actor
        rights = self.__dict__.pop("rights", None)
        try:
            yield
        finally:
            self.actor = before
            self.__dict__.pop("rights", None)
            if rights is not None:
                self.__dict__["rights"] = rights

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A part of this work that may fail alone: what it raises goes on, its rows and marks never were."""
        marks, topics, trace_id = self._marks.copy(), set(self.topics), self.trace_id
        try:
            with self.session.begin_nested():
                self.session.connection()  # the savepoint is set now, not when somebody asks for the connection
                yield
        except BaseException:  # whatever it was, it is raised again: only what it left is taken back
            self._marks, self.topics, self.trace_id = marks, topics, trace_id
            raise

    def begin_job(self, worker: str, *, seconds: float) -> BegunJob | None:
        """Claim, in this very transaction and as its last act, the first job it asks for that nothing holds back.

        Whoever commits this work is to run it at once, as if a dispatcher had handed it out. None where there is none,
        and in a drained cell.
        """
        free = (row for row in self._marks.rows.get("job", ()) if row["lane"] is None and row["queue"] == "default")
        row = next((row for row in free if row["run_at"] <= self.database_now), None)
        if row is None:
            return None
        for other in self._gathered:
            other["run_at"] = self.database_now + _GATHERING
        self.flush_marks()
        epoch = self.ask(_BEGIN_JOB, row["id"], worker, seconds)
        return None if epoch is None else BegunJob(row["id"], row["kind"], row["args"], int(epoch), row["trace_id"])

    def set_timer(
        self, kind: str, *, subject_id: UUID, due_at: datetime, version: int, args: dict[str, object] | None = None
    ) -> UUID:
        """Run the job `kind` at a business time. To move or cancel it, raise the subject's version."""
        timer_id = new_id()
        row = {"tenant_id": self.tenant.id, "id": timer_id, "kind": kind, "subject_id": subject_id}
        row |= {"version": version, "args": plain(args or {}), "due_at": due_at, "state": "waiting"}
        self._marks.add("timer", row | {"trace_id": self.trace_id, "created_at": self.database_now})
        return timer_id

    def write_journal(self, row: dict[str, object]) -> None:
        """Add one journal entry (columns of the `journal` table); `(onboarding_id, seq)` is unique."""
        self._marks.add("journal", row)

    def write_message(self, row: dict[str, object]) -> None:
        """Add one letter to somebody (columns of the `message` table); it is there to be read after the commit."""
        self._marks.add("message", row)

    def remember_command(self, key: str, *, fingerprint: str, result: dict[str, object]) -> None:
        """Store a command's key and result with its effects: sent twice, applied once."""
        row = {"key": key, "fingerprint": fingerprint, "result": plain(result), "at": self.database_now}
        self._marks.add("command", row)

    def admit_once(self, source: str, external_id: str) -> bool:
        """Take a message from outside into the inbox; False when this tenant has had it already."""
        values = {"tenant": self.tenant.id, "source": source, "external": external_id}
        values |= {"id": new_id(), "at": self.database_now}
        taken = self.session.connection().execute(_ADMIT, values)
        return taken.rowcount == 1

    def mark_trail(self, entries: Sequence[UUID] = ()) -> None:
        """Say that entries of the trail have no leaf yet; none named: that all of them are to be looked at."""
        row = {"tenant_id": self.tenant.id, "id": entries[0] if entries else new_id(), "made_at": self.database_now}
        self._marks.add("trail_mark", row | {"entries": [str(entry) for entry in entries]})

    def flush_marks(self) -> None:
        """Write the state and its marks. Called by whoever opened the work, right before the commit."""
        self.session.flush()
        if entries := [row["id"] for row in self._marks.rows.get("trail", ())]:
            self.mark_trail(entries)
        self._marks.write(self.line)
        self._marks = Marks()


_ADMIT = text(
    "INSERT INTO cell.inbox (tenant_id, source, external_id, id, received_at)"
    " VALUES (:tenant, :source, :external, :id, :at) ON CONFLICT DO NOTHING"
)


_BEGIN_JOB = b"SELECT cell.begin_job($1, $2, $3)"


@contextmanager
def upgraded() -> Iterator[None]:
    """Around whatever enters a tenant: raises TenantUpgrading where its schema is too old for this build."""
    try:
        yield
    except TenantOutdated as error:
        raise TenantUpgrading(_UPGRADING) from error


@contextmanager
def open_work(
    runtime: Runtime, tenant: Tenant, actor: Actor, *, trace_id: str, states: frozenset[str] = frozenset({"active"})
) -> Iterator[Work]:
    """One transaction as this actor in this tenant; commits at the end with all its marks, or leaves nothing.

    Raises TenantNotActive when the tenant's state, read in the same round trip as the scope, is not in `states`.
    """
    with upgraded(), tenant_session(runtime.databases, tenant, actor=actor.label) as (session, entered):
        if entered.state not in states:
            raise TenantNotActive(entered.state)
        work = Work(runtime, session, tenant=tenant, actor=actor, entered=entered)
        work.trace_id = trace_id
        yield work
        work.flush_marks()
    if work.topics:
        runtime.wake.publish(work.topics)


@dataclass(frozen=True, slots=True)
class Founded:
    """A tenant with its place; `work` where it is still to be filled, in the transaction that also makes it active."""

    tenant: Tenant
    work: Work | None


@contextmanager
def open_founding(
    runtime: Runtime, tenant: Tenant, wanted: Founding, actor: Actor, *, trace_id: str
) -> Iterator[Founded | None]:
    """Give a new tenant its place; what is done in the `with` and its being active commit together, or nothing does.

    Gives None where the gateway has no free place. `tenant` says whose it is; its place is filled in here.
    """
    work = None
    with founding_session(runtime.databases, tenant.cell, wanted, actor=actor.label) as found:
        if found is None:
            yield None
            return
        session, claimed, entered = found
        placed = replace(tenant, schema=claimed.schema, role=claimed.role, gateway=claimed.gateway)
        if entered is None:
            yield Founded(replace(placed, state=claimed.state), None)
            return
        work = Work(runtime, session, tenant=placed, actor=actor, entered=entered)
        work.trace_id = trace_id
        yield Founded(placed, work)
        work.flush_marks()
    runtime.wake.publish(work.topics)
