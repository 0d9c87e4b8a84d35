"""Senders of each scheme, written from the makers' own words and not from our code: what they sign must be taken."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jws
from joserfc.jwk import OctKey

from app.connectors.inbound.schemes import Arrival
from app.connectors.kit.webhooks import Webhooks
from app.vault.secret import Secret

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
URI = "https://northwind.example/hooks/abc"
BODY = b'{"id": "evt_1", "type": "order.paid", "amount": 1}'
SHARED = b"0123456789abcdef0123456789abcdef"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = SIGNER.public_key().public_bytes_raw()

Headers = dict[str, str]


@dataclass(frozen=True)
class Sender:
    """A peer: what its manifest says, the secret it gave us, and how it signs a body at a time."""

    webhooks: Webhooks
    secret: Secret
    headers: Callable[[bytes, datetime], Headers]

    def arrival(self, body: bytes = BODY, at: datetime = NOW, **changed: str | None) -> Arrival:
        """A delivery signed at that time; `changed` headers by their name with underscores, None for one left out."""
        said = {name.lower(): value for name, value in self.headers(body, at).items()}
        for name, value in changed.items():
            said.pop(name.replace("_", "-").lower(), None)
            if value is not None:
                said[name.replace("_", "-").lower()] = value
        return Arrival("POST", URI, list(said.items()), body)


def declared(**section: Any) -> Webhooks:
    """A `webhooks:` section."""
    usual: dict[str, Any] = {
        "secret": "signing",
        "message_id": {"pointers": ["/id"]},
        "event_type": {"pointers": ["/type"]},
        "events": {"*": {"summary": "Anything"}},
    }
    return msgspec.convert(usual | section, Webhooks)


def mac(signed: bytes, algorithm: str = "sha256", key: bytes = SHARED) -> bytes:
    """An HMAC."""
    return hmac.new(key, signed, algorithm).digest()


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _standard(body: bytes, at: datetime) -> Headers:
    signed = mac(f"msg_1.{_seconds(at)}.".encode() + body)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": _seconds(at),
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def _standard_public(body: bytes, at: datetime) -> Headers:
    signed = SIGNER.sign(f"msg_1.{_seconds(at)}.".encode() + body)
    return _standard(body, at) | {"webhook-signature": f"v1a,{base64.b64encode(signed).decode()}"}


def _hubspot(body: bytes, at: datetime) -> Headers:
    stamp = str(int(at.timestamp() * 1000))
    signed = mac(f"POST{URI}".encode() + body + stamp.encode())
    return {"X-HubSpot-Signature-v3": base64.b64encode(signed).decode(), "X-HubSpot-Request-Timestamp": stamp}


def _stripe(body: bytes, at: datetime) -> Headers:
    signed = mac(f"{_seconds(at)}.".encode() + body).hex()
    return {"Stripe-Signature": f"t={_seconds(at)},v1={signed},v0={'0' * 64}"}


def _github(body: bytes, _at: datetime) -> Headers:
    return {"X-Hub-Signature-256": f"sha256={mac(body).hex()}", "X-GitHub-Delivery": "72d3162e", "X-GitHub-Event": "x"}


def _slack(body: bytes, at: datetime) -> Headers:
    signed = mac(f"v0:{_seconds(at)}:".encode() + body).hex()
    return {"X-Slack-Signature": f"v0={signed}", "X-Slack-Request-Timestamp": _seconds(at)}


def _hmac(body: bytes, at: datetime) -> Headers:
    stamp = str(int(at.timestamp() * 1000))
    signed = mac(b"m-7|" + stamp.encode() + b"|" + body, "sha512")
    return {"X-Sign": "s=" + base64.b64encode(signed).decode(), "X-At": stamp, "X-Id": "m-7"}


def _ed25519(body: bytes, at: datetime) -> Headers:
    signed = SIGNER.sign(_seconds(at).encode() + body)
    return {"X-Signature-Ed25519": signed.hex(), "X-Signature-Timestamp": _seconds(at)}


def token(claims: dict[str, Any], *, key: Any = None, algorithm: str = "HS256") -> str:
    """A signed token."""
    signer = key or OctKey.import_key(SHARED)
    return jws.serialize_compact({"alg": algorithm}, msgspec.json.encode(claims), signer, algorithms=[algorithm])


def claims_of(body: bytes, at: datetime) -> dict[str, Any]:
    """What a token of a peer says."""
    now = int(at.timestamp())
    times = {"iat": now, "exp": now + 120, "jti": "j-1"}
    return {"iss": "peer", "aud": "us", "body_sha256": hashlib.sha256(body).hexdigest()} | times


def _jwt(body: bytes, at: datetime) -> Headers:
    return {"Authorization": f"Bearer {token(claims_of(body, at))}"}


JWT = {"algorithms": ["HS256"], "issuer": "peer", "audience": "us"}
_WHSEC = Secret(b"whsec_" + base64.b64encode(SHARED))
_ID = {"header": "X-Id"}
SENDERS = {
    "standard_webhooks": Sender(
        declared(scheme="standard_webhooks", message_id={"header": "webhook-id"}), _WHSEC, _standard
    ),
    "standard_webhooks_public": Sender(
        declared(scheme="standard_webhooks"), Secret(b"whpk_" + base64.b64encode(PUBLIC)), _standard_public
    ),
    "hubspot_v3": Sender(declared(scheme="hubspot_v3"), Secret(SHARED), _hubspot),
    "stripe": Sender(declared(scheme="stripe"), Secret(SHARED), _stripe),
    "github": Sender(declared(scheme="github", message_id={"header": "X-GitHub-Delivery"}), Secret(SHARED), _github),
    "slack": Sender(declared(scheme="slack"), Secret(SHARED), _slack),
    "hmac": Sender(
        declared(
            scheme="hmac",
            message_id=_ID,
            hmac={
                "header": "X-Sign",
                "encoding": "base64",
                "prefix": "s=",
                "algorithm": "sha512",
                "signed": "{id}|{timestamp}|{body}",
                "timestamp": {"header": "X-At", "unit": "milliseconds"},
            },
        ),
        Secret(SHARED),
        _hmac,
    ),
    "ed25519": Sender(
        declared(
            scheme="ed25519",
            ed25519={
                "header": "X-Signature-Ed25519",
                "encoding": "hex",
                "signed": "{timestamp}{body}",
                "timestamp": {"header": "X-Signature-Timestamp"},
            },
        ),
        Secret(PUBLIC.hex()),
        _ed25519,
    ),
    "jwt": Sender(declared(scheme="jwt", jwt=JWT), Secret(SHARED), _jwt),
}
