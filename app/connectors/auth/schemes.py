"""The ways in which a connector can sign in, as its manifest declares them. Values only; `signing` uses them.

A scheme names *slots* (secrets of the manifest, sealed per connection) and may ask a person for *fields* (plain texts
of the connection: a client id, a region). Which way a connection goes, and its fields, stand in its config's `auth`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal

import msgspec

ACCESS: Final = "token.access"  # the access token among the secrets of a call; no slot of a manifest has a dot
WAY: Final = "way"  # the key of a connection's `auth` that says which way it goes
ClientAuth = Literal["post", "basic", "none"]
Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]


class _Scheme(msgspec.Struct, frozen=True, tag_field="scheme", kw_only=True):
    """`way` and `label` tell alternatives apart; a manifest with one way needs neither."""

    way: str = ""
    label: dict[str, str] = {}

    needs: ClassVar[tuple[str, ...]] = ()  # which of its values name secrets
    calls: ClassVar[tuple[str, ...]] = ()  # which of its values are addresses
    asks: ClassVar[tuple[str, ...]] = ()
    may_ask: ClassVar[tuple[str, ...]] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        """The secrets that this way takes."""
        return tuple(slot for name in self.needs if (slot := getattr(self, name)))

    @property
    def fields(self) -> tuple[str, ...]:
        """The plain fields that a person fills in, but for what the manifest says itself; `may_ask` may stay empty."""
        return tuple(name for name in self.asks if not getattr(self, name, "")) + self.may_ask

    @property
    def urls(self) -> dict[str, str]:
        """Addresses besides the connector's own that this way leads to, by their place in the manifest."""
        return {name: url for name in self.calls if (url := getattr(self, name))}


class Open(_Scheme, frozen=True, tag="none", kw_only=True):
    """No proof at all."""


class Bearer(_Scheme, frozen=True, tag="bearer", kw_only=True):
    """`Authorization: Bearer …` (RFC 6750) with a token that a person hands over."""

    needs: ClassVar[tuple[str, ...]] = ("secret",)

    secret: str


class HeaderKey(_Scheme, frozen=True, tag="header", kw_only=True):
    """A key in a header of its own, after a `prefix` where the peer wants one."""

    needs: ClassVar[tuple[str, ...]] = ("secret",)

    secret: str
    header: str
    prefix: str = ""


class QueryKey(_Scheme, frozen=True, tag="query", kw_only=True):
    """A key in the query: for peers that know nothing better. It is never shown: addresses are logged by host alone."""

    needs: ClassVar[tuple[str, ...]] = ("secret",)

    secret: str
    parameter: str


class Basic(_Scheme, frozen=True, tag="basic", kw_only=True):
    """User and password (RFC 7617); a peer that takes a key as the user has no password, or wants some `filler`."""

    needs: ClassVar[tuple[str, ...]] = ("user", "password")

    user: str
    password: str = ""
    filler: str = ""


class ClientCertificate(_Scheme, frozen=True, tag="mtls", kw_only=True):
    """A certificate of ours in the TLS handshake (RFC 8446); both slots hold PEM."""

    needs: ClassVar[tuple[str, ...]] = ("certificate", "key")

    certificate: str
    key: str


class SshLogin(_Scheme, frozen=True, tag="ssh", kw_only=True):
    """A password or a private key for SFTP (RFC 4252); it never stands in a request."""

    needs: ClassVar[tuple[str, ...]] = ("password", "key")

    password: str = ""
    key: str = ""


class AwsSigV4(_Scheme, frozen=True, tag="aws_sigv4", kw_only=True):
    """AWS Signature Version 4 over the very bytes that are sent. An empty `region` is asked for."""

    needs: ClassVar[tuple[str, ...]] = ("access_key", "secret_key", "session_token")
    asks: ClassVar[tuple[str, ...]] = ("region",)

    service: str
    access_key: str
    secret_key: str
    session_token: str = ""
    region: str = ""


