"""What a test of a connection makes of a provider's answers, without one."""

from __future__ import annotations

import httpx2
import pytest

from app.identity.sso.protocol.provider import Client, Metadata
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.identity.sso.setup.probe import try_out

ISSUER, BACK = "https://id.example.com", "https://start.example.com/sign-in/callback"
CLIENT = Client(ISSUER, "slipway", BACK)
GOOD = httpx2.Response(302, headers={"location": f"{BACK}?error=login_required&state=s"})


class Answers:
    """A provider of fixed answers; a word of trouble is raised."""

    def __init__(self, *, skew=0.0, exchange="code", quiet=GOOD, metadata=""):
        self._skew, self._exchange, self._quiet, self._metadata = skew, exchange, quiet, metadata

    def metadata(self, issuer, *, fresh=False):
        if self._metadata:
            raise ProviderTrouble(self._metadata)
        nothing: frozenset[str] = frozenset()
        return Metadata(issuer, "a", "t", "j", "", "", nothing, nothing, names_itself=False, skew=self._skew)

    def keys(self, _issuer):
        return [{"kty": "RSA"}]

    def exchange(self, _client, *, code, verifier):
        raise ProviderTrouble(self._exchange)

    def asks_quietly(self, _client, **_words):
        return self._quiet


class TestTryOut:
    @pytest.mark.parametrize(
        ("answers", "step", "how", "trouble"),
        [
            ({}, "redirect", "good", ""),
            ({"metadata": "tls"}, "configuration", "bad", "tls"),
            ({"metadata": "keys"}, "keys", "bad", "keys"),
            ({"skew": 61.0}, "clock", "bad", "clock"),
            ({"skew": -300.0}, "clock", "bad", "clock"),
            ({"skew": 59.0}, "clock", "good", ""),
            ({"exchange": "client"}, "client", "bad", "client"),
            ({"exchange": "not_json"}, "client", "unclear", ""),
            ({"quiet": httpx2.Response(400)}, "redirect", "bad", "redirect"),
            ({"quiet": httpx2.Response(200)}, "redirect", "unclear", ""),
            ({"quiet": httpx2.Response(302, headers={"location": "/login"})}, "redirect", "unclear", ""),
        ],
    )
    def test_names_the_first_step_that_fails(self, answers, step, how, trouble):
        tried = try_out(Answers(**answers), CLIENT)  # type: ignore[arg-type]  # answers like one
        assert (tried.steps[step], tried.trouble) == (how, trouble)
        bad = [name for name, said in tried.steps.items() if said == "bad"]
        assert bad == ([step] if how == "bad" else [])
