"""Calls one action of one connector and says how it went. Holds no session and stores nothing (DESIGN 3, 8, 9)."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

from prometheus_client import Counter

from app.connectors.auth.signing import SecretNotStored
from app.connectors.files.line import FileLine
from app.connectors.kit.answers.meaning import Meaning, read_answer
from app.connectors.kit.answers.paging import Pages, PagesEndless
from app.connectors.kit.contract import ActionCall, CallReport, Connector
from app.connectors.kit.exchange import (
    InputUnfit,
    excerpt,
    pause_before,
    retry_after,
    shape_request,
    signed,
)
from app.connectors.kit.limits.gate import Gate
from app.connectors.kit.limits.release import verdict_on
from app.connectors.kit.manifest import Action
from app.connectors.kit.registry import Registry
from app.connectors.kit.sending import Line, PutOff
from app.connectors.kit.settings import SettingsUnfit
from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    OutboundResponse,
    PeerOutcomeUnknown,
    PeerUnreachable,
)
from app.kernel.outbound.egress import EgressRefused
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain

REQUESTS = Counter("slipway_connector_requests", "Attempts of connector actions.", ["connector", "code"])
# A peer that asks for patience is not failing; it gets this many times the budget before a person is asked.
PATIENCE = 4
# A list may hold so many times the bytes of one answer.
PAGES_BYTES = 4


class Runner:
    """One for a process; safe to share between threads.

    `time_limit` caps each request, in seconds: an attempt makes at most two (the second is a look-up), and both must
    fit into the job's lease; so must all pages of a list. `gate` holds the budgets that all workers share.
    """

    def __init__(
        self, registry: Registry, client: OutboundClient, *, time_limit: float = 12.0, gate: Gate | None = None
    ) -> None:
        self.registry = registry
        self._line = Line(client, gate, {"sftp": FileLine(client)})
        self._time_limit = time_limit

    @property
    def gate(self) -> Gate:
        """Where budgets and failures are counted."""
        return self._line.gate

    @property
    def client(self) -> OutboundClient:
        """The guarded way out, for what belongs to a call: its access token."""
        return self._line.client

    def call(self, call: ActionCall) -> CallReport:
        """Make one attempt. Trouble comes back as a report; raises only ConnectorNotFound.

        Nothing is sent a second time while an earlier outcome is unknown, unless the manifest's strategy makes it safe.
        """
        connector, action = self.registry.get_action(call.provider, call.action)
        call, report = _let_out(connector, call)
        report = report or _above_level(connector, action, call)
        if report is None and call.earlier_unknown:
            report = self._after_unknown(connector, action, call)
        if report is None:
            report = self._attempt(connector, action, call)
        REQUESTS.labels(call.provider, report.code).inc()
        return report

    def _after_unknown(self, connector: Connector, action: Action, call: ActionCall) -> CallReport | None:
        """What to do before a request is sent again; None where sending is safe."""
        remembered = action.key_hours is None or call.unknown_for < timedelta(hours=action.key_hours)
        if action.effect == "read" or (action.repeatable and remembered):
            return None
        unknown = CallReport(outcome=_unknown(connector), code="outcome_unknown", certain=False)
        if action.on_unknown != "lookup":
            return unknown
        found = self._look_up(connector, action, call)
        if isinstance(found.outcome, Done):
            return found if found.outcome.result is not None else None
        return unknown if isinstance(found.outcome, GiveUp) else replace(found, certain=False, put_off=False)

    def _attempt(self, connector: Connector, action: Action, call: ActionCall) -> CallReport:
        """One request; a second where the token was refused and there is a way to another: a refusal has no effect."""
        report = self._request(connector, action, call)
        if report.code != "refresh_and_retry" or call.renew is None:
            return report
        if call.stopped is not None and call.stopped():
            return _stopped()
        renewed = call.renew()
        if isinstance(renewed, CallReport):
            return replace(renewed, sent=True, status=report.status)
        return self._request(connector, action, replace(call, secrets=renewed, renew=None))

    def _request(self, connector: Connector, action: Action, call: ActionCall) -> CallReport:
        try:
            request = shape_request(connector, action, call, min(action.timeout, self._time_limit))
            if action.paging is not None:
                return self._read_list(connector, action, call, request)
            answer = self._line.send(connector, call, signed(connector, call, request))
            return self._read(connector, action, call, answer)
        except (InputUnfit, SecretNotStored, SettingsUnfit, EgressRefused, PutOff) as error:
            return _unsent(connector, error)
        except PeerUnreachable as error:
            return CallReport(outcome=self._again(connector, call, str(error)), code="unreachable")
        except PeerOutcomeUnknown as error:
            silent = CallReport(outcome=_unknown(connector), code=f"unknown_{error.reason}", certain=False, sent=True)
            return self._settle(connector, action, call, silent)

    def _read_list(self, connector: Connector, action: Action, call: ActionCall, first: OutboundRequest) -> CallReport:
        """Read page after page, to the end of the list, of its budget, or of the time; raises as one request does."""
        assert action.paging is not None  # noqa: S101  the caller has looked
        pages, request = Pages(action.paging), first
        ends = time.monotonic() + 2 * self._time_limit
        while True:
            answer = self._line.send(connector, call, signed(connector, call, request))
            report = self._read(connector, action, call, answer)
            if not isinstance(report.outcome, Done) or report.code != "done":
                return report
            page = report.outcome.result or {}
            pages.take(page, len(answer.content))
            try:
                following = pages.following(request, answer, request.max_bytes * PAGES_BYTES)
            except PagesEndless as error:
                said = NeedsPerson(f"{connector.manifest.title}: {error}")
                return replace(report, outcome=said, code="pages_endless")
            left = ends - time.monotonic()
            if following is None or left <= 0:
                return replace(report, outcome=Done(pages.result(page)))
            if call.stopped is not None and call.stopped():
                return _stopped()
            request = replace(following, timeout=min(request.timeout, left))

    def _read(self, connector: Connector, action: Action, call: ActionCall, answer: OutboundResponse) -> CallReport:
        """Turn an answer into a report by the manifest's error table."""
        meaning = read_answer(connector, call, answer)
        report = CallReport(
            outcome=Done(meaning.result),
            code=meaning.word,
            sent=True,
            status=answer.status,
            elapsed=answer.elapsed,
            excerpt="" if meaning.word == "done" else excerpt(answer.content, call),
        )
        if meaning.word in {"done", "ignore"}:
            return report
        if meaning.word == "already_done":
            return self._already_done(connector, action, call, report)
        if meaning.word in {"retry", "unreadable"}:
            unsure = replace(report, outcome=_unknown(connector), certain=False)
            return self._settle(connector, action, call, unsure)
        return replace(report, outcome=self._refusal(connector, call, meaning, answer))

    def _refusal(
        self, connector: Connector, call: ActionCall, meaning: Meaning, answer: OutboundResponse
    ) -> TryAgain | GiveUp | NeedsPerson:
        """The peer has certainly not done it: what follows from the word of the error table."""
        said = f"{connector.manifest.title} answered {answer.status}"
        if meaning.word == "rate_limited":
            pause = retry_after(answer.headers, pause_before(call.attempt, call.idempotency_key))
            if call.attempt < connector.manifest.limits.max_attempts * PATIENCE:
                return TryAgain(pause, f"{said}: too many requests.")
            return NeedsPerson(f"{said} {call.attempt} times: too many requests.")
        if meaning.word == "refresh_and_retry" and call.attempt == 1:
            # The job opens secrets anew for each attempt, so one that was rotated under way is right the next time.
            pause = pause_before(1, call.idempotency_key)
            return TryAgain(pause, f"{said}; the credentials are read again.")
        if meaning.word in {"refresh_and_retry", "fail_config"}:
            return NeedsPerson(f"{said}. Check the address and the credentials of the connection.")
        return GiveUp(f"{said} and will not do this.")

    def _settle(self, connector: Connector, action: Action, call: ActionCall, unsure: CallReport) -> CallReport:
        """After an outcome that is not known: look it up, send it again later, or ask a person, by the manifest."""
        if action.effect == "read":
            again = self._again(connector, call, f"{connector.manifest.title} did not give a usable answer.")
            return replace(unsure, outcome=again, certain=True)
        if action.on_unknown == "queue":
            return unsure
        if action.on_unknown == "lookup":
            found = self._look_up(connector, action, call)
            if isinstance(found.outcome, Done) and found.outcome.result is not None:
                return replace(found, sent=True)
            if isinstance(found.outcome, NeedsPerson | GiveUp):
                return unsure
        again = self._again(connector, call, f"{connector.manifest.title} left it open whether it was done.")
        return replace(unsure, outcome=again)

    def _look_up(self, connector: Connector, action: Action, call: ActionCall) -> CallReport:
        """Find out by the natural key whether the effect is there: `Done` with it, or with None where it is not."""
        if call.stopped is not None and call.stopped():
            return _stopped()
        lookup = connector.manifest.actions[action.lookup_action]
        known = {name: value for name, value in call.input.items() if name in lookup.input["properties"]}
        report = self._attempt(connector, lookup, replace(call, action=action.lookup_action, input=known))
        if isinstance(report.outcome, Done) and report.outcome.result is not None:
            result = {k: v for k, v in report.outcome.result.items() if k in action.output["properties"]}
            if not connector.outputs[call.action].is_valid(result):
                return replace(report, outcome=_unknown(connector), code="unreadable", certain=False)
            return replace(report, outcome=Done(result), code="found_by_lookup")
        return report

    def _already_done(self, connector: Connector, action: Action, call: ActionCall, report: CallReport) -> CallReport:
        """The peer says that it was done before: fetch what it made, where the manifest says how."""
        if not action.lookup_action:
            return replace(report, outcome=Done())
        found = self._look_up(connector, action, call)
        if isinstance(found.outcome, Done) and found.outcome.result is None:
            said = f"{connector.manifest.title} says it was done before, but it cannot be found there."
            return replace(report, outcome=NeedsPerson(said))
        if isinstance(found.outcome, Done):
            return replace(found, code="already_done", sent=True)
        return replace(found, certain=False, put_off=False)

    def _again(self, connector: Connector, call: ActionCall, reason: str) -> TryAgain | NeedsPerson:
        """Another attempt within the budget; after it, a person."""
        if call.attempt >= connector.manifest.limits.max_attempts:
            return NeedsPerson(f"{reason} {call.attempt} attempts were made.")
        return TryAgain(pause_before(call.attempt, call.idempotency_key), reason)


