"""JSON Web Tokens: a signed claim that is the body's SHA-256, or a body that is the token. Keys are never fetched."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from app.connectors.inbound.schemes.arrival import Arrival, DeliveryRefused, Verified, decode, require_fresh
from app.connectors.kit.webhooks import Assertion
from app.vault.secret import Secret

CLOCKS_APART: Final = timedelta(seconds=60)
_LATEST: Final = 2**40  # seconds since 1970; what is greater is no time
_LEAST_BITS: Final = 2048
_LEAST_SHARED: Final = 16  # bytes
_KINDS: Final[dict[str, type[RSAKey | ECKey | OKPKey]]] = {
    "RS256": RSAKey,
    "PS256": RSAKey,
    "ES256": ECKey,
    "ES384": ECKey,
    "EdDSA": OKPKey,
}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "EdDSA": "Ed25519"}
AnyKey = RSAKey | ECKey | OKPKey | OctKey


class _Allowed(JWSRegistry):
    """The declared algorithms and no other; a header that must be understood (`crit`) is not."""

    def get_alg(self, name: str) -> Any:
        """The algorithm, also under the name that RFC 9864 deprecates. Raises UnsupportedAlgorithmError."""
        if name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


def verify(arrival: Arrival, secrets: Sequence[Secret], now: datetime, declared: Assertion) -> Verified:
    """Check algorithm, signature, issuer, audience, times and body. Raises DeliveryRefused."""
    registry = _Allowed(algorithms=list(declared.algorithms))
    signed = _read(arrival, declared, registry)
    algorithm = signed.headers().get("alg")
    if algorithm not in declared.algorithms or "crit" in signed.headers() or "b64" in signed.headers():
        raise DeliveryRefused("malformed")
    if not any(_is_signed(signed, secret, str(algorithm), registry) for secret in secrets):
        raise DeliveryRefused("wrong")
    claims = _claims(signed)
    at = _check(claims, declared, now)
    if declared.in_body:
        return Verified(bytes(signed.payload), at, claims)
    said = claims.get(declared.claim)
    digest = hashlib.sha256(arrival.body).digest()
    if not isinstance(said, str) or not said.isascii():
        raise DeliveryRefused("malformed")
    if not hmac.compare_digest(decode(said, declared.encoding), digest):
        raise DeliveryRefused("wrong")
    return Verified(arrival.body, at, claims)


def read_key(secret: Secret, algorithm: str) -> AnyKey | None:
    """The key of a text: a shared secret, or a public key as PEM or JWK, of the algorithm's kind; else None."""
    if len(secret.reveal_bytes()) < _LEAST_SHARED:
        return None
    try:
        if algorithm.startswith("HS"):
            return OctKey.import_key(secret.reveal_bytes())  # it refuses what is a public key
        text = secret.reveal().strip()
        key = _KINDS[algorithm].import_key(json.loads(text) if text.startswith("{") else text)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        return None
    if key.is_private:
        return None
    if isinstance(key, RSAKey):
        return key if key.public_key.key_size >= _LEAST_BITS else None
    return key if key.as_dict().get("crv") == _CURVES[algorithm] else None


def _read(arrival: Arrival, declared: Assertion, registry: JWSRegistry) -> CompactSignature:
    if declared.in_body:
        text = arrival.body.strip()
    else:
        said = arrival.one(declared.header)
        if not said.lower().startswith(declared.prefix.lower()):
            raise DeliveryRefused("malformed")
        text = said[len(declared.prefix) :].encode()
    try:
        return extract_compact(text, registry=registry)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError):
        raise DeliveryRefused("malformed") from None


def _is_signed(signed: CompactSignature, secret: Secret, algorithm: str, registry: JWSRegistry) -> bool:
    key = read_key(secret, algorithm)
    if key is None:
        return False
    try:
        return validate_compact(signed, key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False


def _claims(signed: CompactSignature) -> dict[str, Any]:
    try:
        claims = json.loads(signed.payload)
    except (ValueError, RecursionError):
        raise DeliveryRefused("malformed") from None
    if not isinstance(claims, dict):
        raise DeliveryRefused("malformed")
    return claims


def _check(claims: dict[str, Any], declared: Assertion, now: datetime) -> datetime:
    """When it was signed, if it is of now, for us and of the right issuer."""
    at, end, begin = _moment(claims, "iat"), _moment(claims, "exp"), _moment(claims, "nbf")
    if at is None or end is None:
        raise DeliveryRefused("missing")
    require_fresh(at, now)
    if end + CLOCKS_APART <= now:
        raise DeliveryRefused("stale")
    if begin is not None and begin - CLOCKS_APART > now:
        raise DeliveryRefused("early")
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != declared.issuer or declared.audience not in meant:
        raise DeliveryRefused("unfit")
    return at


def _moment(claims: dict[str, Any], name: str) -> datetime | None:
    said = claims.get(name)
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said < _LATEST:
        raise DeliveryRefused("malformed")
    return datetime.fromtimestamp(said, UTC)
