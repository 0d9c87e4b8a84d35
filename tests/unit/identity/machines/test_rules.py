"""Credentials over time, keys that are taken, assertions that are believed: pure decisions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from app.access import rights
from app.access.decisions import can, permissions_of
from app.access.permissions import Permission
from app.access.roles import Role
from app.identity.machines import assertions
from app.identity.machines.assertions import AssertionRefused, check_claims, find_signer, read_assertion
from app.identity.machines.documents import from_document, to_document
from app.identity.machines.keys import KeyUnfit, read_key, read_key_text
from app.identity.machines.rules import Account, Credential
from app.kernel.actor import Actor
from app.kernel.ids import new_id

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CLIENT = "0190a000-0000-7000-8000-00000000c11e"


def credential(*, days: int = 365, ended: bool = False, kind: str = "secret") -> Credential:
    ended_at = NOW if ended else None
    return Credential(new_id(), kind, "hint", NOW, NOW + timedelta(days=days), ended_at, "00")  # type: ignore[arg-type]  # one of the two words


ACCOUNT = Account(new_id(), "Billing", "active", ("csm",), ("tenancy:tenant:read",), 1, NOW)


class TestCredential:
    def test_is_good_until_its_end_and_warns_a_month_before(self):
        one = credential(days=30)
        assert one.is_live(NOW + timedelta(days=30, microseconds=-1))
        assert not one.is_live(NOW + timedelta(days=30))
        assert one.ends_soon(NOW)
        assert not credential(days=31).ends_soon(NOW)
        assert not credential(ended=True).is_live(NOW)

    def test_that_was_ended_is_shown_no_more_and_forgotten_at_last(self):
        account = ACCOUNT
        for _n in range(20):
            account = account.with_one_more(credential()).with_ended([account.credentials[-1].id] if _n else [], NOW)
        assert len(account.shown()) == 1
        assert len(account.credentials) <= 10

    def test_survives_its_document(self):
        account = ACCOUNT.with_one_more(credential()).with_one_more(replace(credential(kind="key"), jwk={"kty": "x"}))
        stored = json.loads(json.dumps(to_document(account)))
        known: dict[str, Any] = {
            "account_id": account.id,
            "name": account.name,
            "state": account.state,
            "made_at": account.made_at,
        }
        assert from_document(stored, **known) == account


def limited(roles: frozenset[str], only: frozenset[str] | None) -> frozenset[str]:
    return rights.limited(roles, Actor("service", new_id(), "CRM", only=only))


class TestScopes:
    @pytest.mark.parametrize("role", Role)
    def test_take_away_and_never_give(self, role: Role):
        """Whatever a token names, it opens nothing that the roles do not."""
        held, everything = frozenset({str(role)}), frozenset(Permission)
        assert permissions_of(limited(held, everything)) == permissions_of(held)
        assert permissions_of(limited(held, frozenset())) == frozenset()
        assert permissions_of(limited(held, None)) == permissions_of(held)
        for permission in Permission:
            only = limited(held, frozenset({str(permission)}))
            assert permissions_of(only) == permissions_of(held) & {permission}
            assert can(only, permission) is can(held, permission)

    def test_are_no_right_of_their_own(self):
        assert limited(frozenset(), frozenset({"tenancy:tenant:read"})) == frozenset()


class TestKey:
    def test_keeps_the_key_and_nothing_else(self):
        said = OKPKey.generate_key("Ed25519").as_dict(private=False) | {"x5u": "http://x", "use": "sig", "kid": "a"}
        assert set(read_key(said).jwk) == {"kty", "crv", "x", "kid"}

    @pytest.mark.parametrize(
        "text", ["", "x", "[]", "1", "{" * 10_000, "{}", "null", '{"kty":["RSA"]}', '{"keys":[1]}']
    )
    def test_is_not_read_from_nonsense(self, text: str):
        with pytest.raises(KeyUnfit):
            read_key_text(text)

    @pytest.mark.parametrize("more", [{"use": "enc"}, {"alg": "HS256"}, {"d": ""}, {"alg": ["ES256"]}])
    def test_is_for_signing_and_public(self, more: dict[str, object]):
        with pytest.raises(KeyUnfit):
            read_key(ECKey.generate_key("P-256").as_dict(private=False) | more)


class TestAssertion:
    def test_costs_as_many_verifications_whoever_it_is_of(self, monkeypatch: pytest.MonkeyPatch):
        """An unknown client, one without keys and one with a wrong key take the same work."""
        tried: list[object] = []
        check = assertions.validate_compact  # type: ignore[attr-defined]  # what it calls

        def counted(*given: object, **more: object) -> bool:
            tried.append(given)
            return check(*given, **more)  # type: ignore[arg-type]  # as they came

        monkeypatch.setattr(assertions, "validate_compact", counted)
        own, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
        said = read_assertion(jwt.encode({"alg": "ES256"}, {"iss": CLIENT, "sub": CLIENT}, own))
        stored = [(new_id(), other.as_dict(private=False)), (new_id(), OKPKey.generate_key().as_dict(private=False))]
        counts = []
        for keys in ([], stored[:1], stored, [*stored, (new_id(), other.as_dict(private=False))]):
            tried.clear()
            assert find_signer(said, keys) is None
            counts.append(len(tried))
        assert counts == [2, 2, 2, 2]
        assert find_signer(said, [*stored, (UUID(CLIENT), own.as_dict(private=False))]) == UUID(CLIENT)

    @pytest.mark.parametrize("seconds", [-1, 0, 331, float("inf"), float("nan"), 1e300])
    def test_lives_for_five_minutes_at_most(self, seconds: float):
        key = ECKey.generate_key("P-256")
        claims = {"aud": ["x", "us"], "jti": "1", "exp": NOW.timestamp() + seconds}
        said = read_assertion(jwt.encode({"alg": "ES256"}, claims, key))
        with pytest.raises(AssertionRefused):
            check_claims(said, {"us"}, NOW)
        good = read_assertion(jwt.encode({"alg": "ES256"}, claims | {"exp": NOW.timestamp() + 300}, key))
        assert check_claims(good, {"us"}, NOW)[1] == NOW + timedelta(seconds=300)

    @pytest.mark.parametrize("iss", [CLIENT.upper(), f" {CLIENT}", CLIENT.replace("-", ""), "", None, 5, [CLIENT]])
    def test_names_its_client_in_one_spelling(self, iss: object):
        key = ECKey.generate_key("P-256")
        said = read_assertion(jwt.encode({"alg": "ES256"}, {"iss": iss, "sub": iss}, key))
        assert said.client_id is None