def _unknown(connector: Connector) -> NeedsPerson:
    title = connector.manifest.title
    return NeedsPerson(f"{title} may or may not have done it. Look there, then decide; nothing is sent again.")


_HELD = {
    "off": "The connection to {0} is not released. Take its steps of going live, or do this by hand.",
    "not_chosen": "The connection to {0} is in a pilot, and this onboarding is no part of it. Do this by hand.",
    "changed": "The connection to {0} was changed after it was released. Have the change validated and released, or "
    "take the version before.",
}


def _let_out(connector: Connector, call: ActionCall) -> tuple[ActionCall, CallReport | None]:
    """The call as the connection's stage has it, or why nothing is sent (REQUIREMENTS 1.9, P7).

    Only the harmless question that proves the credentials is asked before: it takes no input and nothing of its answer
    is kept.
    """
    manifest, config = connector.manifest, call.config
    found = verdict_on(config.release, manifest, config.document(), call.about)
    if found == "live" or (call.action == manifest.verify and not call.input):
        return call, None
    if found == "sandbox":
        return replace(call, sandbox=True), None
    said = NeedsPerson(_HELD[found].format(manifest.title))
    return call, CallReport(outcome=said, code=f"held_{found}", certain=not call.earlier_unknown)


def _above_level(connector: Connector, action: Action, call: ActionCall) -> CallReport | None:
    """A refusal before anything is sent, where the connection may not do so much (REQUIREMENTS 1.9)."""
    if call.config.allows(connector.manifest, action.level):
        return None
    said = (
        f"This connection to {connector.manifest.title} is not allowed to {action.level}. "
        "Raise what it may do in its settings, or leave this step out."
    )
    return CallReport(outcome=NeedsPerson(said), code="above_level")


