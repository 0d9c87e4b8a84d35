"""Sends one request of a connection through its gate, and tells the gate how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from prometheus_client import Counter

from app.connectors.kit.answers.meaning import at_pointer, read_document
from app.connectors.kit.contract import ActionCall, Connector
from app.connectors.kit.graphql.costs import pause_for
from app.connectors.kit.limits.gate import Ended, Gate, LocalGate, Wait
from app.connectors.kit.limits.wishes import wished_pause
from app.connectors.kit.manifest import Action
from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    OutboundResponse,
    PeerOutcomeUnknown,
    PeerUnreachable,
)

PUT_OFF = Counter("slipway_connector_put_off", "Requests not sent yet, by the reason.", ["connector", "reason"])
OPENED = Counter("slipway_connector_breaker_opened", "Times that a failing connection was left alone.", ["connector"])


class PutOff(Exception):
    """Nothing was sent: a budget is spent, the peer asked for patience, or the breaker is open."""

    def __init__(self, wait: Wait) -> None:
        super().__init__(wait.reason)
        self.wait = wait


class Way(Protocol):
    """How requests leave that are none of HTTP: a folder of files answers them as an API would."""

    def send(self, connector: Connector, call: ActionCall, request: OutboundRequest) -> OutboundResponse:
        """Raises what the client raises."""


class Line:
    """One for a process; safe to share between threads. `ways`: by the transport of a manifest, besides https."""

    def __init__(self, client: OutboundClient, gate: Gate | None = None, ways: Mapping[str, Way] | None = None) -> None:
        self.client = client
        self.gate = gate or LocalGate()
        self._ways = ways or {}

    def send(self, connector: Connector, call: ActionCall, request: OutboundRequest) -> OutboundResponse:
        """Send one request if it may be sent now. Raises PutOff, and what the client raises."""
        if not call.connection:
            return self._send(connector, call, request)
        limits = connector.manifest.limits
        wait = self.gate.ask(call.connection, limits)
        if wait is not None:
            PUT_OFF.labels(call.provider, wait.reason).inc()
            raise PutOff(wait)
        ended: Ended = "neither"
        hold = 0.0
        try:
            answer = self._send(connector, call, request)
            ended, hold = _judge(answer, connector.manifest.actions[call.action])
        except (PeerUnreachable, PeerOutcomeUnknown):
            ended = "failed"
            raise
        finally:
            if self.gate.tell(call.connection, limits, ended, hold):
                OPENED.labels(call.provider).inc()
        return answer

    def _send(self, connector: Connector, call: ActionCall, request: OutboundRequest) -> OutboundResponse:
        way = self._ways.get(connector.manifest.transport)
        return way.send(connector, call, request) if way else self.client.send(request)


def _judge(answer: OutboundResponse, action: Action) -> tuple[Ended, float]:
    """A refusal is an answer; a peer that asks for patience has not failed."""
    hold = wished_pause(answer.status, answer.headers)
    if action.graphql is not None and action.graphql.cost:
        hold = max(hold, pause_for(at_pointer(read_document(answer.content), action.graphql.cost)))
    if answer.status == 429 or (hold > 0 and answer.status >= 300):  # noqa: PLR2004  statuses of RFC 9110
        return "neither", hold
    return ("failed" if answer.status >= 500 else "well"), hold  # noqa: PLR2004  statuses of RFC 9110
