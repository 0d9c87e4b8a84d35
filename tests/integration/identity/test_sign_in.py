"""Sign-in by mailed link, attacked: scanners, replays, strangers, other brands, planted sessions."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.bootstrap.plugins import REQUESTS
from app.identity.operations import MayNotSignIn, create_link
from app.identity.queries import find_visit
from app.identity.rules import LINKS_PER_PERSON, STAFF_LINK, new_token
from app.partners.queries import SiteDirectory

DANA = "dana@northwind.example"


@pytest.fixture
def dana(doors):
    return doors.staff(DANA, doors.northwind)


def sid(browser):
    return next((value for name, value in browser.cookies.items() if name.startswith("__Host-sid-")), None)


def sessions(doors):
    return doors.installation.control("SELECT * FROM control.session ORDER BY made_at")


def is_signed_in(browser):
    """The door of a signed-in person leads everybody else to the sign-in page and ends nothing for them."""
    return browser.post("/sign-out/everywhere").status == 303 and sid(browser) is None


def ended(route):
    """How many posts to the route are over, what they did after their answer included."""
    return REQUESTS.labels("POST", route, "200")._value.get()


def wait_until(condition):
    pause = threading.Event()
    for _n in range(1000):
        if condition():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen within ten seconds")


class TestAskingForALink:
    def test_sends_one_mail_in_the_brand_with_a_link_to_this_host(self, doors, dana):
        mail = doors.ask_for_link(doors.browser(), DANA)
        assert mail.url.startswith("http://northwind.localhost:8000/sign-in/")
        assert (mail.person.id, mail.person.email) == (dana, DANA)
        assert (mail.brand.name, mail.valid_for) == ("Northwind", STAFF_LINK)

    def test_takes_the_address_in_any_spelling(self, doors, dana):
        assert doors.ask_for_link(doors.browser(), "  DANA@Northwind.Example ").person.id == dana

    def test_answers_the_same_whether_or_not_the_address_is_known(self, doors, dana):
        browser = doors.browser()
        known = browser.post("/sign-in", {"email": DANA})
        unknown = browser.post("/sign-in", {"email": "nobody@northwind.example"})
        assert known.status == unknown.status == 200
        assert known.text.replace(DANA, "") == unknown.text.replace("nobody@northwind.example", "")
        assert known.cookies == unknown.cookies
        assert [mail.person.id for mail in doors.mailbox.wait()] == [dana]

    def test_sends_nothing_to_a_person_of_another_brand(self, doors, dana):
        doors.browser("contoso.localhost").post("/sign-in", {"email": DANA})
        assert doors.ask_for_link(doors.browser(), DANA).host == "northwind.localhost"
        assert len(doors.mailbox.mails) == 1

    def test_works_where_one_works_for_the_organisation_above(self, doors):
        doors.staff("olga@ops.example", doors.platform, "operator")
        assert doors.ask_for_link(doors.browser("contoso.localhost"), "olga@ops.example").host == "contoso.localhost"

    @pytest.mark.parametrize("typed", ["", "dana", "dana@", "@x.y", "a b@c.de", "a@b", "dana@x.de\r\nbcc: all@x.de"])
    def test_gives_back_what_was_typed_when_it_is_no_address(self, doors, typed):
        answer = doors.browser().post("/sign-in", {"email": typed})
        assert answer.status == 422
        assert "data-takes-focus" in answer.text
        assert (f'value="{typed}"' in answer.text) or "\r" in typed

    def test_stops_after_a_few_also_when_all_ask_at_once_and_says_nothing(self, doors, dana):
        def ask(_n):
            return doors.browser().post("/sign-in", {"email": DANA}).text

        asked, before = LINKS_PER_PERSON + 5, ended("/sign-in")
        with ThreadPoolExecutor(8) as pool:
            said = set(pool.map(ask, range(asked)))
        wait_until(lambda: ended("/sign-in") == before + asked)
        assert len(doors.mailbox.mails) == LINKS_PER_PERSON
        assert len({text.split('name="command_key"')[0] for text in said}) == 1

    def test_goes_on_once_the_while_is_over(self, doors, dana):
        for _n in range(LINKS_PER_PERSON):
            doors.ask_for_link(doors.browser(), DANA)
        doors.installation.control("UPDATE control.sign_in_link SET made_at = made_at - interval '1 hour'")
        assert doors.ask_for_link(doors.browser(), DANA)

    def test_goes_on_for_who_has_opened_them(self, doors, dana):
        """Who signs in with each of them has the mailbox: nobody floods it."""
        for _n in range(LINKS_PER_PERSON + 2):
            assert doors.sign_in(doors.browser(), DANA).status == 303

    def test_keeps_only_the_hash_of_the_token(self, doors, dana):
        token = doors.ask_for_link(doors.browser(), DANA).path.rpartition("/")[2]
        kept = doors.installation.control("SELECT row_to_json(l)::text AS row FROM control.sign_in_link l")
        assert token not in str(kept)


class TestOpeningALink:
    def test_uses_nothing_up_whatever_a_scanner_does(self, doors, dana):
        mail, scanner = doors.ask_for_link(doors.browser(), DANA), doors.browser()
        for _round in range(3):
            assert scanner.head(mail.path).status == 200
            assert scanner.get(mail.path).status == 200
            assert scanner.get(mail.path + "?utm=1").status == 200
            assert scanner.send("OPTIONS", mail.path).status == 204
            assert scanner.send("PUT", mail.path, headers={"sec-fetch-site": "same-origin"}).status == 405
        assert scanner.post(mail.path, {}, sec_fetch_site="", origin="").status == 403
        assert sid(scanner) is None
        assert sessions(doors) == []
        person = doors.browser()
        nonce = person.get(mail.path).hidden["nonce"]
        assert person.post(mail.path, {"nonce": nonce}).status == 303
        assert sid(person)

    def test_says_the_same_of_unknown_used_and_foreign_links(self, doors, dana):
        browser = doors.browser()
        mail = doors.ask_for_link(browser, DANA)
        foreign = doors.browser("contoso.localhost").get(mail.path)
        browser.post(mail.path, {"nonce": browser.get(mail.path).hidden["nonce"]})
        used, unknown = doors.browser().get(mail.path), doors.browser().get("/sign-in/" + new_token().text)
        assert foreign.status == used.status == unknown.status == 404
        assert "Contoso" in foreign.text
        assert DANA not in foreign.text + used.text

    @pytest.mark.parametrize("token", ["x", "A" * 42, "A" * 44, "%00" * 43, "..%2f..%2fetc", "A" * 5000])
    def test_refuses_what_is_no_token(self, doors, token):
        assert doors.browser().get(f"/sign-in/{token}").status == 404


class TestConfirming:
    def test_works_once_also_when_sent_twice_at_the_same_moment(self, doors, dana):
        browser = doors.browser()
        mail = doors.ask_for_link(browser, DANA)
        nonce = browser.get(mail.path).hidden["nonce"]
        twins = [doors.browser() for _ in range(6)]
        for twin in twins:
            twin.cookies.update(browser.cookies)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda twin: twin.post(mail.path, {"nonce": nonce}), twins))
        assert sorted(answer.status for answer in answers) == [303, 404, 404, 404, 404, 404]
        assert len(sessions(doors)) == 1

    def test_refuses_an_expired_link(self, doors, dana):
        browser = doors.browser()
        mail = doors.ask_for_link(browser, DANA)
        nonce = browser.get(mail.path).hidden["nonce"]
        doors.installation.control("UPDATE control.sign_in_link SET expires_at = now()")
        assert browser.get(mail.path).status == 404
        assert browser.post(mail.path, {"nonce": nonce}).status == 404
        assert sessions(doors) == []

    def test_is_not_fooled_by_the_business_clock(self, doors, dana):
        browser = doors.browser()
        mail = doors.ask_for_link(browser, DANA)
        doors.installation.move_clock(timedelta(days=30))
        assert browser.get(mail.path).status == 200

    def test_refuses_the_link_of_another_brand(self, doors, dana):
        mail = doors.ask_for_link(doors.browser(), DANA)
        nonce = doors.browser().get(mail.path).hidden["nonce"]
        contoso = doors.browser("contoso.localhost")
        assert contoso.post(mail.path, {"nonce": nonce}).status == 403
        assert sessions(doors) == []

    def test_refuses_a_stolen_nonce(self, doors, dana):
        browser, thief = doors.browser(), doors.browser()
        mail = doors.ask_for_link(browser, DANA)
        nonce = browser.get(mail.path).hidden["nonce"]
        assert thief.post(mail.path, {"nonce": nonce}).status == 403
        thief.get(mail.path)
        assert thief.post(mail.path, {"nonce": nonce}).status == 403
        assert browser.post(mail.path, {"nonce": nonce}).status == 303

    def test_refuses_the_nonce_of_another_link(self, doors, dana):
        browser = doors.browser()
        first, second = doors.ask_for_link(browser, DANA), doors.ask_for_link(browser, DANA)
        nonce = browser.get(first.path).hidden["nonce"]
        assert browser.post(second.path, {"nonce": nonce}).status == 403
        assert browser.post(second.path, {}).status == 403

    def test_goes_where_the_person_wanted_to_go(self, doors, dana):
        answer = doors.sign_in(doors.browser(), DANA, next_path="/t/1?a=b&c=d")
        assert (answer.status, answer.headers["location"]) == (303, "/t/1?a=b&c=d")

    @pytest.mark.parametrize(
        "wished",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "javascript:alert(1)",
            "evil.example",
            "/ok\r\nset-cookie: a=b",
            "/" + "a" * 2000,
            "",
        ],
    )
    def test_never_leads_to_another_host(self, doors, dana, wished):
        answer = doors.sign_in(doors.browser(), DANA, next_path=wished)
        assert (answer.status, answer.headers["location"]) == (303, "/")

    def test_never_leads_away_by_a_forged_cookie_either(self, doors, dana):
        browser = doors.browser()
        doors.ask_for_link(browser, DANA)
        browser.cookies[doors.front.cookie_name("next")] = "//evil.example"
        browser.post("/sign-in", {"email": DANA})
        mail = doors.mailbox.wait(2)[-1]
        answer = browser.post(mail.path, {"nonce": browser.get(mail.path).hidden["nonce"]})
        assert answer.headers["location"] == "/"


class TestSession:
    def test_lives_in_a_cookie_that_only_this_host_and_no_script_gets(self, doors, dana):
        cookie = doors.sign_in(doors.browser(), DANA).cookies[doors.front.cookie_name("sid")]
        assert doors.front.cookie_name("sid").startswith("__Host-sid-")
        for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
            assert part in cookie
        assert "Domain" not in cookie

    def test_keeps_only_the_hash_of_the_token(self, doors, dana):
        browser = doors.browser()
        doors.sign_in(browser, DANA)
        kept = doors.installation.control("SELECT row_to_json(s)::text AS row FROM control.session s")
        assert sid(browser)
        assert sid(browser) not in str(kept)

    def test_that_was_planted_before_is_not_taken_over(self, doors, dana):
        planted, browser = new_token().text, doors.browser()
        browser.cookies[doors.front.cookie_name("sid")] = planted
        doors.sign_in(browser, DANA)
        assert sid(browser) != planted
        attacker = doors.browser()
        attacker.cookies[doors.front.cookie_name("sid")] = planted
        assert attacker.post("/sign-out/everywhere").headers["location"] == "/sign-in"
        assert sessions(doors)[-1].ended_at is None

    def test_of_before_ends_with_a_new_sign_in(self, doors, dana):
        browser = doors.browser()
        doors.sign_in(browser, DANA)
        doors.sign_in(browser, DANA)
        assert [row.ended_at is None for row in sessions(doors)] == [False, True]

    def test_of_one_brand_does_nothing_on_another(self, doors):
        doors.staff("olga@ops.example", doors.platform, "operator")
        browser = doors.browser()
        doors.sign_in(browser, "olga@ops.example")
        contoso = doors.browser("contoso.localhost")
        contoso.cookies.update(browser.cookies)
        contoso.post("/sign-out/everywhere")
        contoso.post("/sign-out")
        assert [row.ended_at for row in sessions(doors)] == [None]

    def test_ends_with_the_next_request_after_sign_out_although_the_cookie_is_kept(self, doors, dana):
        browser = doors.browser()
        doors.sign_in(browser, DANA)
        kept = dict(browser.cookies)
        assert browser.post("/sign-out").headers["location"] == "/sign-in"
        assert sid(browser) is None
        browser.cookies.update(kept)
        assert sessions(doors)[0].ended_at is not None
        assert sid(browser)
        assert not is_still_let_in(doors, browser)

    def test_ends_everywhere_and_the_links_in_the_mailbox_with_it(self, doors, dana):
        one, two = doors.browser(), doors.browser()
        doors.sign_in(one, DANA)
        doors.sign_in(two, DANA)
        waiting = doors.ask_for_link(doors.browser(), DANA)
        assert is_signed_in(one)
        assert all(row.ended_at for row in sessions(doors))
        assert not is_still_let_in(doors, two)
        assert doors.browser().get(waiting.path).status == 404

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE control.session SET expires_at = now()",
            "UPDATE control.session SET seen_at = now() - interval '3 days 1 second'",
            "UPDATE control.session SET ended_at = now()",
        ],
    )
    def test_is_nobodys_once_its_time_is_over(self, doors, dana, change):
        browser = doors.browser()
        doors.sign_in(browser, DANA)
        assert is_still_let_in(doors, browser)
        doors.installation.control(change)
        assert not is_still_let_in(doors, browser)

    def test_is_seen_at_most_once_a_minute(self, doors, dana):
        browser = doors.browser()
        doors.sign_in(browser, DANA)
        first = sessions(doors)[0].seen_at
        is_still_let_in(doors, browser)
        assert sessions(doors)[0].seen_at == first
        doors.installation.control("UPDATE control.session SET seen_at = seen_at - interval '2 minutes'")
        is_still_let_in(doors, browser)
        assert sessions(doors)[0].seen_at > first

    @pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 4000, "'; --"])
    def test_is_not_opened_by_a_made_up_cookie(self, doors, token):
        browser = doors.browser()
        browser.cookies[doors.front.cookie_name("sid")] = token
        assert browser.post("/sign-out/everywhere").status == 303
        assert sessions(doors) == []


def is_still_let_in(doors, browser):
    """Asked of the lookup itself, so that asking changes nothing but `seen_at`."""
    site = doors.runtime.service(SiteDirectory).find_site(browser.host)
    return find_visit(doors.installation.databases, site, sid(browser), None) is not None


class TestLinkForACustomer:
    def test_leads_to_the_page_for_a_week_and_signs_in(self, doors):
        tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
        cleo = doors.member("cleo@acme.example", tenant)
        site = doors.runtime.service(SiteDirectory).site_of(doors.northwind)
        url = create_link(doors.runtime, site, person_id=cleo, next_path=f"/t/{tenant.id}")
        assert url.startswith("http://northwind.localhost:8000/sign-in/")
        browser, path = doors.browser(), url.removeprefix("http://northwind.localhost:8000")
        answer = browser.post(path, {"nonce": browser.get(path).hidden["nonce"]})
        assert answer.headers["location"] == f"/t/{tenant.id}"
        row = doors.installation.control("SELECT expires_at - made_at AS lifetime FROM control.sign_in_link")[0]
        assert row.lifetime == timedelta(days=7)

    def test_is_not_made_for_a_stranger(self, doors):
        stranger = doors.staff("sam@contoso.example", doors.contoso)
        site = doors.runtime.service(SiteDirectory).site_of(doors.northwind)
        with pytest.raises(MayNotSignIn):
            create_link(doors.runtime, site, person_id=stranger, next_path="/")

    def test_does_not_use_up_what_the_person_may_ask_for(self, doors, dana):
        site = doors.runtime.service(SiteDirectory).site_of(doors.northwind)
        for _n in range(LINKS_PER_PERSON + 1):
            create_link(doors.runtime, site, person_id=dana, next_path="/")
        assert doors.ask_for_link(doors.browser(), DANA)
