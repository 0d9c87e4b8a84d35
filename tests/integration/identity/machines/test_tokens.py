"""Tokens over HTTP, with Authlib's own client: secrets, signed assertions, what is refused, what ends them."""

from __future__ import annotations

import base64
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from joserfc.jwk import OctKey

from app.identity.machines.operations.tokens import forget_stale_machines
from app.kernel.ids import new_id
from tenants.sessions import lookup_session
from tests.factories.api import API
from tests.factories.identity.machines import (
    ACCOUNTS,
    READ,
    Software,
    assertion,
    bearer,
    give_key,
    hmac_of,
    key_of,
    make_account,
    make_software,
)

TENANTS = "/api/v1/tenants"
pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),  # what Authlib signs with; RFC 9864 has a new name
]


@pytest.fixture(scope="module")
def billing(api: API, home) -> Software:
    """Software of Northwind with a secret, that may read and make workspaces."""
    return make_software(api, api.admin, roles=("onboarding_lead",), scopes=(READ, "tenancy:tenant:create"))


@pytest.fixture(scope="module")
def signer(api: API, home) -> Software:
    """Software of Northwind with a key."""
    key = key_of("EdDSA")
    made = make_account(api.admin)
    assert give_key(api.admin, made.body["id"], key).status == 201
    return Software(api, made.body["id"], key)


def refused(software: Software, fields: dict[str, str], **headers: str) -> tuple[int, str]:
    said = software.post("/oauth/token", {"grant_type": "client_credentials"} | fields, **headers)
    return said.status, said.body["error"]


def signed(software: Software, text: str) -> tuple[int, str]:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    said = software.post(
        "/oauth/token",
        {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": text},
    )
    return said.status, said.body.get("error", "")


class TestSecret:
    @pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
    def test_gets_a_token_that_opens_the_api(self, api: API, billing: Software, method: str):
        token = billing.fetch(method)
        assert (token["token_type"], token["expires_in"]) == ("Bearer", 900)
        assert set(token["scope"].split()) == {READ, "tenancy:tenant:create"}
        made = billing.caller(token["access_token"]).post(TENANTS, {"name": "Made by software"})
        assert made.status == 201, made.body
        entry = api.installation.cell("SELECT schema_name FROM cell.slot WHERE tenant_id = %s", made.body["id"])[0]
        trail = api.installation.cell(
            f"SELECT actor_kind, actor_id::text AS id, actor_name FROM {entry.schema_name}.trail"  # noqa: S608 - names of our own tables
            " WHERE action = 'tenancy.tenant.created'"
        )
        assert (trail[0].actor_kind, trail[0].id) == ("service", billing.client_id)
        assert trail[0].actor_name.startswith("Software ")

    def test_answers_are_not_kept_and_set_no_cookie(self, billing: Software):
        said = billing.post(
            "/oauth/token",
            {"grant_type": "client_credentials", "client_id": billing.client_id, "client_secret": billing.secret},
        )
        assert (said.status, said.headers["cache-control"]) == (200, "no-store")
        assert "set-cookie" not in said.headers

    def test_is_kept_as_its_hash_and_so_is_the_token(self, api: API, billing: Software, home):
        token = billing.fetch()["access_token"]
        tables = ("service_account", "service_credential", "access_token", "command")
        kept = [api.installation.control(f"SELECT row_to_json(t)::text AS x FROM control.{name} t") for name in tables]  # noqa: S608 - names of our own tables
        kept += [
            api.installation.rows(home, f"SELECT row_to_json(t)::text AS x FROM {{}}.{name} t")  # noqa: S608 - names of our own tables
            for name in ("member", "trail", "command")
        ]
        kept.append(api.installation.cell("SELECT row_to_json(t)::text AS x FROM cell.job t"))
        assert all(kept[:3])
        assert billing.secret not in str(kept)
        assert token not in str(kept)

    def test_of_an_unknown_client_is_answered_as_a_wrong_one(self, api: API, billing: Software):
        wrong = Software(api, billing.client_id, "x" * 43)
        answers = []
        for one in (wrong, Software(api, str(new_id()), billing.secret), Software(api, "nobody", "x")):
            said = one.post(
                "/oauth/token",
                {"grant_type": "client_credentials", "client_id": one.client_id, "client_secret": one.secret},
            )
            answers.append((said.status, said.body, said.headers["www-authenticate"]))
        assert len({str(answer) for answer in answers}) == 1
        assert answers[0][0] == 401
        assert answers[0][1]["error"] == "invalid_client"
        assert answers[0][2].startswith("Basic ")

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"grant_type": "authorization_code"}, (400, "unsupported_grant_type")),
            ({"grant_type": ""}, (400, "invalid_request")),
            ({"scope": "tenancy:tenant:erase"}, (400, "invalid_scope")),
            ({"scope": f"{READ}  {READ}"}, (400, "invalid_scope")),
            ({"client_secret": ""}, (401, "invalid_client")),
            ({"client_id": "'; --"}, (401, "invalid_client")),
            ({"client_assertion": "x.y.z"}, (400, "invalid_request")),
        ],
    )
    def test_in_a_request_that_does_not_fit_is_refused(self, billing: Software, fields, expected):
        own = {"client_id": billing.client_id, "client_secret": billing.secret}
        assert refused(billing, own | fields) == expected

    def test_twice_or_in_another_form_is_refused(self, billing: Software):
        own = {"client_id": billing.client_id, "client_secret": billing.secret}
        both = base64.b64encode(f"{billing.client_id}:{billing.secret}".encode()).decode()
        assert refused(billing, own, authorization=f"Basic {both}") == (400, "invalid_request")
        assert refused(billing, own, content_type="application/json") == (400, "invalid_request")
        assert refused(billing, {}, authorization="Basic %%%") == (401, "invalid_client")
        other = {"client_id": str(new_id())}
        assert refused(billing, other, authorization=f"Basic {both}") == (400, "invalid_request")

    def test_does_nothing_on_another_partners_host(self, api: API, billing: Software, contoso_home):
        foreign = Software(api, billing.client_id, billing.secret, "contoso.localhost")
        with pytest.raises(OAuthError, match="invalid_client"):
            foreign.fetch()
        token = billing.fetch()["access_token"]
        said = bearer(api, token, "contoso.localhost").get(TENANTS)
        assert (said.status, said.problem) == (401, "token-unusable")
        assert 'error="invalid_token"' in said.headers["www-authenticate"]


