"""Public keys of clients: which are taken, and what is kept of them. A private key that is pasted is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.kernel.errors import Invalid
from app.web.translations import mark

PublicKey = RSAKey | ECKey | OKPKey
# What may sign an assertion, by the type of the key: nothing symmetric, nothing unsigned.
ALGORITHMS: Final = {"RSA": ("RS256", "PS256"), "EC": ("ES256",), "OKP": ("EdDSA", "Ed25519")}
ALLOWED: Final = tuple(name for names in ALGORITHMS.values() for name in names)
_TAKEN: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES: Final = {"EC": "P-256", "OKP": "Ed25519"}
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_LEAST_BITS, _MOST_BITS = 2048, 8192  # of RSA: below is weak, above is only a way to keep us busy
_LONGEST = 20_000


class KeyUnfit(Invalid):
    """What was given is not one public key that this service takes: RSA from 2048 bits, P-256 or Ed25519, as a JWK."""


class PrivateKeyGiven(KeyUnfit):
    """It is the half that nobody else may have: it is kept nowhere and shown nowhere again."""

    slug = "key-unfit"


@dataclass(frozen=True, slots=True)
class ReadKey:
    """A public key: its JWK with nothing in it but the key and its id, and its thumbprint (RFC 7638)."""

    jwk: dict[str, Any]
    thumbprint: str


def read_key_text(text: str) -> ReadKey:
    """A JWK, or a JWK Set with one key, as somebody pasted it. Raises KeyUnfit."""
    try:
        said = json.loads(text) if len(text) <= _LONGEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise KeyUnfit(mark("This is not a JSON Web Key. It begins with { and ends with }."))
    return read_key(said)


def read_key(said: dict[str, Any]) -> ReadKey:
    """A JWK, or a JWK Set with one key. Raises KeyUnfit."""
    keys = said.get("keys", [said])
    if not isinstance(keys, list) or len(keys) != 1 or not isinstance(keys[0], dict):
        raise KeyUnfit(mark("Give one key at a time, so that each has its own end."))
    jwk = keys[0]
    if _PRIVATE & jwk.keys():
        raise PrivateKeyGiven(
            mark("This is a private key. It must not leave your system: make a new pair and give its public half.")
        )
    kind = str(jwk.get("kty"))
    if kind not in _TAKEN or jwk.get("use", "sig") != "sig" or jwk.get("alg", ALGORITHMS[kind][0]) not in ALLOWED:
        raise KeyUnfit(_UNFIT)
    kept = {"kty": kind} | {name: jwk.get(name) for name in _TAKEN[kind]}
    if not all(isinstance(value, str) for value in kept.values()) or kept.get("crv") != _CURVES.get(kind):
        raise KeyUnfit(_UNFIT)
    key = open_key(kept)
    named = {"kid": jwk["kid"]} if isinstance(jwk.get("kid"), str) and len(jwk["kid"]) <= _MOST_KID else {}
    return ReadKey(kept | named, key.thumbprint())


def open_key(jwk: dict[str, Any]) -> PublicKey:
    """The key of a JWK that holds no private part. Raises KeyUnfit."""
    kinds: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    try:
        key: PublicKey = kinds[jwk["kty"]].import_key({name: value for name, value in jwk.items() if name != "kid"})
        bits = key.raw_value.key_size if isinstance(key, RSAKey) else _LEAST_BITS
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise KeyUnfit(_UNFIT) from error
    if not _LEAST_BITS <= bits <= _MOST_BITS:
        raise KeyUnfit(mark("An RSA key needs 2048 to 8192 bits."))
    return key


_MOST_KID = 200
_UNFIT = mark("Only RSA keys from 2048 bits, P-256 and Ed25519 keys are taken, as a public JSON Web Key for signing.")
