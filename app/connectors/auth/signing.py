"""How a request is signed by each scheme: one line in the registry, one small function. Sends and stores nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from app.connectors.auth import schemes
from app.connectors.auth.schemes import ACCESS, Scheme
from app.connectors.auth.sigv4 import aws_headers
from app.kernel.errors import Invalid
from app.kernel.outbound.certificates import ClientCertificate
from app.kernel.outbound.client import OutboundRequest
from app.vault.secret import Secret

_SPACE: Final = 0x20  # the first byte that is no control character, but for the one of DEL
_DELETE: Final = 0x7F


class SecretNotStored(Invalid):
    """The connection has no value for a secret that its way needs, or one that cannot stand in a request."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request is signed with: the secrets of the connection, its plain fields, and the world's time."""

    secrets: Mapping[str, Secret] = field(repr=False)
    fields: Mapping[str, str]
    now: datetime

    def secret(self, slot: str) -> Secret:
        """A secret that the request cannot do without. Raises SecretNotStored."""
        if (found := self.secrets.get(slot)) is None:
            raise SecretNotStored(f"The connection has no {slot} yet; store it, then start the action again.")
        return found

    def carried(self, slot: str) -> Secret:
        """The same for one that a header carries. Raises SecretNotStored."""
        found = self.secret(slot)
        if not found.reveal_bytes().isascii():
            raise SecretNotStored(f"The {slot} of the connection holds characters that no header can carry.")
        return found

    def plain(self, name: str) -> str:
        """A plain field that the request cannot do without. Raises SecretNotStored."""
        if not (found := self.fields.get(name, "")):
            raise SecretNotStored(f"The connection has no {name.replace('_', ' ')} yet; fill it in, then try again.")
        return found


def sign(scheme: Scheme, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    """The request as it may leave; nothing of it is changed afterwards. Raises SecretNotStored."""
    return _SIGNERS[type(scheme)](scheme, request, proof)


def _open(_scheme: schemes.Open | schemes.SshLogin, request: OutboundRequest, _proof: Proof) -> OutboundRequest:
    return request


def _bearer(scheme: schemes.Bearer, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    return _with(request, {"Authorization": f"Bearer {proof.carried(scheme.secret).reveal()}"})


def _header(scheme: schemes.HeaderKey, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    return _with(request, {scheme.header: scheme.prefix + proof.carried(scheme.secret).reveal()})


def _query(scheme: schemes.QueryKey, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    mark = "&" if "?" in request.url else "?"
    key = quote(proof.secret(scheme.secret).reveal_bytes(), safe="")
    return replace(request, url=f"{request.url}{mark}{scheme.parameter}={key}")


def _basic(scheme: schemes.Basic, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    if b":" in proof.secret(scheme.user).reveal_bytes():
        raise SecretNotStored(f"The {scheme.user} of the connection holds a colon, which no user name can.")
    for slot in scheme.slots:
        if any(byte < _SPACE or byte == _DELETE for byte in proof.secret(slot).reveal_bytes()):
            raise SecretNotStored(f"The {slot} of the connection holds a line break or another control character.")
    return _with(request, {"Authorization": f"Basic {basic_pair(scheme, proof)}"})


def basic_pair(scheme: schemes.Basic, proof: Proof) -> str:
    """User and password as they stand in a header (RFC 7617)."""
    password = proof.secret(scheme.password).reveal_bytes() if scheme.password else scheme.filler.encode()
    return base64.b64encode(proof.secret(scheme.user).reveal_bytes() + b":" + password).decode()


def _certificate(scheme: schemes.ClientCertificate, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    chain, key = proof.secret(scheme.certificate), proof.secret(scheme.key)
    return replace(request, client_certificate=ClientCertificate(chain.reveal_bytes(), key.reveal_bytes()))


def _aws(scheme: schemes.AwsSigV4, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    key, secret = proof.carried(scheme.access_key), proof.carried(scheme.secret_key)
    token = proof.secrets.get(scheme.session_token) if scheme.session_token else None
    region = scheme.region or proof.plain("region")
    return _with(request, aws_headers(request, (key, secret, token), (scheme.service, region), proof.now))


def _token(_scheme: Scheme, request: OutboundRequest, proof: Proof) -> OutboundRequest:
    return _with(request, {"Authorization": f"Bearer {proof.carried(ACCESS).reveal()}"})


def _with(request: OutboundRequest, headers: Mapping[str, str]) -> OutboundRequest:
    return replace(request, headers={**request.headers, **headers})


_SIGNERS: Final[dict[type, Callable[[Any, OutboundRequest, Proof], OutboundRequest]]] = {  # Any: the scheme of the key
    schemes.Open: _open,
    schemes.SshLogin: _open,
    schemes.Bearer: _bearer,
    schemes.HeaderKey: _header,
    schemes.QueryKey: _query,
    schemes.Basic: _basic,
    schemes.ClientCertificate: _certificate,
    schemes.AwsSigV4: _aws,
    schemes.AuthorizationCode: _token,
    schemes.ClientCredentials: _token,
    schemes.PrivateKeyJwt: _token,
    schemes.JwtBearer: _token,
}