class TestScopes:
    def test_asked_for_narrow_the_token(self, billing: Software):
        token = billing.fetch(scope=READ)
        assert token["scope"] == READ
        caller = billing.caller(token["access_token"])
        assert caller.get(TENANTS).status == 200
        said = caller.post(TENANTS, {"name": "Too much"})
        assert (said.status, said.problem) == (403, "not-permitted")
        assert 'error="insufficient_scope", scope="tenancy:tenant:create"' in said.headers["www-authenticate"]

    def test_are_all_there_is_whatever_the_roles_allow(self, billing: Software):
        made = billing.caller().post(TENANTS, {"name": "Kept"}).headers["location"]
        said = billing.caller().patch(made, {"name": "Other"}, version="*")
        assert (said.status, said.problem) == (403, "not-permitted")

    def test_that_were_taken_away_are_gone_for_tokens_of_before(self, api: API):
        software = make_software(api, api.admin, roles=("onboarding_lead",), scopes=(READ, "tenancy:tenant:create"))
        caller = software.caller()
        assert caller.get(TENANTS).status == 200
        path = f"{ACCOUNTS}/{software.client_id}"
        patch = {"scopes": ["tenancy:tenant:create"], "reason": "Reads no more"}
        assert api.admin.patch(path, patch, version="*").status == 200
        assert caller.get(TENANTS).status == 403


