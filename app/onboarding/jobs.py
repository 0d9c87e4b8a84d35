"""Queue doors of running work: what follows an admission, a connector run and a due timer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.connectors.events import RunEnded
from app.connectors.runs.ending import CANCELLED, hears_of_runs, held_before_runs
from app.flow import events as flow
from app.flow.decide import OnboardingEnded
from app.flow.steps.work import StaleAction
from app.intake.operations import record_failed_start
from app.kernel.errors import Invalid, Missing, SlipwayError
from app.kernel.outcomes import Done, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, LeaseLost, job
from app.kernel.queue.timers.together import timer_job
from app.kernel.trail import get_entry
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.drifts import follow
from app.onboarding.lifecycle.operations import start_next, tell_not_started
from app.onboarding.operations.advance import lock_ahead
from app.onboarding.operations.moments import Moment
from app.onboarding.talk.news import write_to_watchers
from app.onboarding.upgrades.stepping import give_up, step_on
from app.vault.files.folder import FileFolder

_LATER = timedelta(minutes=5)


@job("onboarding.start")
def start(run: JobRun, *, event_id: str) -> Outcome:
    """A deal was admitted in this home: make its tenant, start its onboarding there, close the deal here.

    What no further try can mend goes back to a person: the deal is held, with the reason.
    """
    try:
        return operations.start_from_admission(run, UUID(event_id))
    except LeaseLost:
        raise
    except SlipwayError as error:
        if not (run.last_attempt or isinstance(error, Invalid)):
            raise
        reason = f"The onboarding cannot start: {error}"
    with run.finish() as home:
        deal_id = get_entry(home.session, UUID(event_id)).subject_id
        record_failed_start(home, deal_id=deal_id, reason=reason)
        if run.tenant.kind == "sandbox":  # nobody corrects a made-up deal: its page says why nothing is in it
            operations.leave_empty(home, reason)
    return Done()


@job("onboarding.fill_sandbox", given_up=lambda work, _args, reason: operations.leave_empty(work, reason))
def fill_sandbox(run: JobRun) -> Outcome:
    """A sandbox was founded: give it made-up people, a made-up deal and the onboarding that follows from it."""
    return operations.fill_sandbox(run)


held_before_runs(lock_ahead)


@hears_of_runs
def take_answer(work: Work, ended: RunEnded) -> None:
    """A run that the engine asked for has ended: go on in the same transaction."""
    if ended.onboarding_id is not None and ended.outcome != CANCELLED:
        with suppress(StaleAction, OnboardingEnded):
            result = run_result(ended.body(), ended.reason)
            operations.record_run(work, onboarding_id=ended.onboarding_id, result=result)


@job("onboarding.record_run")
def record_run(run: JobRun, *, event_id: str) -> Outcome:
    """A run ended and the engine could not be told at once. What nothing waits for any more changes nothing."""
    try:
        with run.finish() as work:
            entry = get_entry(work.session, UUID(event_id))
            if entry.onboarding_id is not None and entry.body["outcome"] != CANCELLED:
                result = run_result(entry.body, entry.reason)
                operations.record_run(work, onboarding_id=entry.onboarding_id, result=result)
    except (StaleAction, OnboardingEnded):
        return Done()
    return Done()


@timer_job("onboarding.fire_timer")
def fire_timers(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """Rungs of SLAs came due."""
    _meet(work, due, lambda one: flow.TimerFired(timer=one["timer"], rung=one["rung"], version=one["version"]))


@timer_job("onboarding.remind")
def remind(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """The next reminders of steps came due."""
    _meet(work, due, lambda one: flow.ReminderDue(item=one["item"], version=one["version"]))


@timer_job("onboarding.send_waiting")
def send_waiting(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """The readers of letters work again."""
    operations.send_waiting(work, {UUID(one["subject_id"]): one["version"] for one in due})


@timer_job("onboarding.retry_exception")
def retry_exceptions(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """The moments of retries came."""
    _meet(work, due, lambda one: flow.RetryDue(exception=one["exception"], version=one["version"]))


@timer_job("onboarding.age_exception")
def age_exceptions(work: Work, due: Sequence[dict[str, Any]]) -> None:
    """Somebody was to have responded to exceptions by now."""
    _meet(work, due, lambda one: flow.ExceptionAged(exception=one["exception"], version=one["version"]))


@job("onboarding.start_next", given_up=tell_not_started)
def start_what_follows(run: JobRun, *, subject_id: str, lifecycle: str, version: int, due_at: str) -> Outcome:
    """A run has ended, or a person wants it: begin what follows. What no further try can mend is told in its trail."""
    del version, due_at  # the id of what follows makes it happen once
    try:
        return start_next(run, onboarding_id=UUID(subject_id), lifecycle=lifecycle)
    except (Missing, Invalid) as error:
        return NeedsPerson(f"{error}")


@job("onboarding.project_card")
def project_card(run: JobRun, *, onboarding_id: str) -> Outcome:
    """Bring the onboarding's line in the partner's lists up to date."""
    operations.refresh_card(run, UUID(onboarding_id))
    return Done()


@job("onboarding.project_all_cards")
def project_all_cards(run: JobRun, *, event_id: str) -> Outcome:
    """The tenant was imported: its onboardings are new to the lists of this installation."""
    with run.finish() as work:
        operations.refresh_all_cards(work, UUID(event_id))
    return Done()


@job("onboarding.follow_drift")
def follow_drift(run: JobRun, *, event_id: str) -> Outcome:
    """What a CRM says of a sale differs, or no longer does: what its onboarding writes waits, or goes on."""
    return follow(run, UUID(event_id))


@job("onboarding.tell_watchers")
def tell_watchers(run: JobRun, *, onboarding_id: str) -> Outcome:
    """Something happened a while ago: those who watch it get one letter each."""
    write_to_watchers(run, UUID(onboarding_id))
    return Done()


@job("onboarding.remove_file", attempts=12)
def remove_file(run: JobRun, *, address: str) -> Outcome:
    """A file was taken back: its bytes go. Without its key they are worth nothing already."""
    try:
        run.runtime.service(FileFolder).remove(run.tenant.id, address)
    except OSError as trouble:
        return TryAgain(after=_LATER, reason=f"the folder of files cannot be used: {trouble.strerror}")
    return Done()


@job("onboarding.upgrade", given_up=give_up)
def upgrade(run: JobRun, *, upgrade_id: str, tenant_id: str, step: str) -> Outcome:
    """One step of an upgrade of many: look at, let go on, or take back the onboardings of one workspace."""
    return step_on(run, UUID(upgrade_id), UUID(tenant_id), step)


def _meet(work: Work, due: Sequence[dict[str, Any]], moment_of: Callable[[dict[str, Any]], Moment]) -> None:
    operations.meet_moments(work, [(UUID(one["subject_id"]), moment_of(one)) for one in due])


def run_result(body: dict[str, object], reason: str | None) -> flow.Event:
    """The engine's event for an ended run."""
    task, request = str(body["item_key"]), int(str(body["number"]))
    match body["outcome"]:
        case "succeeded":
            result = body["result"]
            return flow.ActionSucceeded(task=task, request=request, result=result if isinstance(result, dict) else {})
        case "unknown":
            return flow.ActionUnknown(task=task, request=request, error=reason or "the outcome is not known")
        case _:
            return flow.ActionFailed(task=task, request=request, error=reason or "the action failed")
