"""Which signatures hold, by which keys; the claims are attacked over HTTP in tests/integration/identity/sso."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from app.identity.sso.protocol.tokens import KeyUnknown, check_access_token, read_signed, unverified
from app.identity.sso.protocol.trouble import SENTENCES, ProviderTrouble

RSA = RSAKey.generate_key(2048, {"kid": "r"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "e"}, private=True)
ED = OKPKey.generate_key("Ed25519", {"kid": "d"}, private=True)
ALL = [key.as_dict(private=False) for key in (RSA, EC, ED)]


def signed(key, algorithm, **header):
    return jwt.encode({"alg": algorithm} | header, {"sub": "dana"}, key, algorithms=[algorithm])


class TestReadSigned:
    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # providers still say it
    @pytest.mark.parametrize(
        ("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")]
    )
    def test_takes_these_algorithms_with_and_without_a_key_id(self, key, algorithm):
        assert read_signed(signed(key, algorithm, kid=key.kid), ALL) == {"sub": "dana"}
        assert read_signed(signed(key, algorithm), ALL) == {"sub": "dana"}

    @pytest.mark.parametrize("algorithm", ["HS256", "HS512", "none", "RS512", "", None, ["RS256"]])
    def test_takes_no_other(self, algorithm):
        raw = signed(OctKey.import_key("known to both sides, and not to be used"), "HS256", kid="r")
        _header, claims, signature = raw.split(".")
        said = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "kid": "r"}).encode()).decode().rstrip("=")
        for forged in (f"{said}.{claims}.{signature}", f"{said}.{claims}."):
            with pytest.raises(ProviderTrouble) as trouble:
                read_signed(forged, ALL)
            assert trouble.value.word == "algorithm"

    def test_tries_every_fitting_key_where_none_is_named(self):
        other = RSAKey.generate_key(2048, {"kid": "o"}, private=True).as_dict(private=False)
        assert read_signed(signed(RSA, "RS256"), [other, *ALL]) == {"sub": "dana"}
        with pytest.raises(ProviderTrouble) as trouble:
            read_signed(signed(RSA, "RS256"), [other])
        assert trouble.value.word == "signature"

    @pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "PS256"}, {"kid": "other"}, {"kty": "EC"}])
    def test_uses_no_key_that_is_for_something_else(self, change):
        with pytest.raises(KeyUnknown):
            read_signed(signed(RSA, "RS256", kid="r"), [RSA.as_dict(private=False) | change])

    def test_trusts_no_short_and_no_broken_key(self):
        for key in ({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}, {"kty": "RSA", "kid": "r"}):
            with pytest.raises(ProviderTrouble) as trouble:
                read_signed(signed(RSA, "RS256", kid="r"), [key])
            assert trouble.value.word == "signature"

    @pytest.mark.parametrize("raw", ["", "a.b", "a.b.c.d", "....", "e30.e30.", "bnVsbA.e30.x", "é.e30.x", "x" * 70_000])
    def test_reads_no_rubbish(self, raw):
        with pytest.raises(ProviderTrouble):
            read_signed(raw, ALL)

    def test_takes_no_critical_header_that_it_does_not_know(self):
        raw = signed(RSA, "RS256", kid="r")
        assert unverified(raw) == {"sub": "dana"}
        said = {"alg": "RS256", "kid": "r", "crit": ["b64"], "b64": False}
        header = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        with pytest.raises(ProviderTrouble):
            read_signed(".".join([header, *raw.split(".")[1:]]), ALL)


class TestAccessToken:
    def test_belongs_to_its_id_token(self):
        """The example of OpenID Connect Core, appendix A.3."""
        raw, access = signed(RSA, "RS256"), "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
        check_access_token({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, raw, access)
        check_access_token({}, raw, access)
        for wrong in ("77QmUPtjPfzWtF2AnpK9RR", "", 7):
            with pytest.raises(ProviderTrouble):
                check_access_token({"at_hash": wrong}, raw, access)


def test_every_trouble_has_a_sentence_that_says_what_to_do():
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
    assert ProviderTrouble("tls").extensions == {"reason": "tls"}
