"""Checks what a provider has signed: which algorithm, which key, and every claim that must be as we expect it. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import Key, import_key

from app.identity.sso.protocol.trouble import ProviderTrouble

# And the kind of key they take. Ed25519 is the newer name of EdDSA (RFC 9864).
ALGORITHMS: Final = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
LEEWAY: Final = 60  # seconds that two clocks may differ
OLDEST: Final = 3600  # seconds: a token that was made for this sign-in, or this logout, is younger
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_LONGEST_SUBJECT = 255
_LONGEST_TOKEN = 64 * 1024
_LEAST_RSA = 2048
_LATEST = 2**40

JWK = Mapping[str, Any]


class KeyUnknown(ProviderTrouble):
    """The key that a token names is not among those the provider showed; it may have new ones."""

    slug = "provider-trouble"

    def __init__(self) -> None:
        super().__init__("key_unknown")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say. `now` is the world's time in seconds."""

    issuer: str
    client_id: str
    now: float


def read_signed(raw: str, keys: Sequence[JWK]) -> dict[str, Any]:
    """The claims of a token whose signature holds, themselves unchecked. Raises ProviderTrouble, KeyUnknown."""
    header = _header(raw)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProviderTrouble("algorithm")
    for jwk in _fitting(header, algorithm, keys):
        key = _imported(jwk)
        if key is None:
            continue
        try:
            return dict(jwt.decode(raw, key, algorithms=[algorithm]).claims)
        except BadSignatureError:
            continue
        except (JoseError, ValueError, RecursionError):
            raise ProviderTrouble("token") from None
    raise ProviderTrouble("signature")


def check_id_token(claims: Mapping[str, Any], expected: Expected, *, nonce: str) -> None:
    """Every claim of an ID token that OpenID Connect Core 3.1.3.7 asks about. Raises ProviderTrouble."""
    _check_origin(claims, expected)
    _check_times(claims, expected)
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise ProviderTrouble("wrong_nonce")
    if not _is_subject(claims.get("sub")):
        raise ProviderTrouble("subject")


def check_access_token(claims: Mapping[str, Any], raw: str, access_token: str) -> None:
    """Whether the access token came with this ID token, where the provider says so by `at_hash`."""
    said = claims.get("at_hash")
    if said is None:
        return
    algorithm = str(_header(raw).get("alg"))
    digest = (hashlib.sha512 if ALGORITHMS.get(algorithm) == "OKP" else hashlib.sha256)(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), half.encode()):
        raise ProviderTrouble("access_token")


def check_logout_token(claims: Mapping[str, Any], expected: Expected) -> None:
    """Every claim of a logout token that Back-Channel Logout 2.6 asks about. Raises ProviderTrouble."""
    _check_origin(claims, expected)
    _check_times(claims, expected)
    events = claims.get("events")
    told = isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict)
    subject, sid, jti = claims.get("sub"), claims.get("sid"), claims.get("jti")
    named = (subject is None or _is_subject(subject)) and (sid is None or _is_subject(sid)) and (subject or sid)
    if not told or "nonce" in claims or not named or not _is_subject(jti):
        raise ProviderTrouble("token")


def unverified(raw: str) -> dict[str, Any]:
    """The claims of a token before any check: only to find out whose keys it is to be checked with."""
    return _part(raw, 1)


def _header(raw: str) -> dict[str, Any]:
    return _part(raw, 0)


def _part(raw: str, number: int) -> dict[str, Any]:
    parts = raw.split(".") if len(raw) <= _LONGEST_TOKEN else []
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        raise ProviderTrouble("token")
    try:
        held = json.loads(base64.urlsafe_b64decode(parts[number] + "=" * (-len(parts[number]) % 4)))
    except (ValueError, RecursionError):
        raise ProviderTrouble("token") from None
    if not isinstance(held, dict):
        raise ProviderTrouble("token")
    return held


def _fitting(header: Mapping[str, Any], algorithm: str, keys: Sequence[JWK]) -> list[JWK]:
    """The keys that may have signed it. Raises KeyUnknown where there is none, so that they can be asked for anew."""
    kid, kind = header.get("kid"), ALGORITHMS[algorithm]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, algorithm)
        and (kid is None or key.get("kid") == kid)
    ]
    if not fitting:
        raise KeyUnknown
    return fitting


def _imported(jwk: JWK) -> Key | None:
    """The key, or None where it is broken or too short to prove anything."""
    if jwk.get("kty") == "RSA" and len(str(jwk.get("n", ""))) * 6 < _LEAST_RSA:
        return None
    try:
        return import_key({name: value for name, value in jwk.items() if name not in {"d", "key_ops", "use"}})
    except (JoseError, ValueError, TypeError):
        return None


def _check_origin(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise ProviderTrouble("wrong_issuer")
    audience, party = claims.get("aud"), claims.get("azp")
    listed = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if expected.client_id not in listed or (len(listed) > 1 and party is None):
        raise ProviderTrouble("wrong_audience")
    if party is not None and party != expected.client_id:
        raise ProviderTrouble("wrong_audience")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    starts = _time(claims, "nbf") if "nbf" in claims else 0.0
    if ends <= expected.now - LEEWAY or made <= expected.now - OLDEST:
        raise ProviderTrouble("expired")
    if max(made, starts) > expected.now + LEEWAY:
        raise ProviderTrouble("clock")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < _LATEST:
        raise ProviderTrouble("token")
    return float(value)


def _is_subject(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_SUBJECT and value.isprintable()
