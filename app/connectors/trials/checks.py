"""The checks themselves: each takes a bench, most an action too, and raises NotKept where a promise is not kept."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from app.connectors.auth.schemes import Basic
from app.connectors.catalog.stand_in import Fault, FaultKind
from app.connectors.kit.contract import CallReport
from app.connectors.kit.manifest import Action
from app.connectors.kit.settings import LEVELS
from app.connectors.trials.bench import HASTY, PATIENT, TOKEN, Bench, expect, nobodys_port
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain

SPOILED: Final[tuple[FaultKind, ...]] = ("garbage", "oversize", "reset_after_effect", "silent_after_effect", "slow")
_SENSELESS: Final = ("-5", "soon", "1e9", "9" * 400, "", "\u0664".encode().decode("latin-1"))
_NO_HEADER: Final = ("line\nbreak", "a\r\nX: y", "caf\u00e9", "\x00")


@dataclass(frozen=True, slots=True)
class Check:
    """A promise: its sentence, whom it is about, and how it is tried."""

    name: str
    about: Callable[[Action], bool]
    run: Callable[[Bench, str], None]


def of_credentials(bench: Bench, _action: str = "") -> None:
    """Good ones are verified; bad ones are read anew once, then shown to a person; missing ones are asked for."""
    verify = bench.connector.manifest.verify
    good = bench.call(verify)
    expect(isinstance(good.outcome, Done) and good.certain, f"good credentials: {good}")
    if not bench.connector.manifest.secrets:
        return
    first, second = bench.call(verify, token="wrong"), bench.call(verify, token="wrong", attempt=2)  # noqa: S106  a wrong one
    expect(first.code == "refresh_and_retry" and isinstance(first.outcome, TryAgain), f"bad credentials: {first}")
    expect(isinstance(second.outcome, NeedsPerson) and second.certain, f"bad credentials again: {second}")
    bench.calm()
    missing = bench.call(verify, secrets={})
    expect(isinstance(missing.outcome, NeedsPerson) and not bench.stand_in.requests, f"none at all: {missing}")
    in_base64 = isinstance(bench.connector.manifest.way({}), Basic)  # any letter fits there, but no control character
    for token in filter(str.isascii, _NO_HEADER) if in_base64 else _NO_HEADER:
        report = bench.call(verify, token=token)
        expect(isinstance(report.outcome, NeedsPerson) and not report.sent, f"{token!r} as a credential: {report}")
    forbidden = bench.broken(verify, Fault("status", status=403))
    expect(isinstance(forbidden.outcome, NeedsPerson), f"a call that is forbidden: {forbidden}")


def of_answer(bench: Bench, action: str) -> None:
    """What was recorded still happens."""
    if bench.seeded:
        report = bench.call(action, idempotency_key=f"first-{action}")
        expect(isinstance(report.outcome, Done) and report.certain, report)


def of_rate_limits(bench: Bench, action: str) -> None:
    """A peer that is asked too often is left alone for as long as it wants, whatever it writes."""
    report = bench.broken(action, Fault("status", status=429, headers={"Retry-After": "37"}))
    expect(isinstance(report.outcome, TryAgain) and report.certain, report)
    expect(isinstance(report.outcome, TryAgain) and report.outcome.after == timedelta(seconds=37), report)
    dates = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:29:30 GMT"}
    for headers in [dates, *({"Retry-After": wait} for wait in _SENSELESS)]:
        report = bench.broken(action, Fault("status", status=429, headers=headers))
        after = report.outcome.after if isinstance(report.outcome, TryAgain) else None
        expect(after is not None and timedelta() <= after <= timedelta(days=1), f"{headers}: {report}")


def of_patience(bench: Bench, action: str) -> None:
    """Once it has asked for a pause nothing is sent, by any run of the connection; the run has made no attempt."""
    call = bench.ask(action, connection=f"limits-{action}")
    bench.calm()
    bench.stand_in.break_next(Fault("status", status=429, headers={"Retry-After": "37"}))
    first, second = bench.runner.call(call), bench.runner.call(call)
    expect(isinstance(first.outcome, TryAgain), first)
    expect(second.code == "put_off_held" and second.put_off and second.certain, second)
    expect(isinstance(second.outcome, TryAgain) and second.outcome.after > timedelta(seconds=30), second)
    expect(not bench.stand_in.requests, "it was called in the pause")


def of_failing_peer(bench: Bench, action: str) -> None:
    """A peer that fails again and again is left alone; nothing is sent, nothing is unknown."""
    call, runner = bench.ask(action, connection=f"breaker-{action}"), bench.runner_to(nobodys_port(), PATIENT)
    reports = [runner.call(call) for _ in range(bench.connector.manifest.limits.breaker.failures)]
    expect(all(report.code == "unreachable" for report in reports), reports[-1])
    report = runner.call(call)
    expect(report.code == "put_off_open" and report.put_off and report.certain, report)
    expect(runner.gate.look(f"breaker-{action}").circuit == "open", "the breaker does not show")


def of_refusals(bench: Bench, action: str) -> None:
    """A refusal for good is not repeated; a redirect is not followed; nobody there is tried again within the budget."""
    report = bench.broken(action, Fault("status", status=400))
    expect(isinstance(report.outcome, GiveUp) and report.certain, f"400: {report}")
    report = bench.broken(action, Fault("redirect"))
    expect(isinstance(report.outcome, NeedsPerson) and report.status == 302, f"a redirect: {report}")  # noqa: PLR2004  the stand-in's redirect
    expect(not bench.stand_in.requests, "the redirect had an effect")
    nobody, budget = bench.runner_to(nobodys_port(), PATIENT), bench.connector.manifest.limits.max_attempts
    first, last = nobody.call(bench.ask(action)), nobody.call(bench.ask(action, attempt=budget))
    expect(isinstance(first.outcome, TryAgain) and not first.sent and first.certain, f"nobody there: {first}")
    expect(isinstance(last.outcome, NeedsPerson) and last.certain, f"nobody there at last: {last}")


def of_input(bench: Bench, action: str) -> None:
    """Input that does not fit is never sent."""
    told = bench.action(action).input
    if told.get("required") or "anyOf" in told:
        bench.calm()
        report = bench.call(action, input={"../../admin": "x", "deal_id": "1/../2", "workspace_id": ".."})
        expect(isinstance(report.outcome, GiveUp) and not report.sent, report)
        expect(not bench.stand_in.requests, "it was sent")


def of_level(bench: Bench, action: str) -> None:
    """A connection that may not do so much sends nothing."""
    wanted = bench.action(action).level
    for level in LEVELS[: LEVELS.index(wanted)]:
        bench.calm()
        report = bench.call(action, config=replace(bench.connector.example(), level=level))
        expect(report.code == "above_level" and isinstance(report.outcome, NeedsPerson), f"{level}: {report}")
        expect(not report.sent and not bench.stand_in.requests, f"{level}: it was sent")


def of_broken_answers(bench: Bench, action: str) -> None:
    """A read is safe to repeat after any broken answer, within the budget."""
    budget = bench.connector.manifest.limits.max_attempts
    for kind in SPOILED:
        report = bench.broken(action, Fault(kind))
        expect(isinstance(report.outcome, TryAgain) and report.certain, f"{kind}: {report}")
    for status in (500, 502, 503, 504):
        first = bench.broken(action, Fault("status", status=status))
        last = bench.broken(action, Fault("status", status=status), attempt=budget)
        expect(isinstance(first.outcome, TryAgain), f"{status}: {first}")
        expect(isinstance(last.outcome, NeedsPerson), f"{status} at last: {last}")


def of_pages(bench: Bench, action: str) -> None:
    """A list that never ends, ends; and one that is stopped sends no more."""
    bench.calm()
    wire = bench.stand_in.wire
    answer = wire_answers(bench, action)
    bench.stand_in.wire = lambda _call: answer
    try:
        report = bench.call(action)
        stopped = bench.call(action, stopped=lambda: True)
    finally:
        bench.stand_in.wire = wire
    paging = bench.action(action).paging
    most = paging.max_pages if paging else 1
    expect(len(bench.stand_in.requests) <= 2 * most + 2, f"{len(bench.stand_in.requests)} requests: {report}")
    expect(isinstance(report.outcome, Done | NeedsPerson), report)
    expect(isinstance(stopped.outcome, Done | GiveUp | NeedsPerson), stopped)


def wire_answers(bench: Bench, action: str) -> object:
    """The stand-in's own answer to the action's first request."""
    seen: list[object] = []
    wire = bench.stand_in.wire

    def listening(call: object) -> object:
        seen.append(wire(call))
        return seen[-1]

    bench.stand_in.wire = listening
    try:
        bench.call(action)
    finally:
        bench.stand_in.wire = wire
    expect(seen, "it sent nothing")
    return seen[0]


def of_lost_answers(bench: Bench, action: str) -> None:
    """An answer that is lost after the effect: however often the run goes on, there is at most one effect."""
    for number, kind in enumerate(SPOILED):
        before, key = bench.effects, f"lost-{action}-{number}"
        report = bench.broken(action, Fault(kind), idempotency_key=key)
        for attempt in range(2, 5):
            if not isinstance(report.outcome, TryAgain):
                break
            unknown = not report.certain
            report = bench.call(action, idempotency_key=key, attempt=attempt, earlier_unknown=unknown)
        same = bench.action(action).idempotency == "same"  # it leaves the same state each time
        expect(same or bench.effects - before <= 1, f"{kind}: {bench.effects - before} effects; {report}")


def of_server_errors(bench: Bench, action: str) -> None:
    """A server error leaves a write open: it is repeated only where that is safe."""
    safe = bench.action(action).on_unknown != "queue"
    for status in (500, 502, 503):
        report = bench.broken(action, Fault("status", status=status))
        found = report.code == "found_by_lookup"  # an earlier check has made it
        expect(
            found or isinstance(report.outcome, TryAgain | NeedsPerson if safe else NeedsPerson), f"{status}: {report}"
        )
        expect(found or not report.certain, f"{status}: {report}")
    if not safe:
        bench.calm()
        report = bench.call(action, attempt=2, earlier_unknown=True)
        expect(isinstance(report.outcome, NeedsPerson) and not report.certain and not report.sent, report)
        expect(not bench.stand_in.requests, "it was sent again")


def of_stopping(bench: Bench, action: str) -> None:
    """A run that is stopped while its answer is lost sends nothing more, and says that it does not know."""
    bench.calm()
    bench.stand_in.break_next(Fault("silent_after_effect", seconds=HASTY * 2))
    report = bench.call(action, hasty=True, idempotency_key=f"stopped-{action}", stopped=lambda: True)
    expect(len(bench.stand_in.requests) <= 1, f"{len(bench.stand_in.requests)} requests: {report}")
    expect(not report.certain, report)


def of_cancelling(bench: Bench, action: str) -> None:
    """Cancelled while it calls: no other secret is asked for, nothing is looked up; what is not known stays so."""
    bench.calm()
    renewed: list[str] = []

    def renew() -> CallReport:
        renewed.append(action)
        return CallReport(outcome=GiveUp("It was asked for another secret."), code="renewed")

    bench.stand_in.break_next(Fault("status", status=401))
    report = bench.call(action, renew=renew, stopped=lambda: True)
    expect(not renewed and not bench.stand_in.requests, f"after a refusal: {report}")
    expect(not isinstance(report.outcome, Done) and report.certain, f"after a refusal: {report}")
    if bench.action(action).effect != "read" and not bench.action(action).repeatable:
        report = bench.call(action, attempt=2, earlier_unknown=True, stopped=lambda: True)
        expect(not bench.stand_in.requests and not report.certain, f"after a lost answer: {report}")


def of_secrets(bench: Bench, action: str) -> None:
    """No secret is seen in a report, a log line or an excerpt, even where the peer sends it back."""
    with _overheard() as heard:
        for kind in (None, "garbage", "status", "redirect"):
            bench.calm()
            if kind:
                bench.stand_in.break_next(Fault(kind, headers={"X-Echo": TOKEN}))
            report = bench.call(action)
            seen = [repr(report), str(report.outcome), report.excerpt, heard.getvalue()]
            expect(not [text for text in seen if TOKEN in text], f"{kind}: a secret was shown")
    shape = bench.stand_in.error_shape
    bench.stand_in.error_shape = lambda _status, _message: {"you_sent": f"Bearer {TOKEN}"}
    try:
        report = bench.broken(action, Fault("status", status=400))
    finally:
        bench.stand_in.error_shape = shape
    expect(TOKEN not in report.excerpt and "you_sent" in report.excerpt, f"sent back by the peer: {report.excerpt}")


@contextmanager
def _overheard() -> Iterator[io.StringIO]:
    """Everything that is logged meanwhile, however fine."""
    heard = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(heard)
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield heard
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


def _any(_action: Action) -> bool:
    return True


def _reads(action: Action) -> bool:
    return action.effect == "read"


def _writes(action: Action) -> bool:
    return action.effect != "read"


CHECKS: Final = (
    Check("answer", _any, of_answer),
    Check("rate_limits", _any, of_rate_limits),
    Check("patience", _any, of_patience),
    Check("failing_peer", _any, of_failing_peer),
    Check("refusals", _any, of_refusals),
    Check("input", _any, of_input),
    Check("secrets", _any, of_secrets),
    Check("level", _writes, of_level),
    Check("broken_answers", _reads, of_broken_answers),
    Check("pages", lambda action: action.paging is not None, of_pages),
    Check("lost_answers", _writes, of_lost_answers),
    Check("server_errors", _writes, of_server_errors),
    Check("stopping", _writes, of_stopping),
    Check("cancelling", _any, of_cancelling),
)