def _unsent(connector: Connector, trouble: Exception) -> CallReport:
    """What kept a request from being sent: the input for good, a setting or a secret until a person acts."""
    match trouble:
        case PutOff():
            return _put_off(connector, trouble)
        case InputUnfit():
            return CallReport(outcome=GiveUp(str(trouble)), code="input_unfit")
        case EgressRefused():
            return CallReport(outcome=NeedsPerson(str(trouble)), code=f"egress_{trouble.rule}")
        case SecretNotStored():
            return CallReport(outcome=NeedsPerson(str(trouble)), code="secret_missing")
        case _:
            return CallReport(outcome=NeedsPerson(str(trouble)), code="settings_unfit")


def _put_off(connector: Connector, trouble: PutOff) -> CallReport:
    """Nothing was sent, so nothing is unknown and nothing has failed."""
    said = {
        "budget": f"The requests to {connector.manifest.title} that are allowed in a while are used up.",
        "held": f"{connector.manifest.title} has asked for a pause.",
        "open": f"{connector.manifest.title} fails at present and is left alone for a while.",
    }[trouble.wait.reason]
    pause = timedelta(seconds=max(trouble.wait.seconds, 0.2))
    return CallReport(outcome=TryAgain(pause, said), code=f"put_off_{trouble.wait.reason}", put_off=True)


def _stopped() -> CallReport:
    return CallReport(outcome=GiveUp("The run was stopped; nothing more was sent."), code="stopped")
