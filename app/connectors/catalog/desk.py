"""The token endpoint of a stand-in (RFC 6749, PKCE of RFC 7636): codes, refresh tokens, tokens that end. No runner."""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from app.connectors.catalog.stand_in import Answer, Call

# Makes the peer's own answer from the word of RFC 6749 5.2.
Refusal = Callable[[str], Answer]


def plain_refusal(error: str) -> Answer:
    """As the RFC has it."""
    return Answer(401 if error == "invalid_client" else 400, {"error": error})


@dataclass
class TokenDesk:
    """Gives tokens to one client. `rotates`: a refresh token is good once, and its second use ends the whole family."""

    client: tuple[str, str]
    refusal: Refusal = plain_refusal
    rotates: bool = False
    lifetime: float = 1800.0
    answered: list[Mapping[str, str]] = field(default_factory=list)  # the forms that came, without what is secret
    _codes: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # account, challenge, redirect_uri
    _refresh: dict[str, str] = field(default_factory=dict)  # refresh token → account
    _spent: dict[str, str] = field(default_factory=dict)
    _access: dict[str, tuple[str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, account: str, *, challenge: str, redirect_uri: str) -> str:
        """What a person's yes at the authorization page comes to: a code, good once."""
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._codes[code] = account, challenge, redirect_uri
        return code

    def give_refresh(self, account: str) -> str:
        """A refresh token as somebody holds it already."""
        token = secrets.token_urlsafe(16)
        with self._lock:
            self._refresh[token] = account
        return token

    def end_access(self) -> None:
        """Every access token is over, before its time."""
        with self._lock:
            self._access.clear()

    def revoke(self, account: str) -> None:
        """The account's owner has thrown us out."""
        with self._lock:
            self._forget(account)

    def account_of(self, token: str) -> str:
        """Whose access token it is, while it lasts."""
        with self._lock:
            account, ends = self._access.get(token, ("", 0.0))
        return account if time.monotonic() < ends else ""

    def answer(self, call: Call) -> Answer:
        """One request at the token endpoint."""
        form = dict(parse_qsl(call.raw.decode("utf-8", "replace")))
        with self._lock:
            self.answered.append({"grant_type": form.get("grant_type", "")})
            if (form.get("client_id"), form.get("client_secret")) != self.client:
                return self.refusal("invalid_client")
            match form.get("grant_type"):
                case "authorization_code":
                    return self._by_code(form)
                case "refresh_token":
                    return self._by_refresh(form.get("refresh_token", ""))
        return self.refusal("unsupported_grant_type")

    def _by_code(self, form: Mapping[str, str]) -> Answer:
        account, challenge, redirect_uri = self._codes.pop(form.get("code", ""), ("", "", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge
        if not account or not proven or form.get("redirect_uri") != redirect_uri:
            return self.refusal("invalid_grant")
        return self._tokens(account, secrets.token_urlsafe(16))

    def _by_refresh(self, token: str) -> Answer:
        if token in self._spent:
            self._forget(self._spent[token])
        account = self._refresh.get(token)
        if account is None:
            return self.refusal("invalid_grant")
        if not self.rotates:
            return self._tokens(account, token)
        del self._refresh[token]
        self._spent[token] = account
        return self._tokens(account, secrets.token_urlsafe(16))

    def _tokens(self, account: str, refresh: str) -> Answer:
        access = secrets.token_urlsafe(16)
        self._access[access] = account, time.monotonic() + self.lifetime
        self._refresh[refresh] = account
        shown = {"access_token": access, "refresh_token": refresh, "token_type": "bearer"}
        return Answer(200, shown | {"expires_in": int(self.lifetime)})

    def _forget(self, account: str) -> None:
        self._refresh = {token: owner for token, owner in self._refresh.items() if owner != account}
        self._access = {token: held for token, held in self._access.items() if held[0] != account}
