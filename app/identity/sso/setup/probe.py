"""Tries a connection out from the server's side, step by step, and says of the first step that fails why it does.

Nobody signs in: the client is shown with a code that cannot be right, which only a provider that knows it complains of.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from app.identity.rules import new_token
from app.identity.sso.protocol.provider import Client, Providers
from app.identity.sso.protocol.tokens import LEEWAY
from app.identity.sso.protocol.trouble import ProviderTrouble

STEPS = ("configuration", "keys", "clock", "client", "redirect")
_QUIET_ERRORS = {"login_required", "interaction_required", "consent_required", "account_selection_required"}


@dataclass
class Tried:
    """How each step went: `good`, `bad` with the word of the trouble, `unclear`, or `skipped` after a bad one."""

    steps: dict[str, str] = field(default_factory=lambda: dict.fromkeys(STEPS, "skipped"))
    trouble: str = ""

    def as_result(self) -> dict[str, Any]:
        """As it is stored and shown."""
        return {"steps": self.steps, "trouble": self.trouble, "good": not self.trouble}


def try_out(providers: Providers, client: Client) -> Tried:
    """Every step in order, until one fails. Makes at most five calls; changes nothing anywhere."""
    tried = Tried()
    for step in STEPS:
        try:
            tried.steps[step] = _TESTS[step](providers, client)
        except ProviderTrouble as trouble:
            tried.steps[step] = "good"  # the keys are fetched with the configuration
            tried.steps["keys" if trouble.word == "keys" else step] = "bad"
            tried.trouble = trouble.word
            break
    return tried


def _configuration(providers: Providers, client: Client) -> str:
    providers.metadata(client.issuer, fresh=True)
    return "good"


def _keys(providers: Providers, client: Client) -> str:
    return "good" if providers.keys(client.issuer) else "unclear"


def _clock(providers: Providers, client: Client) -> str:
    if abs(providers.metadata(client.issuer).skew) > LEEWAY:
        raise ProviderTrouble("clock")
    return "good"


def _client(providers: Providers, client: Client) -> str:
    """A provider checks the client before the code: complaining of the code is as good as a welcome."""
    try:
        providers.exchange(client, code=new_token().text, verifier=new_token().text)
    except ProviderTrouble as trouble:
        if trouble.word == "code":
            return "good"
        if trouble.word in {"status", "not_json"}:
            return "unclear"
        raise
    return "unclear"


def _redirect(providers: Providers, client: Client) -> str:
    """Asked to show no page, a provider that knows client and address sends the browser back with `login_required`."""
    words = {"state": new_token().text, "nonce": new_token().text, "verifier": new_token().text}
    answer = providers.asks_quietly(client, **words)
    if answer.is_redirect:
        place = urlsplit(answer.headers.get("location", ""))
        home = f"{place.scheme}://{place.netloc}{place.path}" == client.redirect_uri
        error = parse_qs(place.query).get("error", [""])[0]
        return "good" if home and error in _QUIET_ERRORS else "unclear"
    if httpx2.codes.is_client_error(answer.status_code):
        raise ProviderTrouble("redirect")
    return "unclear"


_TESTS = {
    "configuration": _configuration,
    "keys": _keys,
    "clock": _clock,
    "client": _client,
    "redirect": _redirect,
}