class _Token(_Scheme, frozen=True, kw_only=True):
    """Ways by an access token that is fetched. Addresses are whole, or paths at the connector's own address.

    `skew`: seconds before its end at which a token counts as over. `lifetime`: seconds, where the peer names none.
    """

    calls: ClassVar[tuple[str, ...]] = ("token_url", "revoke_url")

    token_url: str
    revoke_url: str = ""
    scopes: tuple[str, ...] = ()
    parameters: dict[str, str] = {}
    skew: int = 120
    lifetime: int = 3600


class AuthorizationCode(_Token, frozen=True, tag="oauth2_code", kw_only=True):
    """OAuth 2.0 authorization code (RFC 6749) with PKCE S256 (RFC 7636); a person connects, we refresh."""

    needs: ClassVar[tuple[str, ...]] = ("client_secret",)
    calls: ClassVar[tuple[str, ...]] = ("token_url", "revoke_url", "authorize_url")
    asks: ClassVar[tuple[str, ...]] = ("client_id",)

    authorize_url: str
    client_secret: str = ""
    client_auth: ClientAuth = "post"
    scope_separator: str = " "
    authorize_parameters: dict[str, str] = {}


class ClientCredentials(_Token, frozen=True, tag="oauth2_cc", kw_only=True):
    """OAuth 2.0 client credentials with a secret (RFC 6749 4.4)."""

    needs: ClassVar[tuple[str, ...]] = ("client_secret",)
    asks: ClassVar[tuple[str, ...]] = ("client_id",)

    client_secret: str
    client_auth: ClientAuth = "basic"


class PrivateKeyJwt(_Token, frozen=True, tag="private_key_jwt", kw_only=True):
    """Client credentials proven by a signed assertion (RFC 7523 2.2); `audience` is the token address unless named."""

    needs: ClassVar[tuple[str, ...]] = ("key",)
    asks: ClassVar[tuple[str, ...]] = ("client_id",)
    may_ask: ClassVar[tuple[str, ...]] = ("key_id",)

    key: str
    algorithm: Algorithm = "RS256"
    audience: str = ""


class JwtBearer(_Token, frozen=True, tag="jwt_bearer", kw_only=True):
    """A signed statement for a token (RFC 7523 2.1), as service accounts of Google and Salesforce use it."""

    needs: ClassVar[tuple[str, ...]] = ("key",)
    asks: ClassVar[tuple[str, ...]] = ("issuer",)
    may_ask: ClassVar[tuple[str, ...]] = ("subject", "key_id")

    key: str
    algorithm: Algorithm = "RS256"
    audience: str = ""
    scope_in: Literal["claim", "parameter"] = "claim"


TokenScheme = AuthorizationCode | ClientCredentials | PrivateKeyJwt | JwtBearer
Scheme = Open | Bearer | HeaderKey | QueryKey | Basic | ClientCertificate | SshLogin | AwsSigV4 | TokenScheme
# A manifest names one scheme, or alternatives that each have a name.
Auth = Scheme | tuple[Scheme, ...]


def ways_of(auth: Auth) -> dict[str, Scheme]:
    """Every way by its name; the first is the one that a connection goes which names none."""
    ways = auth if isinstance(auth, tuple) else (auth,)
    return {way.way: way for way in ways}


def way_of(auth: Auth, chosen: Mapping[str, str]) -> Scheme:
    """The way that a connection's `auth` chooses; the first where it names none that there is."""
    ways = ways_of(auth)
    return ways.get(chosen.get(WAY, "")) or next(iter(ways.values()))


def is_by_token(scheme: Scheme) -> bool:
    """Whether requests carry an access token that is fetched first."""
    return isinstance(scheme, AuthorizationCode | ClientCredentials | PrivateKeyJwt | JwtBearer)


def absolute(address: str, url: str) -> str:
    """An address of a scheme: as it is, or a path at the connector's own address."""
    return address + url if url.startswith("/") else url
