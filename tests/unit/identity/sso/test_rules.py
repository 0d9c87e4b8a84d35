"""What proves an address, what a connection may give, and what a form may say."""

from __future__ import annotations

import pytest

from app.identity.sso.protocol.provider import read_metadata
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.identity.sso.rules import (
    Claimed,
    Settings,
    bound_value,
    clean_domain,
    clean_issuer,
    proves_address,
    read_claims,
    wanted_roles,
)

ADMIN = frozenset({"partner_admin", "csm", "technical"})


class TestAnAddress:
    @pytest.mark.parametrize(
        ("email", "verified", "trusted", "proven"),
        [
            ("a@x.com", True, False, True),
            ("a@x.com", False, True, True),
            ("a@x.com", False, False, False),
            ("a@y.com", True, True, False),
            ("a@sub.x.com", True, True, False),
            ("a@x.com@y.com", True, True, False),
            ("", True, True, False),
        ],
    )
    def test_is_proven_within_the_claimed_domains_only(self, email, verified, trusted, proven):
        claimed = Claimed("s", email, email_verified=verified)
        assert proves_address(claimed, Settings(trusts_addresses=trusted), ["x.com"]) is proven
        assert proves_address(claimed, Settings(trusts_addresses=trusted), []) is False


class TestRoles:
    def test_come_in_the_order_of_the_table_and_never_beyond_the_one_who_set_it_up(self):
        table = (("b", "technical"), ("a", "csm"), ("a", "partner_owner"), ("a", "operator"), ("c", "finance"))
        claimed = Claimed("s", groups=("a", "b", "c"))
        assert wanted_roles(claimed, Settings(group_roles=table), ADMIN) == ("technical", "csm")
        assert wanted_roles(claimed, Settings(group_roles=table), frozenset({"owner", "partner_owner"})) == ()


class TestClaims:
    def test_of_another_shape_count_as_not_said(self):
        said = {"sub": "s", "email": ["a@x.com"], "email_verified": 1.5, "groups": {"a": 1}, "locale": 7, "name": None}
        assert read_claims(said, Settings()) == Claimed("s")

    def test_are_read_by_the_name_that_the_connection_gives(self):
        said = {"sub": "s", "email": " A@X.com ", "email_verified": "true", "roles": ["a", 7, "b"], "locale": "de-AT"}
        read = read_claims(said, Settings(groups_claim="roles"))
        assert (read.email, read.email_verified, read.groups, read.locale) == ("a@x.com", True, ("a", "b"), "de")


class TestBoundValues:
    def test_differ_by_browser_sign_in_and_word_and_fit_pkce(self):
        made = {bound_value(b, s, w) for b in ("b1", "b2") for s in ("s1", "s2") for w in ("nonce", "verifier")}
        assert len(made) == 8
        assert {len(value) for value in made} == {64}


class TestWhatIsTyped:
    @pytest.mark.parametrize(
        "raw", ["http://x.com", "https://", "https://u@x.com", "https://x.com?a", "https://x.com#a"]
    )
    def test_is_no_issuer(self, raw):
        assert clean_issuer(raw) is None

    @pytest.mark.parametrize("raw", ["localhost", "a b.com", "x.com/", "-x.com", "x..com", "x.c", "é.com", "a" * 200])
    def test_is_no_domain(self, raw):
        assert clean_domain(raw) is None

    def test_keeps_an_issuer_as_it_is_and_a_domain_in_lower_case(self):
        assert clean_issuer(" https://x.com/Tenant/ ") == "https://x.com/Tenant/"
        assert clean_domain("@Example.COM") == "example.com"


class TestMetadata:
    def test_must_be_the_issuer_s_own_to_the_letter(self):
        for said in ("https://x.com/", "https://X.com", None, 7):
            with pytest.raises(ProviderTrouble) as trouble:
                read_metadata("https://x.com", {"issuer": said}, skew=0.0)
            assert trouble.value.word == "issuer"
