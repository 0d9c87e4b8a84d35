"""Signed statements for token endpoints (RFC 7523): who asks, whom it is for, five minutes long, each only once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import uuid4

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.connectors.auth.schemes import JwtBearer, PrivateKeyJwt
from app.connectors.auth.signing import Proof, SecretNotStored

LIFETIME: Final = 300  # seconds; peers refuse longer ones
_KEYS: Final[dict[str, Callable[..., Any]]] = {  # Any: joserfc's keys have no common type that it exports
    "RS256": RSAKey.import_key,
    "PS256": RSAKey.import_key,
    "ES256": ECKey.import_key,
    "EdDSA": OKPKey.import_key,
}


def client_assertion(scheme: PrivateKeyJwt, token_url: str, proof: Proof) -> str:
    """Who we are, to one token endpoint (RFC 7523 3): issuer and subject are the client. Raises SecretNotStored."""
    client = proof.plain("client_id")
    return _signed(scheme, {"iss": client, "sub": client, "aud": scheme.audience or token_url}, proof)


def grant_assertion(scheme: JwtBearer, token_url: str, proof: Proof) -> str:
    """What a service account states to get a token (RFC 7523 2.1). Raises SecretNotStored."""
    claims = {"iss": proof.plain("issuer"), "aud": scheme.audience or token_url}
    if subject := proof.fields.get("subject"):
        claims["sub"] = subject
    if scheme.scopes and scheme.scope_in == "claim":
        claims["scope"] = " ".join(scheme.scopes)
    return _signed(scheme, claims, proof)


def _signed(scheme: PrivateKeyJwt | JwtBearer, claims: Mapping[str, str], proof: Proof) -> str:
    header = {"alg": scheme.algorithm, "typ": "JWT"}
    if key_id := proof.fields.get("key_id"):
        header["kid"] = key_id
    issued = int(proof.now.timestamp())
    body: dict[str, Any] = {**claims, "jti": uuid4().hex, "iat": issued, "exp": issued + LIFETIME}
    try:
        return jwt.encode(header, body, _key(scheme, proof), algorithms=[scheme.algorithm])
    except (JoseError, ValueError, TypeError):
        said = f"The {scheme.key} of the connection is no private key for {scheme.algorithm}."
        raise SecretNotStored(
            f"{said} Enter it again, as PEM or JWK."
        ) from None  # the library's own text may hold a part of the key


def _key(scheme: PrivateKeyJwt | JwtBearer, proof: Proof) -> Any:  # Any: joserfc's keys have no common type
    secret, take = proof.secret(scheme.key), _KEYS[scheme.algorithm]
    if secret.reveal_bytes().lstrip().startswith(b"{"):
        return take(json.loads(secret.reveal_bytes()))
    return take(secret.reveal_bytes())
