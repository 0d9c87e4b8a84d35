"""The job decorator and what a job gets: short transactions in its tenant, the last of which also completes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from app.kernel.actor import Actor, job_actor
from app.kernel.errors import Conflict, SlipwayError
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, Outcome, TryAgain
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.tenant import Tenant

FIRST_LEASE = 15.0  # seconds; a claim knows no kind yet, whose own lease the first heartbeat gives


class LeaseLost(Conflict):
    """Another worker has this job now, or it is finished: what this one was about to write is rolled back."""


NOT_YET: Final = object()


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job under this worker's lease; `epoch` fences it off from every other claim."""

    tenant_id: UUID
    id: UUID
    kind: str
    args: dict[str, Any]
    epoch: int
    attempts: int
    trace_id: str
    begun: object = NOT_YET  # what its kind did first, in the transaction that claimed it
    queue: str = "default"
    deaths: int = 0  # workers that were lost while they ran it, in a row
    asked: timedelta = timedelta()  # how long ago it was asked for


# The run first, then the job's arguments by name; anything but Done puts the job elsewhere than in the past.
JobFunction = Callable[..., Outcome]
# What a kind does before anything else: (work, arguments). It raises before it has written anything, or not at all.
First = Callable[[Work, dict[str, Any]], object]
# What a kind does for timers of one tenant that came due together: (work, the arguments of each).
Together = Callable[[Work, Sequence[dict[str, Any]]], None]
# What is to be said in the transaction that ends a job for good without its function: (work, arguments, reason).
GivenUp = Callable[[Work, dict[str, Any], str], None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job and its policy. `lease` is renewed by a side thread while the job runs.

    `lasts` is how long after it was asked for it may still be begun: what asks for a later try for ever ends then.
    """

    name: str
    function: JobFunction
    attempts: int
    lease: timedelta
    given_up: GivenUp | None = None
    first: First | None = None
    together: Together | None = None
    lasts: timedelta | None = None


_kinds: dict[str, JobKind] = {}


def job(
    name: str,
    *,
    attempts: int = 8,
    lease: timedelta = timedelta(seconds=15),
    given_up: GivenUp | None = None,
    first: First | None = None,
    together: Together | None = None,
    lasts: timedelta | None = None,
) -> Callable[[JobFunction], JobFunction]:
    """Register a function as a kind of job (`connectors.execute_run`).

    `first` is what `JobRun.first` gives: done in the transaction that claims the job where that is a tenant's own,
    else in a transaction before all else.

    `given_up` is called in the transaction that ends the job for good when its function could not: after the last
    attempt, or when its workers died each time. What the job was for must not stay half done in silence.

    `together` is what `app.kernel.queue.timers` calls for several timers at once; without it, each has a job.

    `lasts` is after how long a job that asks for one try after the other is set aside as poisoned.
    """

    def register(function: JobFunction) -> JobFunction:
        if name in _kinds:
            raise ValueError(f"two jobs are called {name}")
        _kinds[name] = JobKind(name, function, attempts, lease, given_up, first, together, lasts)
        return function

    return register


def job_kind(name: str) -> JobKind | None:
    """The registered kind of that name."""
    return _kinds.get(name)


@dataclass
class JobRun:
    """One run of one job: its tenant, its place in the trace, and its transactions.

    Where a `worker` is named, the transaction that completes the job claims the first it has asked for: `following`.
    """

    runtime: Runtime
    tenant: Tenant
    job: ClaimedJob
    worker: str = ""
    finished: bool = field(default=False, init=False)
    following: ClaimedJob | None = field(default=None, init=False)
    _covered: list[UUID] = field(default_factory=list, init=False)

    @property
    def actor(self) -> Actor:
        """The job itself; who caused it is in the trail under the same trace id."""
        return job_actor(self.job.id, self.job.kind)

    @property
    def last_attempt(self) -> bool:
        """Whether a further failure is final."""
        kind = job_kind(self.job.kind)
        return kind is None or self.job.attempts >= kind.attempts

    @property
    def ends_alone(self) -> bool:
        """Whether nothing else is to be written when it is done."""
        return not self._covered

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Open a transaction in the tenant; raises LeaseLost where the job has gone to somebody else."""
        with open_work(self.runtime, self.tenant, self.actor, trace_id=self.job.trace_id) as work:
            if not work.ask(b"SELECT cell.holds_job($1, $2)", self.job.id, self.job.epoch):
                raise LeaseLost(f"job {self.job.id} is no longer held at epoch {self.job.epoch}")
            yield work

    def first(self) -> Any:
        """What the kind does first: the claim's transaction has done it, or it is done now in one of its own.

        Raises what the kind's `first` raises, and LookupError for a kind that has none.
        """
        if self.job.begun is not NOT_YET:
            return self.job.begun
        kind = job_kind(self.job.kind)
        if kind is None or kind.first is None:
            raise LookupError(f"{self.job.kind} does nothing first")
        with self.work() as work:
            return kind.first(work, self.job.args)

    @contextmanager
    def finish(self, outcome: Outcome | None = None) -> Iterator[Work]:
        """Open the transaction that also completes the job: both happen or neither (compare-and-set on the epoch)."""
        with open_work(self.runtime, self.tenant, self.actor, trace_id=self.job.trace_id) as work:
            yield work
            ended = outcome or Done()
            self._complete(work, ended)
            onward = self.worker and isinstance(ended, Done)
            following = self._go_on(work) if onward else None
        self.finished, self.following = True, following

    def _go_on(self, work: Work) -> ClaimedJob | None:
        """Claim what this work has asked for, and do what it does first: one commit for both."""
        begun = work.begin_job(self.worker, seconds=FIRST_LEASE)
        if begun is None:
            return None
        kind, done = job_kind(begun.kind), NOT_YET
        if kind and kind.first:
            with work.acting(job_actor(begun.id, begun.kind)), suppress(SlipwayError):  # it will say why by itself
                done = kind.first(work, begun.args)
        return ClaimedJob(self.tenant.id, begun.id, begun.kind, begun.args, begun.epoch, 1, begun.trace_id, done)

    def reads_for_later(self, work: Work) -> None:
        """Say, before the first read, that this run does what those that wait on its lane would do.

        They are of its kind and were asked for before what is read now; they end with it.
        """
        self._covered = work.session.execute(_LATER, {"id": self.job.id}).scalar_one()

    def _complete(self, work: Work, outcome: Outcome) -> None:
        state, run_at, error = "done", None, None
        match outcome:
            case TryAgain(after=after, reason=reason):
                state, run_at, error = "ready", work.database_now + after, reason
            case GiveUp(reason=reason, poisoned=True):
                state, error = "poisoned", reason
            case GiveUp(reason=reason) | NeedsPerson(reason=reason):
                state, error = "failed", reason
            case Done():
                pass
        if not work.ask(_FINISH, self.job.id, self.job.epoch, state, run_at, error):
            raise LeaseLost(f"job {self.job.id} is no longer held at epoch {self.job.epoch}")
        if self._covered and state == "done":
            work.session.execute(_COVER, {"ids": self._covered})


_LATER = text("SELECT cell.later_on_lane(:id)")
_COVER = text("SELECT cell.finish_waiting(:ids)")
_FINISH = b"SELECT cell.finish_job($1, $2, $3, $4, $5)"
