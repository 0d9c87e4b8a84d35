"""Reads a signed client assertion (RFC 7523): whose it says it is, whether a key signed it, whether it is for us, now.

Authlib's server side needs Flask or Django; its RFC 7523 part also checks neither the life of an assertion nor, before
its key is loaded, the algorithm. These lines do, over `joserfc`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from app.identity.machines.keys import ALGORITHMS, ALLOWED, open_key
from app.identity.machines.rules import ASSERTION_LIFETIME, CLOCKS_APART, MOST_LIVE

_LONGEST = 16_000
_LONGEST_JTI = 500


class _Allowed(JWSRegistry):
    """The allowed algorithms and no other.

    RFC 9864 wants `EdDSA` to be called `Ed25519`, which most clients cannot yet; the library warns of it each time. It
    is deprecated for leaving the curve open: here every key names Ed25519.
    """

    def get_alg(self, name: str) -> Any:
        """The algorithm. Raises UnsupportedAlgorithmError."""
        if name not in ALLOWED:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


_REGISTRY: Final = _Allowed(algorithms=list(ALLOWED))
# Nobody holds their private halves: an unknown client costs as many verifications as a known one with a wrong key.
_NOBODYS: Final[dict[str, dict[str, Any]]] = {
    "OKP": {"kty": "OKP", "crv": "Ed25519", "x": "Arkez_ATcNIo44KCRZviw0LSXkLpJHMtGHOHxXuVM9s"},
    "EC": {
        "kty": "EC",
        "crv": "P-256",
        "x": "LgAubUICEuj0GtP5YUKDsCXHyVyuSgzC0V8SFbmKOqs",
        "y": "p0LuLy2DtbnOCJz_Qjq6j0FlT1_Ml_LHonXPs5NP0ak",
    },
    "RSA": {
        "kty": "RSA",
        "e": "AQAB",
        "n": (
            "26OeS0Vs4gOOrOsvfS3PHmwby3nrSYPH6rAbrUzj5TdrwJekEcq3ZoLnx7HDYxTsFmGOndPxAkOi1xk6tfC_W1tm2ap1VRNl3-2yoN3Q"
            "EfBvW5B5mql16A52chACLCSSPrpKz406G8cw7mCG5tpz6z0AncypmHkOb5DvDUTT2OtiqJdjmfszw0UXAz3Aqw1h1XXuoWz-bsXuh-43"
            "cxVJuMRzttQuQSPvKdsGdIWKPFgnGuiaxLEG14_0wnvduZ4F9AIWq1aVDPfg7NgTzyOwsqXKkHrzimMcRue34KJab8qTrtqzRzwC-gYH"
            "G-tMwhqnnvR_5HiknSpuYbgGZPIOww"
        ),
    },
}


class AssertionRefused(Exception):
    """It cannot be used. The text is for the client's developer: only said once a signature has shown who it is."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What was sent, taken apart and not yet believed. `algorithm` is one of those that are allowed."""

    signed: CompactSignature
    algorithm: str
    claims: dict[str, Any]

    @property
    def key_type(self) -> str:
        """The type of key that can have signed it."""
        return next(kind for kind, names in ALGORITHMS.items() if self.algorithm in names)

    @property
    def client_id(self) -> UUID | None:
        """Whom it says it is of: issuer and subject are one and the same client."""
        try:
            named = UUID(self.claims["iss"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        return named if self.claims.get("sub") == self.claims["iss"] == str(named) else None


def read_assertion(text: str) -> Assertion:
    """Take it apart. Raises AssertionRefused."""
    try:
        if len(text) > _LONGEST:
            raise AssertionRefused("The assertion is too long.")
        signed = extract_compact(text.encode("ascii"), registry=_REGISTRY)
        algorithm = signed.headers().get("alg")
        claims = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise AssertionRefused("The assertion is no signed JWT.") from error
    if algorithm not in ALLOWED or not isinstance(claims, dict):
        raise AssertionRefused(f"Sign with one of {', '.join(ALLOWED)}.")
    return Assertion(signed, str(algorithm), claims)


def find_signer(assertion: Assertion, jwks: Sequence[tuple[UUID, dict[str, Any]]]) -> UUID | None:
    """Which of the client's keys (id, JWK) has signed it. As many verifications whether the client is known or not."""
    fitting = [(key_id, jwk) for key_id, jwk in jwks if jwk["kty"] == assertion.key_type][:MOST_LIVE]
    nobody = _NOBODYS[assertion.key_type]
    tried: list[tuple[UUID | None, dict[str, Any]]] = [*fitting, *[(None, nobody)] * (MOST_LIVE - len(fitting))]
    return next((key_id for key_id, jwk in tried if _is_signed(assertion, jwk) and key_id), None)


def check_claims(assertion: Assertion, audiences: Collection[str], now: datetime) -> tuple[bytes, datetime]:
    """Whether it is for us and good at this moment. Returns the digest of its `jti` and its end.

    Raises AssertionRefused.
    """
    claims = assertion.claims
    said = claims.get("aud")
    wanted = said if isinstance(said, list) else [said]
    if not any(isinstance(each, str) and each in audiences for each in wanted):
        raise AssertionRefused(f"aud must be one of {' '.join(sorted(audiences))}")
    end = _moment(claims, "exp", needed=True)
    if end is None or end <= now:
        raise AssertionRefused("exp is over: sign a new assertion for each request.")
    if end > now + ASSERTION_LIFETIME + CLOCKS_APART:
        raise AssertionRefused("exp is more than five minutes from now.")
    for name in ("iat", "nbf"):
        begin = _moment(claims, name, needed=False)
        if begin is not None and begin > now + CLOCKS_APART:
            raise AssertionRefused(f"{name} is in the future: the clocks differ.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise AssertionRefused("jti is missing: a value that no other assertion of this client has.")
    return hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest(), end


def _is_signed(assertion: Assertion, jwk: dict[str, Any]) -> bool:
    try:
        return validate_compact(assertion.signed, open_key(jwk), registry=_REGISTRY)
    except (JoseError, ValueError, TypeError):
        return False


def _moment(claims: dict[str, Any], name: str, *, needed: bool) -> datetime | None:
    said = claims.get(name)
    if said is None and not needed:
        return None
    if isinstance(said, bool) or not isinstance(said, int | float):
        raise AssertionRefused(f"{name} must be a number of seconds.")
    try:
        return datetime.fromtimestamp(said, tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise AssertionRefused(f"{name} is no point in time.") from error
