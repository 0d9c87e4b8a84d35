"""The queue doors of webhooks: prove an address, deliver an event. The call holds no session."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter

from app.connectors.webhooks.operations.challenges import begin_challenge, end_challenge
from app.connectors.webhooks.operations.customers import NotHeard, hand_over, hear_of, home_of, may_hear
from app.connectors.webhooks.operations.deliveries import begin_delivery, end_abandoned, end_delivery, end_withheld
from app.connectors.webhooks.operations.messages import Asked, Message
from app.connectors.webhooks.operations.spreading import spread_listeners
from app.connectors.webhooks.rules import pause_before
from app.connectors.webhooks.sender import Answer, Sender
from app.kernel.errors import Unavailable
from app.kernel.outcomes import Done, GiveUp, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import TrailEntryMissing
from app.kernel.work import Work, open_work

PUT_OFF = Counter("slipway_webhook_put_off", "Deliveries that wait without a try, by the reason.", ["reason"])
WITHHELD = Counter("slipway_webhook_withheld", "Events of customers whose partner may not hear of them.")
_PATIENT: Final = 200  # tries of what only waits for another workspace to be reachable
_ENDLESS: Final = 5_000  # tries are counted where they are made: a job that only waits has made none
_CROWDED: Final = timedelta(seconds=3)  # the first time, and longer with each
_LONGEST: Final = 40  # times that pause
_KEYS_BACK: Final = timedelta(seconds=30)
_SOON: Final = (timedelta(seconds=10), timedelta(minutes=1))  # before a proof is asked for again


def let_go(work: Work, args: dict[str, Any], _reason: str) -> None:
    """The delivery's job came to no end of its own."""
    end_abandoned(work, _asked(**args))


@job("connectors.verify_webhook", attempts=len(_SOON) + 1, lease=timedelta(seconds=45))
def verify(run: JobRun, *, endpoint_id: str, number: int) -> Outcome:
    """Ask an address to prove itself; twice more where it cannot be reached."""
    try:
        with run.work() as work:
            message = begin_challenge(work, UUID(endpoint_id), number)
    except Unavailable as error:
        return TryAgain(_KEYS_BACK, error.message)
    if message is None:
        return Done()
    answer = _send(run, message)
    last = answer.taken or run.last_attempt
    with run.finish(Done() if last else TryAgain(_SOON[run.job.attempts - 1], answer.said)) as work:
        end_challenge(work, message, number, answer)
    return Done()


@job("connectors.hand_on_event", attempts=_PATIENT, lease=timedelta(seconds=15))
def hand_on(
    run: JobRun, *, event_id: str, endpoint_ids: list[str], lane: str | None = None, sequence: int | None = None
) -> Outcome:
    """Let the partner's home know of what happened at its customer's, if the customer lets it hear."""
    home = home_of(run.runtime, run.tenant)
    if home is None:
        return Done()
    try:
        may_hear(run.runtime, home, run.tenant)
    except NotHeard:
        WITHHELD.inc()
        return Done()
    asked = [Asked(UUID(event_id), UUID(each), sequence, 0, run.tenant.id) for each in endpoint_ids]
    with open_work(run.runtime, home, run.actor, trace_id=run.job.trace_id) as work:
        hand_over(work, asked, lane)
    return Done()


@job("connectors.spread_listeners", attempts=3)
def spread(run: JobRun) -> Outcome:
    """Let every cell know what the homes' endpoints hear of their customers."""
    spread_listeners(run.runtime.databases)
    return Done()


@job("connectors.deliver_webhook", attempts=_ENDLESS, lease=timedelta(seconds=45), given_up=let_go)
def deliver(run: JobRun, *, event_id: str, endpoint_id: str, **more: Any) -> Outcome:  # Any: the rest of `Asked`
    """Make one try of a delivery, or put it off: few calls at once to one endpoint, one at a time to a strained one."""
    with run.runtime.service(Sender).place(UUID(endpoint_id), run.tenant.id) as free:
        if not free:
            return _put_off("crowded", _CROWDED * min(run.job.attempts, _LONGEST))
        return _try(run, _asked(event_id=event_id, endpoint_id=endpoint_id, **more))


def _asked(
    *, event_id: str, endpoint_id: str, sequence: int | None = None, asked: int = 0, customer: str | None = None
) -> Asked:
    return Asked(UUID(event_id), UUID(endpoint_id), sequence, asked, UUID(customer) if customer else None)


def _try(run: JobRun, asked: Asked) -> Outcome:
    try:
        told = hear_of(run.runtime, run.tenant, asked, trace_id=run.job.trace_id) if asked.customer else None
        with run.work() as work:
            begun = begin_delivery(work, asked, told)
    except NotHeard:
        WITHHELD.inc()
        with run.finish() as work:
            end_withheld(work, asked)
        return Done()
    except TrailEntryMissing as error:
        return GiveUp(error.message)
    except Unavailable:
        return _put_off("keys_away", _KEYS_BACK)
    if begun is None:
        return Done()
    if isinstance(begun, timedelta):
        return _put_off("strained", begun)
    _deliver(run, begun, asked)
    return Done()


def _deliver(run: JobRun, message: Message, asked: Asked) -> None:
    answer = _send(run, message)
    pause = None
    if not answer.taken and answer.code != "gone":
        pause = pause_before(message.tries + 2, f"{asked.event_id}:{message.endpoint_id}", answer.wished)
    with run.finish(TryAgain(pause, answer.said) if pause else Done()) as work:
        end_delivery(work, message, answer, pause)


def _send(run: JobRun, message: Message) -> Answer:
    sandbox = run.tenant.kind == "sandbox"
    return run.runtime.service(Sender).send(message.url, message.headers, message.body, sandbox=sandbox)


def _put_off(reason: str, pause: timedelta) -> TryAgain:
    PUT_OFF.labels(reason).inc()
    return TryAgain(pause, f"put off: {reason}")
