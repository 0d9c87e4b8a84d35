"""Sign-in by a certified provider over HTTP: code and PKCE end to end, new keys, logout both ways, groups."""

from __future__ import annotations

import pytest

from tests.factories.identity import sso
from tests.factories.identity.sso import Peer, arrive, leave, sid

ISSUER = "https://login.northwind-id.com"
PEOPLE = {
    "dana": {"email": "dana@northwind.com", "email_verified": True, "name": "Dana Reyes", "groups": ["delivery"]},
    "erin": {"email": "erin@northwind.com", "email_verified": True, "name": "Erin", "groups": ["delivery", "tech"]},
    "olga": {"email": "olga@northwind.com", "email_verified": True, "name": "Olga"},
    "gus": {"email": "gus@elsewhere.com", "email_verified": True, "name": "Gus"},
    "ann": {"email": "ann@acme.com", "email_verified": True, "name": "Ann"},
}
GROUPS = "delivery = implementation\ntech = technical"


@pytest.fixture(scope="module")
def peer(trust):
    started = Peer(ISSUER, trust.doors.port)
    trust.known_at(ISSUER, started.port)
    started.tell("people", **PEOPLE)
    yield started
    started.close()


@pytest.fixture(scope="module")
def admin(trust):
    trust.doors.staff("admin@northwind.com", trust.doors.northwind)
    return trust.signed_in("admin@northwind.com")


@pytest.fixture(scope="module")
def staff(trust, peer, admin):
    """Northwind's own provider: whoever is in a group joins."""
    said = {"domains": "northwind.com", "joins": True, "group_roles": GROUPS}
    return trust.connection(admin, "/settings/sso", issuer=ISSUER, **said)


@pytest.fixture(scope="module")
def acme(trust):
    tenant = trust.tenant(trust.doors.northwind, "Acme")
    trust.doors.member("owner@acme.com", tenant, "owner")
    return tenant


@pytest.fixture(scope="module")
def provider(trust, peer, acme):
    """Acme's own provider: whoever has a mailbox there joins."""
    owner = trust.signed_in("owner@acme.com")
    said = {"domains": "acme.com", "joins": True, "default_role": "contributor"}
    return trust.connection(owner, f"/t/{acme.id}/sso", issuer=ISSUER, **said)


def come_in(trust, peer, connection, who, *, browser=None, next_path="/"):
    browser = browser or trust.doors.browser()
    peer.tell("signs_in", sub=who)
    return browser, arrive(browser, peer.answer(leave(browser, connection, next_path)))


class TestPeer:
    def test_that_hangs_at_its_start_is_ended_and_started_anew(self, tmp_path, monkeypatch):
        speaks = "const once = process.argv[1] + '.once'; import { existsSync, writeFileSync } from 'node:fs';"
        speaks += "if (existsSync(once)) console.log('listening 4711'); else writeFileSync(once, '');"
        (tmp_path / "provider.mjs").write_text(speaks + "setInterval(() => {}, 1000);")
        monkeypatch.setattr(sso, "PEER", tmp_path)
        monkeypatch.setattr(sso, "_START", 5.0)
        peer = Peer(ISSUER, 1)
        assert peer.port == 4711
        peer.close()

    def test_that_never_starts_says_why(self, tmp_path, monkeypatch):
        (tmp_path / "provider.mjs").write_text("throw new Error('out of order');")
        monkeypatch.setattr(sso, "PEER", tmp_path)
        with pytest.raises(AssertionError, match="out of order"):
            Peer(ISSUER, 1)


