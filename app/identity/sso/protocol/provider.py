"""What providers say of themselves, kept for a while, and the calls of a sign-in. One object for a whole process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client

from app.identity.sso.protocol.line import GuardedTransport, http_client, json_object
from app.identity.sso.protocol.tokens import ALGORITHMS, JWK, KeyUnknown, read_signed
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.identity.sso.secrets import Revealed
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import EgressRefused, vet_address
from app.kernel.outbound.world_clock import world_time

KEPT = 3600.0  # seconds that a provider's configuration and keys are used without asking again
FAILED = 10.0  # seconds that one which could not be asked is left alone
REFETCH_EVERY = 30.0  # seconds: so often at most an unknown key makes us ask for new ones
_SCOPES = "openid email profile"
_CLIENT_REFUSED = {"invalid_client", "unauthorized_client"}
_MOST_PROVIDERS = 2000


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a provider."""

    issuer: str
    client_id: str
    redirect_uri: str
    secret: Revealed | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """A provider's account of itself, as far as it is needed. `skew`: seconds that its clock is ahead of ours."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    scopes: frozenset[str]
    auth_methods: frozenset[str]
    names_itself: bool  # every answer of its authorization endpoint says `iss` (RFC 9207)
    skew: float


@dataclass
class _Known:
    metadata: Metadata
    keys: list[JWK]
    since: float
    refetched: float = float("-inf")


class Providers:
    """Talks to providers. Safe to share between threads; two that ask for the same at once may both ask."""

    def __init__(self, client: OutboundClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def unfit(self, issuer: str) -> str:
        """Why no provider can ever be called under this issuer; an empty text where nothing speaks against it."""
        try:
            vet_address(issuer, book=self._client.book)
        except EgressRefused as error:
            return error.message
        return ""

    def metadata(self, issuer: str, *, fresh: bool = False) -> Metadata:
        """The configuration of an issuer, with its keys at hand. Raises ProviderTrouble."""
        return self._of(issuer, fresh=fresh).metadata

    def keys(self, issuer: str) -> list[JWK]:
        """The keys of an issuer as they are known now. Raises ProviderTrouble."""
        return self._of(issuer, fresh=False).keys

    def read(self, issuer: str, raw: str) -> dict[str, Any]:
        """The claims of a token that this issuer has signed; its keys are asked for anew if it names a new one.

        Once in a while only: or every forged token would make us call. Raises ProviderTrouble.
        """
        known = self._of(issuer, fresh=False)
        try:
            return read_signed(raw, known.keys)
        except KeyUnknown:
            if not self._may_refetch(known):
                raise
        known.keys = self._fetch_keys(known.metadata.jwks_uri)
        return read_signed(raw, known.keys)

    def authorization_url(self, client: Client, *, state: str, nonce: str, verifier: str, acr: str = "") -> str:
        """Where the browser goes to sign in: code flow, PKCE S256. Raises ProviderTrouble."""
        metadata = self.metadata(client.issuer)
        extra = {"acr_values": acr} if acr else {}
        scope = f"{_SCOPES} groups" if "groups" in metadata.scopes else _SCOPES
        with self._session(client, metadata, scope=scope) as session:
            url, _state = session.create_authorization_url(
                metadata.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce, **extra
            )
        return str(url)

    def exchange(self, client: Client, *, code: str, verifier: str) -> dict[str, Any]:
        """The tokens for a code. Raises ProviderTrouble."""
        metadata = self.metadata(client.issuer)
        with self._session(client, metadata) as session:
            try:
                token = session.fetch_token(
                    metadata.token_endpoint, grant_type="authorization_code", code=code, code_verifier=verifier
                )
            except OAuthError as error:
                raise ProviderTrouble("client" if error.error in _CLIENT_REFUSED else "code") from None
            except httpx2.HTTPStatusError:
                raise ProviderTrouble("status") from None
            except (ValueError, TypeError, AttributeError):
                raise ProviderTrouble("not_json") from None
        return dict(token)

    def userinfo(self, client: Client, access_token: str) -> dict[str, Any]:
        """What the provider says of the holder of this token; {} where it has no such address."""
        metadata = self.metadata(client.issuer)
        if not metadata.userinfo_endpoint:
            return {}
        with http_client(self._client) as session:
            headers = {"authorization": f"Bearer {access_token}"}
            return json_object(session.get(metadata.userinfo_endpoint, headers=headers))

    def asks_quietly(self, client: Client, *, state: str, nonce: str, verifier: str) -> httpx2.Response:
        """The provider's answer to a sign-in that must show no page (`prompt=none`): for the test of a connection."""
        url = self.authorization_url(client, state=state, nonce=nonce, verifier=verifier)
        with http_client(self._client) as session:
            return session.get(f"{url}&prompt=none")

    def _session(self, client: Client, metadata: Metadata, scope: str | None = None) -> OAuth2Client:
        return OAuth2Client(
            client.client_id,
            client.secret.reveal() if client.secret else None,
            redirect_uri=client.redirect_uri,
            scope=scope,
            code_challenge_method="S256",
            token_endpoint_auth_method=_auth_method(client, metadata),
            transport=GuardedTransport(self._client),
            follow_redirects=False,
            trust_env=False,
        )

    def _of(self, issuer: str, *, fresh: bool) -> _Known:
        known = self._known.get(issuer)
        if known is None or fresh or self._clock() - known.since > KEPT:
            since, word = self._failed.get(issuer, (float("-inf"), ""))
            if not fresh and self._clock() - since < FAILED:
                raise ProviderTrouble(word)
            known = self._learn(issuer)
        return known

    def _learn(self, issuer: str) -> _Known:
        """Ask the provider. One that fails is left alone for a moment: whoever knocks may be anybody."""
        for held in (self._known, self._failed):
            if len(held) >= _MOST_PROVIDERS:
                held.clear()
        try:
            metadata = self._fetch_metadata(issuer)
            known = _Known(metadata, self._fetch_keys(metadata.jwks_uri), self._clock())
        except ProviderTrouble as trouble:
            self._failed[issuer] = (self._clock(), trouble.word)
            raise
        self._failed.pop(issuer, None)
        self._known[issuer] = known
        return known

    def _may_refetch(self, known: _Known) -> bool:
        with self._lock:
            if self._clock() - known.refetched < REFETCH_EVERY:
                return False
            known.refetched = self._clock()
            return True

    def _fetch_metadata(self, issuer: str) -> Metadata:
        with http_client(self._client) as session:
            answer = session.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        return read_metadata(issuer, json_object(answer), skew=_skew(answer.headers.get("date")))

    def _fetch_keys(self, uri: str) -> list[JWK]:
        with http_client(self._client) as session:
            held = json_object(session.get(uri)).get("keys")
        kinds = set(ALGORITHMS.values())
        listed = held if isinstance(held, list) else []
        keys: list[JWK] = [key for key in listed if isinstance(key, dict) and key.get("kty") in kinds]
        if not keys:
            raise ProviderTrouble("keys")
        return keys


