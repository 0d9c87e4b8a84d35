"""What is asked of a token endpoint and what its answers mean (RFC 6749, 7009, 7523). Sends and stores nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from app.connectors.auth.assertions import client_assertion, grant_assertion
from app.connectors.auth.schemes import (
    AuthorizationCode,
    ClientCredentials,
    JwtBearer,
    PrivateKeyJwt,
    Scheme,
    TokenScheme,
    absolute,
)
from app.connectors.auth.signing import Proof
from app.kernel.outbound.client import OutboundRequest, OutboundResponse
from app.vault.secret import Secret

TIME_LIMIT: Final = 8.0  # seconds
MOST_BYTES: Final = 65_536
LONGEST_LIFE: Final = timedelta(days=365)
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
# What a later try may mend. Everything else that a token endpoint says is for a person.
_LATER: Final = {"temporarily_unavailable", "server_error", "slow_down"}


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, when it is over, and what it can be renewed with."""

    access: Secret
    refresh: Secret | None
    expires_at: datetime
    scope: str = ""

    def is_fresh(self, now: datetime, skew: int) -> bool:
        """Whether it can still be used, with a margin of so many seconds."""
        return now + timedelta(seconds=skew) < self.expires_at

    def stored(self, version: int) -> Secret:
        """As it is sealed: one value, so that no half of a pair is ever read. `version` counts the connection's."""
        return Secret(
            json.dumps(
                {
                    "version": version,
                    "access": self.access.reveal(),
                    "refresh": self.refresh.reveal() if self.refresh else None,
                    "expires_at": self.expires_at.isoformat(),
                    "scope": self.scope,
                }
            )
        )

    @classmethod
    def read(cls, stored: Secret) -> tuple[int, Token]:
        """The version and the token of a stored value."""
        kept = json.loads(stored.reveal_bytes())
        refresh = Secret(kept["refresh"]) if kept["refresh"] else None
        expires_at = datetime.fromisoformat(kept["expires_at"])
        return int(kept["version"]), cls(Secret(kept["access"]), refresh, expires_at, kept["scope"])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no token. `later`: another try may help; else a person has to. `code` is a stable word."""

    code: str
    later: bool
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """Where tokens of a connection come from. `sandbox`: only a stand-in is called."""

    scheme: TokenScheme
    address: str
    ports: frozenset[int] = frozenset()
    sandbox: bool = False

    @property
    def token_url(self) -> str:
        """The whole address of the token endpoint."""
        return absolute(self.address, self.scheme.token_url)


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code, the verifier that proves whose it is, and where it came back to."""

    value: Secret = field(repr=False)
    verifier: Secret = field(repr=False)
    redirect_uri: str


def code_request(peer: Peer, code: Code, proof: Proof) -> OutboundRequest:
    """Ask for the tokens of a code (RFC 6749 4.1.3, RFC 7636 4.5). Raises SecretNotStored."""
    wanted = {"grant_type": "authorization_code", "code": code.value.reveal(), "redirect_uri": code.redirect_uri}
    return _posted(peer, peer.token_url, wanted | {"code_verifier": code.verifier.reveal()}, proof)


def token_request(peer: Peer, refresh: Secret | None, proof: Proof) -> OutboundRequest:
    """Ask for a new access token, by the connection's own right. Raises SecretNotStored."""
    scheme = peer.scheme
    if isinstance(scheme, AuthorizationCode):
        wanted = {"grant_type": "refresh_token", "refresh_token": refresh.reveal() if refresh else ""}
    elif isinstance(scheme, JwtBearer):
        wanted = {"grant_type": _JWT_GRANT, "assertion": grant_assertion(scheme, peer.token_url, proof)}
        if scheme.scopes and scheme.scope_in == "parameter":
            wanted["scope"] = " ".join(scheme.scopes)
    else:
        wanted = {"grant_type": "client_credentials"} | ({"scope": " ".join(scheme.scopes)} if scheme.scopes else {})
    return _posted(peer, peer.token_url, wanted | scheme.parameters, proof)


