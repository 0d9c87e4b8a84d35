"""Setting a provider up: who may, what it can give, what it says when it does not work, and who must come by it."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.identity.operations import create_link
from app.identity.sso.entering.duty import find_duty
from app.partners.queries import SiteDirectory
from tests.factories.identity.sso import CLIENT_SECRET, Forger, arrive, leave, sid

ISSUER = "https://id.forger.org"


@pytest.fixture(scope="module")
def forger(trust):
    made = Forger(ISSUER)
    trust.known_at(ISSUER, made.port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def admin(trust):
    trust.doors.staff("admin@northwind.com", trust.doors.northwind)
    return trust.signed_in("admin@northwind.com")


@pytest.fixture(scope="module")
def acme(trust):
    tenant = trust.tenant(trust.doors.northwind, "Acme")
    trust.doors.delegation(tenant, '["partner_admin"]')
    for who, role in (("owner", "owner"), ("it", "admin"), ("ann", "contributor"), ("ben", "approver")):
        trust.doors.member(f"{who}@acme.com", tenant, role)
    return tenant


def came_in(trust, forger, connection, **claims):
    browser = trust.doors.browser()
    forger.make = lambda nonce: {"id_token": forger.token(nonce=nonce, **claims)}
    answer = arrive(browser, forger.answer(leave(browser, connection)))
    return answer, sid(browser) is not None


def tried(trust, admin, issuer):
    made = trust.connection(admin, "/settings/sso", issuer=issuer, active=False)
    assert admin.post(f"/settings/sso/{made}/test").status == 303
    said = trust.row(made).tested
    assert (said["good"], bool(said["at"])) == (False, True)
    return said["trouble"]


class TestWhoMay:
    def test_are_administrators_of_the_place_itself(self, trust, admin, acme):
        assert admin.get("/settings/sso").status == 200
        assert trust.signed_in("it@acme.com").get(f"/t/{acme.id}/sso").status == 200
        trust.doors.staff("csm@northwind.com", trust.doors.northwind, "csm")
        for email, path in (("csm@northwind.com", "/settings/sso"), ("ann@acme.com", f"/t/{acme.id}/sso")):
            browser = trust.signed_in(email)
            assert browser.get(path).status == 403
            assert trust.save(browser, path, issuer=ISSUER).status == 403

    def test_is_no_partner_with_a_delegation(self, trust, admin, acme):
        answer = trust.save(admin, f"/t/{acme.id}/sso", issuer=ISSUER, domains="acme.com")
        assert answer.status == 403
        assert trust.installation.control("SELECT 1 FROM control.sso_connection WHERE tenant_id = %s", acme.id) == []

    def test_reach_only_their_own_connections(self, trust, admin):
        made = trust.connection(admin, "/settings/sso", issuer=ISSUER)
        trust.doors.staff("admin@contoso.com", trust.doors.contoso)
        other = trust.signed_in("admin@contoso.com", "contoso.localhost")
        assert other.get(f"/settings/sso?connection={made}").status == 404
        assert trust.save(other, "/settings/sso", connection=made, issuer=ISSUER).status == 404
        assert other.post(f"/settings/sso/{made}/test").status == 404


class TestWhatItGives:
    @pytest.mark.parametrize("role", ["partner_owner", "operator", "owner", "auditor", "made_up"])
    def test_is_no_role_that_the_admin_lacks(self, trust, admin, role):
        for fields in ({"default_role": role}, {"group_roles": f"all = {role}"}):
            assert trust.save(admin, "/settings/sso", issuer=ISSUER, **fields).status == 422

    def test_is_nothing_to_who_may_more_than_the_admin(self, trust, forger, acme):
        made = trust.connection(trust.signed_in("it@acme.com"), f"/t/{acme.id}/sso", issuer=ISSUER, domains="acme.com")
        for who, good in (("owner", False), ("ben", False), ("ann", True)):
            answer, in_ = came_in(trust, forger, made, sub=who, email=f"{who}@acme.com")
            assert (answer.status, in_) == ((303, True) if good else (403, False))

    def test_is_no_membership_unless_it_says_so(self, trust, forger, acme):
        path, owner = f"/t/{acme.id}/sso", trust.signed_in("owner@acme.com")
        made = trust.connection(owner, path, issuer=ISSUER, domains="acme.com", default_role="viewer")
        assert came_in(trust, forger, made, sub="zoe", email="zoe@acme.com")[1] is False
        assert trust.member(acme, "zoe@acme.com") is None
        again = {"issuer": ISSUER, "domains": "acme.com", "default_role": "viewer", "joins": True, "client_secret": ""}
        assert trust.save(owner, path, connection=made, **again).status == 303
        assert came_in(trust, forger, made, sub="zoe", email="zoe@acme.com")[1] is True
        assert trust.member(acme, "zoe@acme.com").role == "viewer"
        assert trust.row(made).has_secret is True


class TestTheForm:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("issuer", "http://id.forger.org"),
            ("issuer", "https://user@id.forger.org"),
            ("issuer", "https://id.forger.org?x=1"),
            ("issuer", "https://127.0.0.1"),
            ("issuer", "https://id.internal"),
            ("issuer", "https://id.forger.org:8443"),
            ("issuer", "https://[::1"),
            ("domains", "not a domain"),
            ("domains", "localhost"),
            ("group_roles", "csm"),
            ("group_roles", "\n".join(f"g{n} = csm" for n in range(51))),
            ("name", ""),
        ],
    )
    def test_tells_what_is_wrong_and_gives_back_what_was_typed(self, trust, admin, field, value):
        answer = trust.save(admin, "/settings/sso", **({"issuer": ISSUER} | {field: value}))
        assert answer.status == 422
        assert CLIENT_SECRET not in answer.text

    def test_keeps_the_issuer(self, trust, admin):
        made = trust.connection(admin, "/settings/sso", issuer=ISSUER)
        assert trust.save(admin, "/settings/sso", connection=made, issuer="https://id.other.org").status == 422
        assert trust.row(made).issuer == ISSUER

    def test_shows_the_secret_to_nobody_and_stores_it_sealed(self, trust, admin):
        made = trust.connection(admin, "/settings/sso", issuer=ISSUER)
        assert CLIENT_SECRET not in admin.get(f"/settings/sso?connection={made}").text
        home = trust.homes[trust.doors.northwind]
        for table in ("secret", "trail", "command"):
            kept = trust.installation.rows(home, f"SELECT t::text AS row FROM {{}}.{table} t")  # noqa: S608 - names of our own tables
            assert kept
            assert not [row for row in kept if CLIENT_SECRET in row.row or CLIENT_SECRET.encode().hex() in row.row]

    def test_switches_off_with_its_sessions(self, trust, forger, admin):
        said = {"issuer": ISSUER, "domains": "northwind.com", "joins": True, "default_role": "csm"}
        made = trust.connection(admin, "/settings/sso", **said)
        assert came_in(trust, forger, made)[1] is True
        assert trust.save(admin, "/settings/sso", connection=made, **said, active=False).status == 303
        assert all(row.ended_at for row in trust.sessions(made))
        assert trust.doors.browser().get(f"/sign-in/with/{made}").status == 404


class TestControl:
    def test_follows_by_the_job_where_the_door_died_and_ignores_what_is_older(self, trust, admin):
        declare_everything()
        made = trust.connection(admin, "/settings/sso", issuer=ISSUER, name="First")
        trust.save(admin, "/settings/sso", connection=made, issuer=ISSUER, name="Second")
        trust.installation.run_due(SUBSCRIPTIONS)
        assert trust.row(made).name == "Second"
        for table in ("sso_domain", "sso_connection"):
            column = "id" if table == "sso_connection" else "connection_id"
            trust.installation.control(f"DELETE FROM control.{table} WHERE {column} = %s", made)  # noqa: S608 - names of our own tables
        trust.save(admin, "/settings/sso", issuer=ISSUER, name="Third")
        home = trust.homes[trust.doors.northwind]
        trust.installation.cell("UPDATE cell.outbox SET state = 'new' WHERE tenant_id = %s", home.id)
        trust.installation.cell("DELETE FROM cell.job WHERE tenant_id = %s", home.id)
        trust.installation.run_due(SUBSCRIPTIONS)
        assert trust.row(made).name == "Second"


class TestTheTest:
    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"issuer": "https://id.forger.org/"}, "issuer"),
            ({"token_endpoint": "http://id.forger.org/token"}, "incomplete"),
            ({"response_types_supported": ["id_token"]}, "no_code"),
            ({"jwks_uri": "https://id.forger.org/nothing"}, "not_found"),
            ({"jwks_uri": "https://10.0.0.1/jwks"}, "refused"),
        ],
    )
    def test_explains_a_wrong_configuration(self, trust, forger, admin, change, word):
        forger.reset()
        forger.documents["/.well-known/openid-configuration"] |= change
        assert tried(trust, admin, ISSUER) == word
        forger.reset()

    def test_explains_what_answers_no_configuration(self, trust, forger, admin):
        path = "/.well-known/openid-configuration"
        for said, word in (((200, "<html>"), "not_json"), (None, "not_found"), ((302, ""), "status"), ([], "not_json")):
            forger.documents[path] = said
            assert tried(trust, admin, ISSUER) == word
        forger.reset()
        forger.documents["/jwks"] = {"keys": []}
        assert tried(trust, admin, ISSUER) == "keys"
        forger.reset()

    def test_explains_where_nobody_may_be_called(self, trust, admin, monkeypatch):
        monkeypatch.setattr(trust.providers._client, "_resolve", lambda *_: ["10.0.0.7"])
        assert tried(trust, admin, "https://id.inside-out.org") == "refused"


class TestWhoMustComeByIt:
    def test_gets_no_mailed_link_but_owners_do(self, trust, forger, acme):
        umbrella = trust.tenant(trust.doors.northwind, "Umbrella")
        for who, role in (("boss", "owner"), ("rick", "contributor")):
            trust.doors.member(f"{who}@umbrella.com", umbrella, role)
        boss = trust.signed_in("boss@umbrella.com")
        made = trust.connection(boss, f"/t/{umbrella.id}/sso", issuer=ISSUER, domains="umbrella.com", required=True)
        organisation = trust.doors.northwind
        assert find_duty(trust.doors.runtime, organisation, email="rick@umbrella.com") == UUID(made)
        assert find_duty(trust.doors.runtime, organisation, email="boss@umbrella.com") is None
        assert find_duty(trust.doors.runtime, organisation, email="ann@acme.com") is None
        assert find_duty(trust.doors.runtime, organisation, email="nobody@umbrella.com") is None
        site = trust.doors.runtime.service(SiteDirectory).site_of(organisation)
        rick = trust.installation.control("SELECT id FROM control.person WHERE email = 'rick@umbrella.com'")[0].id
        link = create_link(trust.doors.runtime, site, person_id=rick, next_path="/t/1")
        assert link.endswith(f"/sign-in/with/{made}?next=%2Ft%2F1")
        trust.doors.browser().post("/sign-in", {"email": "rick@umbrella.com"})
        assert trust.signed_in("boss@umbrella.com")
        assert "rick@umbrella.com" not in {mail.person.email for mail in trust.doors.mailbox.mails}
        answer, in_ = came_in(trust, forger, made, sub="rick", email="rick@umbrella.com")
        assert (answer.status, in_) == (303, True), answer.text


class TestErasing:
    def test_a_workspace_takes_its_provider_and_who_came_by_it_along(self, trust, forger):
        gone = trust.tenant(trust.doors.northwind, "Gone")
        trust.doors.member("owner@gone.com", gone, "owner")
        said = {"domains": "gone.com", "joins": True, "default_role": "viewer"}
        made = trust.connection(trust.signed_in("owner@gone.com"), f"/t/{gone.id}/sso", issuer=ISSUER, **said)
        assert came_in(trust, forger, made, sub="gina", email="gina@gone.com")[1] is True
        trust.installation.control("SELECT control.forget_tenant(%s)", gone.id)
        kept = {"person": "email = 'gina@gone.com'", "sso_connection": f"id = '{made}'"}
        kept |= {"sso_identity": "subject = 'gina'", "sso_domain": "domain = 'gone.com'", "session": "subject = 'gina'"}
        for table, mark in kept.items():
            assert trust.installation.control(f"SELECT 1 FROM control.{table} WHERE {mark}") == []  # noqa: S608 - names of our own tables