class TestStaff:
    def test_join_by_their_group_and_land_where_they_were_going(self, trust, peer, staff):
        browser, answer = come_in(trust, peer, staff, "dana", next_path="/customers")
        assert (answer.status, answer.headers["location"]) == (303, "/customers"), answer.text
        assert trust.roles("dana@northwind.com", trust.doors.northwind) == {"implementation"}
        assert browser.get("/customers").status == 200
        said = trust.installation.rows(
            trust.homes[trust.doors.northwind], "SELECT body FROM {}.trail WHERE action = 'identity.sso.admitted'"
        )
        assert [row.body["given"] for row in said] == [["implementation"]]

    def test_are_offered_it_on_the_sign_in_page_and_by_their_domain_alike(self, trust, staff):
        browser = trust.doors.browser()
        assert f"/sign-in/with/{staff}?next=%2F" in browser.get("/sign-in").text
        assert staff not in trust.doors.browser("contoso.localhost").get("/sign-in").text
        answers = [
            browser.post("/sign-in", {"email": f"{local}@northwind.com"}).text.replace(local, "")
            for local in ("dana", "nobody-at-all")
        ]
        assert staff in answers[0]
        assert answers[0] == answers[1]

    def test_get_and_lose_roles_with_their_groups(self, trust, peer, staff):
        where = trust.doors.northwind
        come_in(trust, peer, staff, "erin")
        assert trust.roles("erin@northwind.com", where) == {"implementation", "technical"}
        trust.doors.staff("erin@northwind.com", where, "csm")
        peer.tell("people", erin=PEOPLE["erin"] | {"groups": ["tech"]})
        come_in(trust, peer, staff, "erin")
        assert trust.roles("erin@northwind.com", where) == {"technical", "csm"}
        peer.tell("people", erin=PEOPLE["erin"] | {"groups": []})
        assert come_in(trust, peer, staff, "erin")[1].status == 303
        assert trust.roles("erin@northwind.com", where) == {"csm"}

    def test_in_no_group_or_of_another_domain_stay_outside(self, trust, peer, staff):
        for who in ("olga", "gus"):
            browser, answer = come_in(trust, peer, staff, who)
            assert (answer.status, sid(browser)) == (403, None)
        assert trust.roles("gus@elsewhere.com", trust.doors.northwind) == set()

    def test_who_hold_more_than_the_one_who_set_it_up_keep_the_mailed_link(self, trust, peer, staff):
        trust.doors.staff("olga@northwind.com", trust.doors.northwind, "partner_owner")
        browser, answer = come_in(trust, peer, staff, "olga")
        assert (answer.status, sid(browser)) == (403, None)


class TestKeys:
    def test_that_are_new_are_fetched_once(self, trust, peer, staff):
        come_in(trust, peer, staff, "dana")
        peer.tell("rotate", kid="second")
        browser, answer = come_in(trust, peer, staff, "dana")
        assert (answer.status, bool(sid(browser))) == (303, True), answer.text
        assert [key["kid"] for key in trust.providers.keys(ISSUER)] == ["second"]


class TestTheAnswer:
    def test_counts_once_and_in_the_browser_that_asked(self, trust, peer, staff):
        browser, other = trust.doors.browser(), trust.doors.browser()
        peer.tell("signs_in", sub="dana")
        back = peer.answer(leave(browser, staff))
        leave(other, staff)
        assert arrive(other, back).status == 403
        assert arrive(trust.doors.browser(), back).status == 403
        assert arrive(browser, back.replace("state=", "state=x")).status == 403
        assert arrive(browser, back).status == 303
        assert arrive(browser, back).status == 403
        assert sid(other) is None

    def test_is_worth_nothing_on_another_partner_s_host(self, trust, peer, staff):
        browser = trust.doors.browser("contoso.localhost")
        assert browser.get(f"/sign-in/with/{staff}").status == 404
        mine = trust.doors.browser()
        back = peer.answer(leave(mine, staff))
        browser.cookies |= mine.cookies
        assert (arrive(browser, back).status, sid(browser)) == (403, None)

    def test_ends_the_session_that_the_browser_came_with(self, trust, peer, staff):
        browser, _answer = come_in(trust, peer, staff, "dana")
        first = sid(browser)
        come_in(trust, peer, staff, "dana", browser=browser)
        assert sid(browser) != first
        old = trust.doors.browser()
        old.cookies |= {name: first for name in browser.cookies if name.startswith("__Host-sid-")}
        assert old.get("/customers").status == 303

    def test_that_declines_is_told_so(self, trust, peer, staff):
        browser = trust.doors.browser()
        place = leave(browser, staff)
        state = place.partition("state=")[2].partition("&")[0]
        answer = browser.get(f"/sign-in/callback?error=access_denied&state={state}&iss={ISSUER}")
        assert (answer.status, sid(browser)) == (403, None)