class TestAssertion:
    @pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256", "PS256"])
    def test_gets_a_token(self, api: API, alg: str):
        key = key_of(alg)
        made = make_account(api.admin)
        assert give_key(api.admin, made.body["id"], key).status == 201
        software = Software(api, made.body["id"], key)
        assert software.caller(software.sign(alg=alg)["access_token"]).get(TENANTS).status == 200

    def test_may_name_the_issuer_instead_of_the_door(self, api: API, signer: Software):
        issuer = api.doors.front.url(signer.host, "")
        assert signer.sign(url=issuer)["access_token"]

    def test_works_once(self, signer: Software):
        once = assertion(signer)
        assert signed(signer, once) == (200, "")
        assert signed(signer, once) == (401, "invalid_client")

    def test_of_several_at_the_same_moment_one_wins(self, signer: Software):
        once = assertion(signer)
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda _n: signed(signer, once)[0], range(4)))
        assert sorted(said) == [200, 401, 401, 401]

    @pytest.mark.parametrize(
        "claims",
        [
            {"aud": "https://elsewhere.example/oauth/token"},
            {"aud": None},
            {"aud": "http://contoso.localhost:8000/oauth/token"},
            {"exp": lambda now: now - 1},
            {"exp": lambda now: now + 3600},
            {"exp": None},
            {"exp": True},
            {"exp": 10**400},
            {"nbf": lambda now: now + 200},
            {"iat": lambda now: now + 200},
            {"jti": None},
            {"jti": ""},
            {"jti": 5},
            {"sub": str(new_id())},
            {"iss": str(new_id())},
            {"iss": None},
        ],
    )
    def test_that_is_not_for_us_and_now_is_refused(self, signer: Software, claims):
        now = int(time.time())  # of this moment: a suite may take longer than an assertion lives
        claims = {name: said(now) if callable(said) else said for name, said in claims.items()}
        assert signed(signer, assertion(signer, **claims)) == (401, "invalid_client")

    def test_by_the_life_that_authlib_gives_it_is_refused_with_the_reason(self, signer: Software):
        with pytest.raises(OAuthError, match="five minutes"):
            signer.sign(exp=int(time.time()) + 3600)

    def test_without_a_signature_or_with_a_symmetric_one_is_refused(self, api: API, signer: Software):
        head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        body = assertion(signer).split(".")[1]
        public = json.dumps(signer.secret.as_dict(private=False)).encode()
        forged = assertion(signer, alg="HS256", key=OctKey.import_key(public))
        confused = f"{forged.rpartition('.')[0]}.{hmac_of(forged, signer.secret.as_pem(private=False))}"
        for text in (f"{head}.{body}.", forged, confused, "x", "a.b.c", "." * 5, "é.a.b"):
            assert signed(signer, text) == (401, "invalid_client"), text

    def test_by_another_key_or_of_another_client_is_refused(self, api: API, signer: Software, billing: Software):
        assert signed(signer, assertion(signer, key=key_of("EdDSA"))) == (401, "invalid_client")
        assert signed(signer, assertion(Software(api, billing.client_id, signer.secret))) == (401, "invalid_client")
        assert signed(signer, assertion(Software(api, str(new_id()), signer.secret))) == (401, "invalid_client")
        header = {"jwk": signer.secret.as_dict(private=False), "kid": "../../etc"}
        assert signed(signer, assertion(signer, key=key_of("EdDSA"), header=header)) == (401, "invalid_client")


class TestRollover:
    def test_of_a_key_has_both_working_until_the_old_one_is_ended(self, api: API, home):
        old, new = key_of("EdDSA"), key_of("ES256")
        made = make_account(api.admin)
        path = f"{ACCOUNTS}/{made.body['id']}"
        first = give_key(api.admin, made.body["id"], old).body["credential"]
        held = Software(api, made.body["id"], old).sign()["access_token"]
        assert give_key(api.admin, made.body["id"], new).status == 201
        third = give_key(api.admin, made.body["id"], key_of("EdDSA"))
        assert (third.status, third.problem) == (409, "two-live")
        assert Software(api, made.body["id"], old).sign()
        assert Software(api, made.body["id"], new).sign(alg="ES256")
        ended = api.admin.send("DELETE", f"{path}/credentials/{first['id']}?reason=Rolled", None, {})
        assert ended.status == 200, ended.body
        assert bearer(api, held).get(TENANTS).status == 401
        with pytest.raises(OAuthError, match="invalid_client"):
            Software(api, made.body["id"], old).sign()
        assert Software(api, made.body["id"], new).sign(alg="ES256")

    def test_credential_that_is_over_is_refused_with_its_tokens(self, api: API):
        software = make_software(api, api.admin)
        caller = software.caller()
        api.installation.control(
            "UPDATE control.service_credential SET expires_at = now() WHERE account_id = %s", software.client_id
        )
        assert caller.get(TENANTS).status == 401
        with pytest.raises(OAuthError, match="invalid_client"):
            software.fetch()

    def test_token_does_not_outlive_its_credential(self, api: API):
        software = make_software(api, api.admin)
        query = "UPDATE control.service_credential SET expires_at = now() + interval '60 s' WHERE account_id = %s"
        api.installation.control(query, software.client_id)
        assert software.fetch()["expires_in"] <= 60


