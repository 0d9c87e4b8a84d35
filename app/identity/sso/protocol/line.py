"""The line to a provider: Authlib's HTTP client on top of our guarded one. No redirect, capped in time and size."""

from __future__ import annotations

from typing import Any

import httpx2

from app.identity.sso.protocol.trouble import ProviderTrouble
from app.kernel.outbound.client import OutboundClient, OutboundRequest, PeerOutcomeUnknown, PeerUnreachable
from app.kernel.outbound.egress import EgressRefused

TIMEOUT = 8.0  # seconds of one call
MOST_BYTES = 512 * 1024
_OWN = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te"}
_HOP = {"transfer-encoding", "content-length", "content-encoding", "connection"}


class GuardedTransport(httpx2.BaseTransport):
    """What Authlib sends goes through the egress guard. Raises ProviderTrouble."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, and its whole answer of whatever status."""
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        wanted = OutboundRequest(
            method=request.method,
            url=str(request.url),
            headers=headers,
            content=request.read(),
            timeout=TIMEOUT,
            max_bytes=MOST_BYTES,
        )
        try:
            answer = self._client.send(wanted)
        except EgressRefused as error:
            raise ProviderTrouble("refused") from error
        except PeerUnreachable as error:
            raise ProviderTrouble(error.reason) from error
        except PeerOutcomeUnknown as error:
            words = {"timeout": "timeout", "oversize": "oversize"}
            raise ProviderTrouble(words.get(error.reason, "broken")) from error
        kept = {name: value for name, value in answer.headers.items() if name not in _HOP}
        return httpx2.Response(answer.status, headers=kept, content=answer.content, request=request)


def http_client(client: OutboundClient) -> httpx2.Client:
    """A plain client on the line, for what needs no credentials."""
    return httpx2.Client(transport=GuardedTransport(client), follow_redirects=False, trust_env=False)


def json_object(answer: httpx2.Response) -> dict[str, Any]:
    """The object an answer holds. Raises ProviderTrouble."""
    if answer.status_code == httpx2.codes.NOT_FOUND:
        raise ProviderTrouble("not_found")
    if answer.status_code != httpx2.codes.OK:
        raise ProviderTrouble("status")
    try:
        held = answer.json()
    except ValueError:
        raise ProviderTrouble("not_json") from None
    if not isinstance(held, dict):
        raise ProviderTrouble("not_json")
    return held