def revoke_request(peer: Peer, token: Secret, hint: str, proof: Proof) -> OutboundRequest:
    """Tell the peer that a token is not used any more (RFC 7009). Raises SecretNotStored."""
    url = absolute(peer.address, peer.scheme.revoke_url)
    return _posted(peer, url, {"token": token.reveal(), "token_type_hint": hint}, proof)


def _posted(peer: Peer, url: str, wanted: Mapping[str, str], proof: Proof) -> OutboundRequest:
    headers, own = _client(peer.scheme, peer.token_url, proof)
    return OutboundRequest(
        method="POST",
        url=url,
        headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"} | headers,
        content=urlencode({**wanted, **own}).encode(),
        timeout=TIME_LIMIT,
        max_bytes=MOST_BYTES,
        ports=peer.ports,
        sandbox=peer.sandbox,
    )


def _client(scheme: TokenScheme, token_url: str, proof: Proof) -> tuple[dict[str, str], dict[str, str]]:
    """How the client proves itself: headers, and fields of the form."""
    if isinstance(scheme, JwtBearer):
        return {}, {}
    client = proof.plain("client_id")
    if isinstance(scheme, PrivateKeyJwt):
        assertion = client_assertion(scheme, token_url, proof)
        return {}, {"client_id": client, "client_assertion_type": _ASSERTION, "client_assertion": assertion}
    if scheme.client_auth == "none":
        return {}, {"client_id": client}
    secret = proof.secret(scheme.client_secret)
    if scheme.client_auth == "basic":  # both are form-encoded first (RFC 6749 2.3.1)
        pair = f"{quote(client, safe='')}:{quote(secret.reveal_bytes(), safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
    return {}, {"client_id": client, "client_secret": secret.reveal()}


def read_token(scheme: TokenScheme, answer: OutboundResponse, now: datetime, kept: Secret | None) -> Token | Refusal:
    """The token of an answer, or why there is none. A peer that sends no new refresh token means the `kept` one."""
    said = _document(answer.content)
    if answer.status >= 300:  # noqa: PLR2004  2xx is success; a redirect is never followed
        return _refusal(answer.status, said)
    access = said.get("access_token")
    if not isinstance(access, str) or not access or not access.isascii() or not access.isprintable():
        return Refusal("unreadable", later=True, status=answer.status)
    if str(said.get("token_type", "bearer")).lower() != "bearer":
        return Refusal("token_type", later=False, status=answer.status)
    renewed = said.get("refresh_token")
    refresh = Secret(renewed) if isinstance(renewed, str) and renewed else kept
    return Token(Secret(access), refresh, now + _life(said.get("expires_in"), scheme), str(said.get("scope", ""))[:500])


def _life(said: object, scheme: TokenScheme) -> timedelta:
    """How long it is good: the peer's word in seconds, else the manifest's. A text of digits is taken, too."""
    try:
        seconds = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else 0.0
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < LONGEST_LIFE.total_seconds():  # also NaN
        seconds = LONGEST_LIFE.total_seconds() if seconds > 0 else float(scheme.lifetime)
    return timedelta(seconds=seconds)


def _refusal(status: int, said: Mapping[str, Any]) -> Refusal:
    word = said.get("error") if isinstance(said.get("error"), str) else said.get("status")
    code = str(word)[:60] if isinstance(word, str) and word.isascii() and word.isprintable() else f"http_{status}"
    later = status >= 500 or status in {408, 429} or code in _LATER  # noqa: PLR2004  statuses of RFC 9110
    return Refusal(code, later=later, status=status)


def _document(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def peer_of(scheme: Scheme, address: str, ports: frozenset[int], *, sandbox: bool) -> Peer:
    """Where tokens of this way come from. Raises TypeError for a way without tokens."""
    if not isinstance(scheme, AuthorizationCode | ClientCredentials | PrivateKeyJwt | JwtBearer):
        raise TypeError(f"{type(scheme).__name__} has no tokens")
    return Peer(scheme, address, ports, sandbox)
