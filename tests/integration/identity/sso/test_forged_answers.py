"""Everything a provider, or somebody who plays one, can say wrong: nobody gets a session by it."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc.jwk import OctKey, RSAKey

from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from tests.factories.identity.sso import CLIENT_ID, Forger, arrive, leave, sid

ISSUER = "https://id.forger.org"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(scope="module")
def forger(trust):
    made = Forger(ISSUER)
    trust.known_at(ISSUER, made.port)
    yield made
    made.close()


@pytest.fixture
def honest(forger, trust):
    """The forger, honest so far and freshly looked at."""
    forger.reset()
    trust.providers.metadata(ISSUER, fresh=True)
    forger.asked.clear()
    return forger


@pytest.fixture(scope="module")
def admin(trust):
    trust.doors.staff("admin@northwind.com", trust.doors.northwind)
    return trust.signed_in("admin@northwind.com")


@pytest.fixture(scope="module")
def connection(trust, forger, admin):
    said = {"domains": "northwind.com", "joins": True, "default_role": "csm"}
    return trust.connection(admin, "/settings/sso", issuer=ISSUER, **said)


@pytest.fixture
def try_in(trust, connection, honest):
    """Go and come back; gives the answer, and whether a session came of it."""

    def run(**more):
        browser = trust.doors.browser()
        answer = arrive(browser, honest.answer(leave(browser, connection), **more))
        return answer, sid(browser) is not None

    return run


def unsigned(claims):
    parts = [{"alg": "none", "kid": "one"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


class TestAnHonestAnswer:
    def test_signs_in(self, try_in):
        answer, in_ = try_in()
        assert (answer.status, in_) == (303, True), answer.text


FORGED = {
    "nonce of another sign-in": lambda f, n: f.token(nonce="other"),
    "no nonce": lambda f, n: f.token(),
    "another issuer": lambda f, n: f.token(nonce=n, iss="https://id.forger.org/"),
    "another audience": lambda f, n: f.token(nonce=n, aud="somebody"),
    "no audience": lambda f, n: f.token(nonce=n, aud=None),
    "two audiences and no azp": lambda f, n: f.token(nonce=n, aud=[CLIENT_ID, "other"]),
    "azp of somebody else": lambda f, n: f.token(nonce=n, azp="other"),
    "expired": lambda f, n: f.token(nonce=n, exp=int(world_time().timestamp()) - 61),
    "no expiry": lambda f, n: f.token(nonce=n, exp=None),
    "made tomorrow": lambda f, n: f.token(nonce=n, iat=int(world_time().timestamp()) + 86400),
    "not yet": lambda f, n: f.token(nonce=n, nbf=int(world_time().timestamp()) + 600),
    "old": lambda f, n: f.token(nonce=n, iat=int(world_time().timestamp()) - 7200),
    "times as text": lambda f, n: f.token(nonce=n, exp="soon"),
    "nobody": lambda f, n: f.token(nonce=n, sub=""),
    "alg none": lambda f, n: unsigned(f.claims(nonce=n)),
    "HS256 with the client's secret": lambda f, n: f.token(
        nonce=n, header={"alg": "HS256"}, key=OctKey.import_key("a secret that both sides know, of a test")
    ),
    "another key under a known name": lambda f, n: f.token(
        nonce=n, key=RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    ),
    "an unknown key": lambda f, n: f.token(
        nonce=n, header={"kid": "two"}, key=RSAKey.generate_key(2048, {"kid": "two"}, private=True)
    ),
    "a signature that is cut": lambda f, n: f.token(nonce=n)[:-4],
    "no token at all": lambda f, n: "x",
    "dots": lambda f, n: "..",
}


class TestAForgedToken:
    @pytest.mark.parametrize("forgery", FORGED)
    def test_opens_no_session(self, try_in, honest, forgery):
        honest.make = lambda nonce: {"id_token": FORGED[forgery](honest, nonce)}
        answer, in_ = try_in()
        assert (answer.status, in_) == (503, False), answer.text

    def test_makes_us_ask_for_new_keys_once_in_a_while_only(self, try_in, honest):
        stranger = RSAKey.generate_key(2048, {"kid": "strange"}, private=True)
        honest.make = lambda nonce: {"id_token": honest.token(nonce=nonce, header={"kid": "strange"}, key=stranger)}
        for _n in range(3):
            assert try_in()[1] is False
        assert honest.asked.count("/jwks") == 1

    def test_access_token_of_another_sign_in_is_noticed(self, try_in, honest):
        honest.make = lambda nonce: {
            "id_token": honest.token(nonce=nonce, at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
            "access_token": "t0ken",
            "token_type": "Bearer",
        }
        assert try_in()[1] is False


class TestTheProvider:
    def test_must_be_the_one_that_was_asked(self, try_in):
        assert try_in(iss="https://id.other.org")[1] is False
        assert try_in(iss=ISSUER)[1] is True

    def test_must_name_itself_where_it_said_it_always_would(self, try_in, honest, trust):
        document = honest.documents["/.well-known/openid-configuration"]
        document["authorization_response_iss_parameter_supported"] = True
        trust.providers.metadata(ISSUER, fresh=True)
        assert try_in()[1] is False
        assert try_in(iss=ISSUER)[1] is True

    def test_must_speak_of_one_person_only(self, try_in, honest):
        def make(nonce):
            claims = {"nonce": nonce, "email": None, "email_verified": None}
            return {"id_token": honest.token(**claims), "access_token": "t0ken", "token_type": "Bearer"}

        honest.make = make
        honest.documents["/me"] = {"sub": "sub-dana", "email": "dana@northwind.com", "email_verified": True}
        assert try_in()[1] is True
        honest.documents["/me"]["sub"] = "sub-somebody"
        assert try_in()[1] is False

    def test_that_refuses_or_talks_nonsense_signs_nobody_in(self, try_in, honest):
        answers = [(400, {"error": "invalid_grant"}), (401, {"error": "invalid_client"}), (500, ""), (200, "<html>")]
        for said in [*answers, (200, []), (200, {})]:
            honest.make = lambda _nonce, said=said: said
            assert try_in()[1] is False

    def test_is_never_followed_to_another_place(self, try_in, honest, trust):
        honest.documents["/.well-known/openid-configuration"]["token_endpoint"] = "https://169.254.169.254/token"
        trust.providers.metadata(ISSUER, fresh=True)
        assert try_in()[1] is False

    def test_that_is_of_no_use_is_left_alone_for_a_moment(self, trust, admin, honest):
        trust.known_at("https://id.silent.org", honest.port)
        made = trust.connection(admin, "/settings/sso", issuer="https://id.silent.org")
        answers = [trust.doors.browser().get(f"/sign-in/with/{made}") for _n in range(3)]
        assert [answer.status for answer in answers] == [503] * 3
        assert honest.asked.count("/.well-known/openid-configuration") == 1


class TestTheirAddress:
    @pytest.mark.parametrize(
        "claims",
        [
            {"sub": "new-1", "email": "boss@northwind.com", "email_verified": False},
            {"sub": "new-2", "email": "boss@northwind.com", "email_verified": None},
            {"sub": "new-3", "email": "boss@contoso.com"},
            {"sub": "new-4", "email": "boss@northwind.com@contoso.com"},
            {"sub": "new-5", "email": None},
            {"sub": "new-6", "email": ["boss@northwind.com"]},
        ],
    )
    def test_counts_only_verified_and_within_the_claimed_domains(self, try_in, honest, claims):
        honest.make = lambda nonce: {"id_token": honest.token(nonce=nonce, **claims)}
        answer, in_ = try_in()
        assert (answer.status, in_) == (403, False)

    def test_that_changes_leaves_the_person_who_they_were(self, try_in, honest, trust, connection):
        assert try_in()[1] is True
        honest.make = lambda nonce: {"id_token": honest.token(nonce=nonce, email="admin@northwind.com")}
        assert try_in()[1] is True
        people = {row.person_id for row in trust.sessions(connection) if row.subject == "sub-dana"}
        assert len(people) == 1


class TestAtOnce:
    def test_one_answer_opens_one_session(self, trust, connection, honest):
        browser = trust.doors.browser()
        back = honest.answer(leave(browser, connection))
        before = len(trust.sessions(connection))
        twins = [trust.doors.browser() for _n in range(4)]
        for twin in twins:
            twin.cookies |= browser.cookies
        with ThreadPoolExecutor(4) as pool:
            statuses = sorted(pool.map(lambda twin: arrive(twin, back).status, twins))
        assert statuses == [303, 403, 403, 403]
        assert len(trust.sessions(connection)) == before + 1

    def test_somebody_new_joins_once(self, trust, honest):
        tenant = trust.tenant(trust.doors.northwind, "Twice")
        trust.doors.member("owner@twice.com", tenant, "owner")
        said = {"domains": "twice.com", "joins": True, "default_role": "viewer"}
        made = trust.connection(trust.signed_in("owner@twice.com"), f"/t/{tenant.id}/sso", issuer=ISSUER, **said)
        honest.make = lambda nonce: {"id_token": honest.token(nonce=nonce, sub="tim", email="tim@twice.com")}
        browsers = [trust.doors.browser() for _n in range(4)]
        backs = [honest.answer(leave(browser, made)) for browser in browsers]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(arrive, browsers, backs))
        assert [answer.status for answer in answers] == [303] * 4, [answer.text for answer in answers]
        assert len(trust.installation.rows(tenant, "SELECT 1 FROM {}.member WHERE email = 'tim@twice.com'")) == 1

    def test_a_killed_one_is_finished_by_the_next(self, try_in, trust, connection, honest):
        assert try_in()[1] is True
        trust.installation.control("DELETE FROM control.sso_identity WHERE connection_id = %s", connection)
        trust.installation.control("DELETE FROM control.assignment WHERE role = 'csm'")
        assert try_in()[1] is True
        assert trust.roles("dana@northwind.com", trust.doors.northwind) == {"csm"}


class TestTheLevel:
    def test_that_is_asked_for_must_be_said(self, trust, admin, honest):
        said = {"domains": "northwind.com", "joins": True, "default_role": "csm", "acr": "mfa phr"}
        made = trust.connection(admin, "/settings/sso", issuer=ISSUER, **said)
        for acr, good in ((None, False), ("pwd", False), ("mfa", True)):
            honest.make = lambda nonce, acr=acr: {"id_token": honest.token(nonce=nonce, acr=acr)}
            browser = trust.doors.browser()
            place = leave(browser, made)
            assert "acr_values=mfa+phr" in place
            assert (arrive(browser, honest.answer(place)).status == 303) is good


class TestALogoutToken:
    @pytest.fixture
    def told(self, trust, honest):
        def run(token):
            body = f"logout_token={token}".encode()
            headers = {"content-type": "application/x-www-form-urlencoded"}
            return trust.doors.browser().send("POST", "/sign-in/backchannel-logout", body=body, headers=headers).status

        return run

    def test_ends_the_person_s_sessions_and_counts_once(self, try_in, honest, told, trust, connection):
        assert try_in()[1] is True
        token = logout(honest)
        assert told(token) == 200
        assert all(row.ended_at for row in trust.sessions(connection) if row.subject == "sub-dana")
        assert try_in()[1] is True
        assert told(token) == 400
        assert not all(row.ended_at for row in trust.sessions(connection) if row.subject == "sub-dana")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"events": None},
            {"events": {"other": {}}},
            {"nonce": "n"},
            {"jti": None},
            {"sub": None},
            {"aud": "other"},
            {"iss": "https://id.other.org"},
            {"exp": 1},
            {"sub": 7},
        ],
        ids=str,
    )
    def test_that_is_wrong_ends_nothing(self, try_in, honest, told, trust, connection, wrong):
        assert try_in()[1] is True
        assert told(logout(honest, **wrong)) == 400
        assert trust.sessions(connection)[-1].ended_at is None

    def test_that_is_an_id_token_or_unsigned_ends_nothing(self, try_in, honest, told, trust, connection):
        assert try_in()[1] is True
        claims = honest.claims(jti="j", events={LOGOUT_EVENT: {}})
        for token in (honest.token(nonce="n"), unsigned(claims), "", "x.y.z"):
            assert told(token) == 400
        assert trust.sessions(connection)[-1].ended_at is None


def logout(forger, **more):
    return forger.token(**({"jti": str(new_id()), "events": {LOGOUT_EVENT: {}}, "email": None} | more))
