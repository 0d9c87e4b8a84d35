"""Where a person goes to let us in (RFC 6749 4.1.1, RFC 7636), and the secrets of that one journey. Stores nothing."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from app.connectors.auth.schemes import AuthorizationCode, absolute
from app.vault.secret import Secret


@dataclass(frozen=True, slots=True)
class Journey:
    """What one authorization request needs: `state` finds it again, `verifier` proves that the code is ours."""

    state: Secret = field(repr=False)
    verifier: Secret = field(repr=False)

    @classmethod
    def make(cls) -> Journey:
        """A new one: 256 bits each."""
        return cls(Secret(secrets.token_urlsafe(32)), Secret(secrets.token_urlsafe(32)))


def challenge_of(verifier: Secret) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    digest = hashlib.sha256(verifier.reveal_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def digest_of(state: str) -> str:
    """What of a state is kept: who reads the database cannot come back with it."""
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()


def authorize_url(scheme: AuthorizationCode, address: str, *, client_id: str, redirect_uri: str, state: str,
                  challenge: str) -> str:  # fmt: skip
    """The address that the person's browser is sent to."""
    wanted = {
        **scheme.authorize_parameters,
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scheme.scope_separator.join(scheme.scopes),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{absolute(address, scheme.authorize_url)}?{urlencode(wanted)}"
