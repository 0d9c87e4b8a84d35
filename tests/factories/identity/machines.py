"""Software at the doors: service accounts made over HTTP, and Authlib's own client that gets their tokens."""

from __future__ import annotations

import base64
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.kernel.ids import new_id
from tests.factories.api import API, Caller, Said
from tests.factories.doors import Browser

NORTHWIND = "northwind.localhost"
ACCOUNTS = "/api/v1/service-accounts"
READ = "tenancy:tenant:read"


@dataclass
class Software:
    """An account over HTTP: its id, what it proves itself by, and the host it asks."""

    api: API
    client_id: str
    secret: Any
    host: str = NORTHWIND

    @property
    def port(self) -> int:
        """Where the doors are."""
        return self.api.doors.port

    @property
    def token_url(self) -> str:
        """The token endpoint under its public name."""
        return self.api.doors.front.url(self.host, "/oauth/token")

    def session(self, method: str = "client_secret_basic", **more: Any) -> OAuth2Session:
        """Authlib's client."""
        one = OAuth2Session(self.client_id, self.secret, token_endpoint_auth_method=method, **more)
        one.headers["Host"] = f"{self.host}:{self.port}"
        one.trust_env = False
        return one

    def fetch(self, method: str = "client_secret_basic", **more: Any) -> dict[str, Any]:
        """A token by secret; raises Authlib's OAuthError."""
        with self.session(method) as one:
            return dict(one.fetch_token(f"http://127.0.0.1:{self.port}/oauth/token", **self._grant(more)))

    def sign(self, *, alg: str = "EdDSA", url: str | None = None, **claims: Any) -> dict[str, Any]:
        """A token by a signed assertion; raises Authlib's OAuthError. Claims of None are those Authlib makes."""
        own = {"exp": int(time.time()) + 120} | claims
        with self.session("private_key_jwt") as one:
            one.register_client_auth_method(PrivateKeyJWT(url or self.token_url, claims=own, alg=alg))
            return dict(one.fetch_token(f"http://127.0.0.1:{self.port}/oauth/token", **self._grant({})))

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Said:
        """A form as it is, without any client."""
        answer = Browser(self.port, self.host).post(path, fields, origin="", sec_fetch_site="", **headers)
        return Said(answer.status, answer.headers, json.loads(answer.text))

    def caller(self, token: str | None = None) -> Caller:
        """Software with its token at the API."""
        return bearer(self.api, token or self.fetch()["access_token"], self.host)

    @staticmethod
    def _grant(more: dict[str, Any]) -> dict[str, Any]:
        return {"grant_type": "client_credentials", **more}


@dataclass
class BearerCaller(Caller):
    """Software that shows a token, and says nothing of where it comes from."""

    token: str = ""

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Said:
        """Any request, with the token."""
        return super().send(method, path, body, {"authorization": f"Bearer {self.token}"} | headers)


def bearer(api: API, token: str, host: str = NORTHWIND) -> BearerCaller:
    """A caller with this token, without cookies."""
    return BearerCaller(api.doors.browser(host), origin=False, token=token)


def make_account(
    owner: Caller, *, path: str = ACCOUNTS, roles: tuple[str, ...] = ("csm",), scopes: tuple[str, ...] = (READ,)
) -> Said:
    """A service account, as it was answered."""
    wanted = {"name": f"Software {new_id().hex[-4:]}", "roles": roles, "scopes": scopes, "reason": "Test"}
    made = owner.post(path, wanted)
    assert made.status == 201, made.body
    return made


def make_software(api: API, owner: Caller, *, path: str = ACCOUNTS, host: str = NORTHWIND, **more: Any) -> Software:
    """An account with a secret."""
    made = make_account(owner, path=path, **more)
    given = owner.post(f"{path}/{made.body['id']}/credentials", {"kind": "secret", "reason": "Test"})
    assert given.status == 201, given.body
    return Software(api, made.body["id"], given.body["secret"], host)


def key_of(alg: str) -> Any:
    """A fresh pair for this algorithm."""
    if alg in {"RS256", "PS256"}:
        return RSAKey.generate_key(2048)
    return ECKey.generate_key("P-256") if alg == "ES256" else OKPKey.generate_key("Ed25519")


def give_key(owner: Caller, client_id: str, key: Any, *, path: str = ACCOUNTS, **more: Any) -> Said:
    """Hand the public half of a pair over."""
    wanted = {"kind": "key", "public_key": key.as_dict(private=False), "reason": "Test", **more}
    return owner.post(f"{path}/{client_id}/credentials", wanted)


def assertion(software: Software, *, alg: str = "EdDSA", key: Any = None, header: Any = None, **claims: Any) -> str:
    """A signed assertion of this software, by its own key unless another is given; a claim of None is left out."""
    now = int(time.time())
    own: dict[str, Any] = {
        "iss": software.client_id,
        "sub": software.client_id,
        "aud": software.token_url,
        "jti": new_id().hex,
    }
    given = own | {"iat": now, "exp": now + 100} | claims
    said = {name: value for name, value in given.items() if value is not None}
    return jwt.encode({"alg": alg, **(header or {})}, said, key or software.secret, algorithms=[alg])


def hmac_of(text: str, key: bytes) -> str:
    """A signature by a public key taken for a shared secret, which libraries refuse to make."""
    made = hmac.digest(key, text.rpartition(".")[0].encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
