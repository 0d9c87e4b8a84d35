"""Tries jobs again, or cancels them, in the transaction that says so in the trail of the workspace they belong to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from sqlalchemy import text

from app.kernel.errors import Invalid, SlipwayError
from app.kernel.queue.care.found import FoundJob
from app.kernel.queue.jobs import job_kind
from app.kernel.work import JOBS, Work
from app.tenancy.events import JobsCancelled, JobsRetried
from app.tenancy.rules import check_reason

SYSTEM_ONLY = {
    "retry_jobs": "an operator's act on the installation, not on a workspace: the door has asked for the right",
    "cancel_jobs": "an operator's act on the installation too, with the same right asked at its door",
}
Result = str  # retried | cancelled | changed (it was in another state by then) | refused: and why
CHANGED: Final = "changed meanwhile"


class JobUnknownHere(Invalid):
    """No such kind of job is known to this build, so it cannot say what its end means."""


def retry_jobs(work: Work, jobs: Sequence[FoundJob], *, reason: str) -> dict[FoundJob, Result]:
    """Put ended jobs back to ready, with all their attempts. Returns how each of them went. Raises ReasonMissing."""
    said = check_reason(reason)
    results = {job: _each(work, partial(_retry, work, job), "retried") for job in jobs}
    done = [job for job, result in results.items() if result == "retried"]
    if done:
        work.record(JobsRetried(subject_id=work.tenant.id, reason=said, jobs=_ids(done), kinds=_kinds(done)))
        work.topics.add(JOBS)
    return results


def cancel_jobs(work: Work, jobs: Sequence[FoundJob], *, reason: str) -> dict[FoundJob, Result]:
    """End jobs that no worker has yet; what they were for is told that they were given up. Raises ReasonMissing."""
    said = check_reason(reason)
    results = {job: _each(work, partial(_cancel, work, job, said), "cancelled") for job in jobs}
    done = [job for job, result in results.items() if result == "cancelled"]
    if done:
        work.record(JobsCancelled(subject_id=work.tenant.id, reason=said, jobs=_ids(done), kinds=_kinds(done)))
    return results


def _each(work: Work, act: Callable[[], bool], word: str) -> Result:
    """One of them: what it refuses leaves nothing of it, and the others go on."""
    try:
        with work.attempt():
            return word if act() else CHANGED
    except SlipwayError as error:
        return f"refused: {error}"


def _retry(work: Work, job: FoundJob) -> bool:
    return bool(work.session.execute(_RETRY, {"id": job.id}).scalar())


def _cancel(work: Work, job: FoundJob, reason: str) -> bool:
    kind = job_kind(job.kind)
    if kind is None:
        raise JobUnknownHere(f"This build knows no job called {job.kind}.")
    row = work.session.execute(_CANCEL, {"id": job.id, "reason": reason}).one()
    if row.kind is None:
        return False
    if kind.given_up:
        kind.given_up(work, row.args, reason)
    return True


def _ids(jobs: Sequence[FoundJob]) -> list[str]:
    return [str(job.id) for job in jobs]


def _kinds(jobs: Sequence[FoundJob]) -> list[str]:
    return sorted({job.kind for job in jobs})


_RETRY = text("SELECT cell.retry_job(:id)")
_CANCEL = text("SELECT kind, args FROM cell.cancel_job(:id, :reason)")
