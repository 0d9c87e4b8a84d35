"""Does something to all jobs that are meant, workspace by workspace: counts that add up, and what went wrong by job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.queue.care.found import ENDED, FoundJob, Wanted, find_jobs
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.tenancy.care.operations import CHANGED, Result, cancel_jobs, retry_jobs
from app.tenancy.rules import check_reason
from tenants.registry import find_tenant
from tenants.sessions import DatabaseAway, lookup_session

Act = Literal["retry", "cancel"]
# What can be done to a job in which state: what a worker has runs to its end.
STATES_FOR: Final[dict[Act, tuple[str, ...]]] = {"retry": ENDED, "cancel": ("ready", "dispatched")}
_DO: Final[dict[Act, Callable[..., dict[FoundJob, Result]]]] = {"retry": retry_jobs, "cancel": cancel_jobs}
_ENTERED: Final = frozenset({"active", "suspended"})
_PAGE: Final = 1_000  # jobs a look
_AT_ONCE: Final = 100  # jobs of one workspace in one transaction, and so in one entry of its trail
_TOLD: Final = 50  # troubles that are kept by job; the others are counted


@dataclass
class Outcome:
    """How it went: `counts` by word, which add up to `chosen`; `troubles` are jobs that were refused, and why."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[tuple[FoundJob, str]] = field(default_factory=list)

    @property
    def chosen(self) -> int:
        """How many jobs were meant when they were found."""
        return self.counts.total()

    def note(self, job: FoundJob, result: Result) -> None:
        """One more."""
        word = "refused" if result.startswith("refused") else "changed" if result == CHANGED else result
        self.counts[word] += 1
        if word == "refused" and len(self.troubles) < _TOLD:
            self.troubles.append((job, result.partition(": ")[2]))


def carry_out(runtime: Runtime, act: Act, wanted: Wanted, actor: Actor, *, reason: str) -> Outcome:
    """Retry or cancel everything that is meant, in every cell. What fails in one workspace ends no other.

    Raises ReasonMissing before anything is done, and DatabaseAway where a cell's jobs cannot be read.
    """
    check_reason(reason)
    outcome = Outcome()
    for cell in runtime.databases.cells:
        for page in _pages(runtime, cell, wanted):
            for tenant_id, own in groupby(sorted(page, key=lambda job: job.tenant_id), key=lambda job: job.tenant_id):
                for batch in _batches(list(own)):
                    for job, result in _act_in(runtime, tenant_id, act, batch, actor, reason).items():
                        outcome.note(job, result)
    return outcome


def _pages(runtime: Runtime, cell: str, wanted: Wanted) -> Iterator[list[FoundJob]]:
    after: UUID | None = None
    while page := find_jobs(runtime.databases, cell, wanted, most=_PAGE, after=after):
        after = page[-1].id
        yield page


def _batches(jobs: list[FoundJob]) -> Iterator[list[FoundJob]]:
    for first in range(0, len(jobs), _AT_ONCE):
        yield jobs[first : first + _AT_ONCE]


def _act_in(
    runtime: Runtime, tenant_id: UUID, act: Act, jobs: Sequence[FoundJob], actor: Actor, reason: str
) -> dict[FoundJob, Result]:
    with lookup_session(runtime.databases) as (session, _now):
        tenant = find_tenant(session, tenant_id)
    if tenant is None:
        return dict.fromkeys(jobs, "refused: its workspace is not in the directory")
    try:
        with open_work(runtime, tenant, actor, trace_id=new_id().hex, states=_ENTERED) as work:
            return _done(work, act, jobs, reason)
    except (SlipwayError, DatabaseAway) as error:
        return dict.fromkeys(jobs, f"refused: {error}")


def _done(work: Work, act: Act, jobs: Sequence[FoundJob], reason: str) -> dict[FoundJob, Result]:
    return _DO[act](work, jobs, reason=reason)