def read_metadata(issuer: str, said: Mapping[str, Any], *, skew: float) -> Metadata:
    """A configuration as answered, if it is this issuer's and holds what sign-in needs. Raises ProviderTrouble."""
    if said.get("issuer") != issuer:
        raise ProviderTrouble("issuer")
    methods = said.get("code_challenge_methods_supported")
    if "code" not in _listed(said, "response_types_supported", {"code"}) or (methods and "S256" not in methods):
        raise ProviderTrouble("no_code")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_address(said, "authorization_endpoint"),
        token_endpoint=_address(said, "token_endpoint"),
        jwks_uri=_address(said, "jwks_uri"),
        userinfo_endpoint=_address(said, "userinfo_endpoint", needed=False),
        end_session_endpoint=_address(said, "end_session_endpoint", needed=False),
        scopes=_listed(said, "scopes_supported", set()),
        auth_methods=_listed(said, "token_endpoint_auth_methods_supported", {"client_secret_basic"}),
        names_itself=said.get("authorization_response_iss_parameter_supported") is True,
        skew=skew,
    )


def _address(said: Mapping[str, Any], name: str, *, needed: bool = True) -> str:
    value = said.get(name)
    if isinstance(value, str) and urlsplit(value).scheme == "https":
        return value
    if needed:
        raise ProviderTrouble("incomplete")
    return ""


def _listed(said: Mapping[str, Any], name: str, otherwise: set[str]) -> frozenset[str]:
    value = said.get(name)
    return frozenset(str(each) for each in value) if isinstance(value, list) else frozenset(otherwise)


def _auth_method(client: Client, metadata: Metadata) -> str:
    if client.secret is None:
        return "none"
    only_post = "client_secret_basic" not in metadata.auth_methods and "client_secret_post" in metadata.auth_methods
    return "client_secret_post" if only_post else "client_secret_basic"


def _skew(date: str | None) -> float:
    """Seconds that the provider's clock is ahead of ours, by its answer's `Date`; 0 where it says none."""
    try:
        return (parsedate_to_datetime(date or "") - world_time()).total_seconds()
    except (TypeError, ValueError):
        return 0.0
