"""Where software gets a token: OAuth 2.0 client credentials, revocation, the server's metadata. No cookie, no session.

Errors are those of RFC 6749 5.2, not problems: clients of every make read them.
"""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from litestar import Controller, Request, Response, get, post
from litestar.params import RawBody

from app.access.permissions import Permission
from app.identity.machines.keys import ALLOWED
from app.identity.machines.operations.tokens import (
    Client,
    ClientRefused,
    ForeignToken,
    ScopeRefused,
    Shown,
    authenticate,
    issue_token,
    revoke_token,
)
from app.identity.machines.rules import FOR_PEOPLE, TOKEN
from app.web.begin import front_of, runtime_of, site_of
from app.web.wire.reading import JSON

PageRequest = Request[Any, Any, Any]
REVOKE = "/oauth/revoke"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_MOST_BYTES, _MOST_FIELDS = 32_768, 20


class Refused(Exception):
    """What the client is told, by a word of RFC 6749."""

    def __init__(self, word: str, said: str, *, status: int = 400) -> None:
        super().__init__(said)
        self.word, self.status = word, status


class TokenDoors(Controller):
    """The handler itself finds out who asks: there is nobody here yet."""

    opt = {"door": "hook"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post(TOKEN, status_code=200, sync_to_thread=True)
    def issue(self, request: PageRequest, body: RawBody) -> Response[dict[str, Any]]:
        """A token for who shows a credential."""
        try:
            fields = _read(request, body)
            _require_grant(fields)
            client = _client(request, fields)
            issued = issue_token(runtime_of(request).databases, site_of(request), client, fields.get("scope"))
        except (Refused, ClientRefused, ScopeRefused) as error:
            return _refusal(request, error)
        told = {"access_token": issued.text, "token_type": "Bearer", "scope": " ".join(issued.scopes)}
        return Response(told | {"expires_in": int(issued.lifetime.total_seconds())}, media_type=JSON)

    @post(REVOKE, status_code=200, sync_to_thread=True)
    def revoke(self, request: PageRequest, body: RawBody) -> Response[dict[str, Any]]:
        """End a token of one's own before its time; one that is not known is fine too."""
        try:
            fields = _read(request, body)
            client = _client(request, fields)
            revoke_token(runtime_of(request).databases, site_of(request), client, _token(fields))
        except (Refused, ClientRefused, ForeignToken) as error:
            return _refusal(request, error)
        return Response({}, media_type=JSON)


class MetadataDoor(Controller):
    """What a client can find out by itself (RFC 8414)."""

    opt = {"door": "public"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/.well-known/oauth-authorization-server", sync_to_thread=False)
    def describe(self, request: PageRequest) -> dict[str, Any]:
        """The issuer on this host, its doors and the methods it takes."""
        issuer = front_of(request).url(site_of(request).host, "")
        proving = {"auth_methods_supported": _METHODS, "auth_signing_alg_values_supported": list(ALLOWED)}
        return {
            "issuer": issuer,
            "token_endpoint": issuer + TOKEN,
            "revocation_endpoint": issuer + REVOKE,
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "scopes_supported": sorted(set(Permission) - FOR_PEOPLE),
            **{f"token_endpoint_{name}": value for name, value in proving.items()},
            **{f"revocation_endpoint_{name}": value for name, value in proving.items()},
        }


def _require_grant(fields: dict[str, str]) -> None:
    said = fields.get("grant_type")
    if said != "client_credentials":
        word = "unsupported_grant_type" if said else "invalid_request"
        raise Refused(word, "grant_type must be client_credentials.")


def _token(fields: dict[str, str]) -> str:
    if "token" not in fields:
        raise Refused("invalid_request", "token is missing.")
    return fields["token"]


def _client(request: PageRequest, fields: dict[str, str]) -> Client:
    """The account behind the request. Raises Refused, ClientRefused."""
    issuer = front_of(request).url(site_of(request).host, "")
    audiences = frozenset({issuer, f"{issuer}/", issuer + TOKEN, issuer + request.url.path})
    return authenticate(runtime_of(request).databases, site_of(request), _shown(request, fields), audiences)


def _shown(request: PageRequest, fields: dict[str, str]) -> Shown:
    """What the client shows, in exactly one of the three ways. Raises Refused, ClientRefused."""
    said = request.headers.get("authorization", "")
    ways = [bool(said), "client_secret" in fields, "client_assertion" in fields]
    if sum(ways) > 1:
        raise Refused("invalid_request", "Show one credential, in one way.")
    if said:
        return _basic(said, fields)
    if "client_assertion" in fields:
        if fields.get("client_assertion_type") != _ASSERTION:
            raise Refused("invalid_request", f"client_assertion_type must be {_ASSERTION}")
        return Shown(client_id=fields.get("client_id", ""), assertion=fields["client_assertion"])
    if not ways[1]:
        raise ClientRefused("Show a credential.")
    return Shown(client_id=fields.get("client_id", ""), secret=fields["client_secret"])


def _basic(said: str, fields: dict[str, str]) -> Shown:
    scheme, _, rest = said.partition(" ")
    try:
        name, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise ClientRefused("The Authorization header is not one of the scheme Basic.")
    shown = Shown(client_id=unquote_plus(name), secret=unquote_plus(secret))
    if fields.get("client_id", shown.client_id) != shown.client_id:
        raise Refused("invalid_request", "client_id is another one than in the Authorization header.")
    return shown


def _read(request: PageRequest, body: bytes) -> dict[str, str]:
    """The fields of the form, each at most once; an empty one counts as not sent. Raises Refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM or len(body) > _MOST_BYTES:
        raise Refused("invalid_request", f"Send a form, {_FORM}.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Refused("invalid_request", "The form cannot be read.") from None
    if len({name for name, _value in pairs}) < len(pairs) or any("\x00" in value for _name, value in pairs):
        raise Refused("invalid_request", "A field came twice.")
    return {name: value for name, value in pairs if value}


def _refusal(request: PageRequest, error: Exception) -> Response[dict[str, Any]]:
    """The answer in the words of RFC 6749."""
    if isinstance(error, Refused):
        return _answer(error.word, str(error), error.status)
    if isinstance(error, ScopeRefused):
        return _answer("invalid_scope", "The account does not have all of these scopes.", 400)
    if isinstance(error, ForeignToken):
        return _answer("unauthorized_client", "The token was issued to another client.", 400)
    answer = _answer("invalid_client", str(error), 401)
    answer.set_header("www-authenticate", f'Basic realm="{site_of(request).host}"')
    return answer


def _answer(word: str, said: str, status: int) -> Response[dict[str, Any]]:
    return Response({"error": word, "error_description": said}, status_code=status, media_type=JSON)