class TestLogout:
    def test_here_leads_on_to_the_provider_and_back(self, trust, peer, staff):
        browser, _answer = come_in(trust, peer, staff, "dana")
        answer = browser.post("/sign-out")
        assert (answer.status, sid(browser)) == (200, None)
        onward = answer.text.partition(f'href="{ISSUER}')[2].partition('"')[0].replace("&amp;", "&")
        assert "id_token_hint=" in onward
        assert peer.leave(ISSUER + onward).startswith("http://northwind.localhost:8000/sign-in")

    def test_at_the_provider_ends_the_sessions_it_opened_and_no_others(self, trust, peer, staff):
        by_mail = trust.signed_in("dana@northwind.com")
        elsewhere, _answer = come_in(trust, peer, staff, "dana")
        browser, _answer = come_in(trust, peer, staff, "dana")
        opened = trust.sessions(staff)[-2:]
        assert len({row.sid for row in opened}) == 2
        peer.leave(f"{ISSUER}/session/end?client_id=slipway")
        ended = {row.sid: row.ended_at is not None for row in trust.sessions(staff)[-2:]}
        assert ended == {opened[0].sid: False, opened[1].sid: True}
        assert browser.get("/customers").status == 303
        assert elsewhere.get("/customers").status == by_mail.get("/customers").status == 200


class TestTheTest:
    def test_says_that_all_is_well(self, trust, peer, staff, admin):
        assert admin.post(f"/settings/sso/{staff}/test").status == 303
        assert trust.row(staff).tested["trouble"] == ""
        assert set(trust.row(staff).tested["steps"].values()) == {"good"}

    def test_names_a_wrong_secret_and_a_wrong_client(self, trust, peer, admin):
        wrong = {"issuer": ISSUER, "active": False}
        for fields in ({"client_secret": "quite another one of the same length"}, {"client_id": "stranger"}):
            made = trust.connection(admin, "/settings/sso", **(wrong | fields))
            admin.post(f"/settings/sso/{made}/test")
            assert trust.row(made).tested["trouble"] == "client"
            assert trust.row(made).tested["steps"]["configuration"] == "good"
            assert "does not accept the client" in admin.get(f"/settings/sso?connection={made}").text


class TestACustomer:
    def test_lets_its_people_join_its_own_workspace_and_nothing_else(self, trust, peer, acme, provider):
        other = trust.tenant(trust.doors.northwind, "Umbrella")
        trust.doors.member("ann@acme.com", other, "owner")
        trust.doors.staff("ann@acme.com", trust.doors.northwind, "partner_owner")
        browser, answer = come_in(trust, peer, provider, "ann")
        assert answer.status == 303, answer.text
        assert trust.member(acme, "ann@acme.com").role == "contributor"
        assert browser.get("/").headers["location"] == f"/t/{acme.id}"
        assert browser.get(f"/t/{other.id}/sso").status == 404
        assert browser.get("/customers").status == 404
        assert browser.get("/settings/sso").status == 404
        assert browser.get(f"/t/{acme.id}/sso").status == 403

    def test_is_led_there_by_its_domain_once_the_partner_has_confirmed_it(self, trust, admin, acme, provider):
        browser = trust.doors.browser()
        assert provider not in browser.post("/sign-in", {"email": "ann@acme.com"}).text
        claim = {"connection": provider, "domain": "acme.com", "command_key": provider}
        assert admin.post("/settings/sso/claims", claim).status == 303
        assert provider in browser.post("/sign-in", {"email": "ann@acme.com"}).text
        assert provider in browser.post("/sign-in", {"email": "nobody@acme.com"}).text

    def test_that_is_suspended_lets_nobody_in(self, trust, peer, acme, provider):
        trust.installation.set_state(acme, "suspended")
        browser, answer = come_in(trust, peer, provider, "ann")
        assert (answer.status, sid(browser)) == (503, None)
        trust.installation.set_state(acme, "active")

    def test_who_was_removed_does_not_come_back_by_it(self, trust, peer, acme, provider):
        assert come_in(trust, peer, provider, "ann")[1].status == 303
        trust.installation.rows(acme, "UPDATE {}.member SET state = 'removed' WHERE email = 'ann@acme.com'")
        browser, answer = come_in(trust, peer, provider, "ann")
        assert (answer.status, sid(browser)) == (403, None)