class TestToken:
    def test_that_is_over_or_made_up_is_refused(self, api: API, billing: Software):
        caller = billing.caller()
        assert caller.get(TENANTS).status == 200
        api.installation.control("UPDATE control.access_token SET expires_at = now()")
        said = caller.get(TENANTS)
        assert (said.status, said.problem) == (401, "token-unusable")
        for made_up in ("", "x", "A" * 43, "A" * 5000, "'; --"):
            assert bearer(api, made_up).get(TENANTS).status == 401

    def test_of_a_disabled_account_ends_with_the_next_request_and_comes_back(self, api: API):
        software = make_software(api, api.admin)
        caller, path = software.caller(), f"{ACCOUNTS}/{software.client_id}"
        assert api.admin.patch(path, {"state": "disabled", "reason": "Odd use"}, version="*").status == 200
        assert caller.get(TENANTS).status == 401
        with pytest.raises(OAuthError, match="invalid_client"):
            software.fetch()
        assert api.admin.patch(path, {"state": "active", "reason": "All fine"}, version="*").status == 200
        assert caller.get(TENANTS).status == 200

    def test_is_revoked_by_its_client_and_by_nobody_else(self, api: API, billing: Software):
        other, token = make_software(api, api.admin), billing.fetch()["access_token"]
        foreign = other.post(
            "/oauth/revoke", {"token": token, "client_id": other.client_id, "client_secret": other.secret}
        )
        assert (foreign.status, foreign.body["error"]) == (400, "unauthorized_client")
        nobody = other.post("/oauth/revoke", {"token": token, "client_id": other.client_id, "client_secret": "x"})
        assert nobody.status == 401
        assert billing.caller(token).get(TENANTS).status == 200
        with billing.session() as one:
            url = f"http://127.0.0.1:{billing.port}/oauth/revoke"
            assert one.revoke_token(url, token=token).status_code == 200
            assert one.revoke_token(url, token=token).status_code == 200
            assert one.revoke_token(url, token="never-issued").status_code == 200
        assert billing.caller(token).get(TENANTS).status == 401

    def test_counts_alone_beside_a_cookie(self, api: API, billing: Software):
        narrow = billing.caller(billing.fetch(scope=READ)["access_token"])
        narrow.browser.cookies.update(api.admin.browser.cookies)
        assert narrow.post(TENANTS, {"name": "By cookie"}).problem == "not-permitted"
        broken = bearer(api, "A" * 43)
        broken.browser.cookies.update(api.admin.browser.cookies)
        assert broken.get(TENANTS).status == 401
        twice = {"authorization": "Bearer"}
        assert narrow.send("GET", TENANTS, None, twice).status == 401

    def test_opens_no_page_and_no_session(self, billing: Software):
        page = billing.caller().browser.send(
            "GET", "/customers", headers={"authorization": f"Bearer {billing.fetch()['access_token']}"}
        )
        assert (page.status, page.headers["location"]) == (303, "/sign-in?next=%2Fcustomers")
        form = billing.caller().browser.send(
            "POST",
            "/sign-out",
            headers={
                "authorization": f"Bearer {billing.fetch()['access_token']}",
                "content-type": "application/x-www-form-urlencoded",
            },
        )
        assert form.status == 403

    def test_is_asked_for_in_one_look_as_a_session_is(self, billing: Software, monkeypatch: pytest.MonkeyPatch):
        looks: list[object] = []

        def counted(*given: Any, **more: Any) -> Any:
            looks.append(given)
            return lookup_session(*given, **more)

        caller = billing.caller()
        monkeypatch.setattr("app.identity.machines.queries.lookup_session", counted)
        assert caller.get(TENANTS).status == 200
        assert len(looks) == 1

    def test_needs_no_origin_while_a_session_still_does(self, api: API, billing: Software):
        assert billing.caller().post(TENANTS, {"name": "No origin"}).status == 201
        assert api.admin.send("POST", TENANTS, {"name": "x"}, {"origin": ""}).problem == "not-from-here"

    def test_says_that_it_was_used_once_a_minute(self, api: API):
        software = make_software(api, api.admin)
        path = f"{ACCOUNTS}/{software.client_id}"
        before = api.admin.get(path)
        assert before.body["used_at"] is None
        caller = software.caller()
        caller.get(TENANTS)
        first = api.admin.get(path)
        caller.get(TENANTS)
        assert api.admin.get(path).body["used_at"] == first.body["used_at"] != before.body["used_at"]
        assert first.body["credentials"][0]["used_at"] is not None
        assert first.headers["etag"] == before.headers["etag"]
        api.installation.control("UPDATE control.service_account SET used_at = used_at - interval '2 minutes'")
        caller.get(TENANTS)
        assert api.admin.get(path).body["used_at"] >= first.body["used_at"]


class TestWhatIsOver:
    def test_is_forgotten_by_the_platforms_round(self, api: API, signer: Software, billing: Software):
        assert signed(signer, assertion(signer)) == (200, "")
        kept = billing.caller()
        jti = "UPDATE control.used_jti SET expires_at = now() - interval '1 s'"
        api.installation.control(jti)
        api.installation.control(
            "UPDATE control.access_token SET expires_at = now() - interval '1 s' WHERE account_id = %s",
            signer.client_id,
        )
        forget_stale_machines(api.installation.databases)
        assert not api.installation.control("SELECT FROM control.used_jti")
        query = "SELECT FROM control.access_token WHERE account_id = %s"
        assert not api.installation.control(query, signer.client_id)
        assert kept.get(TENANTS).status == 200
