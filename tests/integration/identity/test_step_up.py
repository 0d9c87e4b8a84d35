"""Proving again who one is, attacked: guesses, replays, other people's sessions, a mailbox that somebody else reads."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from litestar import Request, Response, post
from litestar.di import NamedDependency

from app.access.permissions import Permission
from app.access.require import StepUpNeeded
from app.identity.mailer import Notice
from app.identity.step_up.operations import reset
from app.identity.step_up.rules import TRIES
from app.web.begin import visit_of
from app.web.forms import Form
from tests.factories.doors import FRONT_DOORS, Doors

DANA = "dana@northwind.example"


@post("/launch", opt={"door": "signed_in"}, status_code=200, sync_to_thread=True)
def launch(request: Request[Any, Any, Any], form: NamedDependency[Form]) -> Response[str]:
    """Something of high impact."""
    if not visit_of(request).actor.stepped_up:
        raise StepUpNeeded(Permission.STAFF_MANAGE)
    return Response(f"launched {form.first('what')}, {len(form.every('part'))} parts", media_type="text/plain")


@pytest.fixture(scope="module")
def doors(shared_installation, doors_redis):
    served = Doors(shared_installation, redis_url=doors_redis, controllers=(*FRONT_DOORS, launch))
    yield served
    served.close()


@pytest.fixture
def dana(doors):
    """A browser in which a member of staff is signed in; each test begins without any authenticator."""
    doors.staff(DANA, doors.northwind)
    reset(doors.installation.databases, DANA)
    doors.installation.control("DELETE FROM control.mailed_code")
    doors.mailbox.codes.clear()
    doors.mailbox.notices.clear()
    return signed_in(doors, DANA)


def signed_in(doors, email):
    browser, known = doors.browser(), len(doors.mailbox.mails)
    browser.post("/sign-in", {"email": email})
    mail = doors.mailbox.wait(known + 1)[-1]
    assert browser.post(mail.path, {"nonce": browser.get(mail.path).hidden["nonce"]}).status == 303
    return browser


def prove_by_mail(doors, browser):
    count = len(doors.mailbox.codes) + 1
    browser.post("/step-up/mail", {"next": "/account"})
    return browser.post("/step-up", {"step_up_code": doors.mailbox.wait_for_code(count), "next": "/account"})


def enrol(doors, browser):
    """Set an authenticator up as a person does; gives it and the recovery codes."""
    assert prove_by_mail(doors, browser).status == 303
    browser.post("/account/authenticator")
    page = browser.get("/account/authenticator").text
    [shown] = re.findall(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    key = "".join(shown.split())
    totp = pyotp.TOTP(key)
    answer = browser.post("/account/authenticator/confirm", {"code": totp.now()})
    assert answer.status == 200, answer.text
    return totp, re.findall(r'<code class="key">([a-z2-9-]{17})</code>', answer.text)


def later(totp, steps=1):
    """The code of a later half minute: the present one has been used."""
    return totp.at(datetime.now(UTC), counter_offset=steps)


class TestSettingUp:
    def test_needs_the_mailbox_first(self, doors, dana):
        assert dana.post("/account/authenticator").headers["location"].startswith("/step-up?next=")
        assert "Begin" in dana.get("/account/authenticator").text

    def test_takes_the_first_code_and_shows_ten_recovery_codes_once(self, doors, dana):
        _totp, codes = enrol(doors, dana)
        assert len(set(codes)) == 10
        assert codes[0] not in dana.get("/account").text
        assert (DANA, Notice.AUTHENTICATOR_SET) in doors.mailbox.notices

    def test_keeps_no_secret_readable_in_the_database(self, doors, dana):
        totp, codes = enrol(doors, dana)
        rows = str(doors.installation.control("SELECT * FROM control.authenticator"))
        rows += str(doors.installation.control("SELECT * FROM control.recovery_code"))
        assert totp.secret not in rows
        assert str(totp.byte_secret())[2:-1] not in rows
        assert codes[0] not in rows

    def test_is_not_replaced_by_who_has_only_the_mailbox(self, doors, dana):
        enrol(doors, dana)
        thief = signed_in(doors, DANA)
        assert prove_by_mail_fails(doors, thief)
        assert thief.post("/account/authenticator").headers["location"].startswith("/step-up?next=")
        assert thief.post("/account/authenticator/remove").headers["location"].startswith("/step-up?next=")

    def test_that_stops_half_way_leaves_the_present_one(self, doors, dana):
        totp, _codes = enrol(doors, dana)
        dana.post("/account/authenticator")
        other = signed_in(doors, DANA)
        assert other.post("/step-up", {"step_up_code": later(totp), "next": "/account"}).status == 303


def prove_by_mail_fails(doors, browser):
    before = list(doors.mailbox.codes)
    answer = browser.post("/step-up/mail", {"next": "/account"})
    return "No further code was sent" in answer.text and doors.mailbox.codes == before


class TestProving:
    def test_lets_staff_do_what_has_a_large_effect_with_an_authenticator_only(self, doors, dana):
        assert dana.post("/launch", {"what": "x"}).status == 403
        prove_by_mail(doors, dana)
        assert dana.post("/launch", {"what": "x"}).status == 403
        enrol(doors, dana)
        assert dana.post("/launch", {"what": "x"}).text == "launched x, 0 parts"

    def test_asks_with_the_form_kept_and_goes_on_with_the_code(self, doors, dana):
        totp, _codes = enrol(doors, dana)
        browser = signed_in(doors, DANA)
        fields = {"what": 'a "quoted" <thing>', "command_key": "k-1"}
        asked = browser.post("/launch", fields)
        assert asked.status == 403
        kept = {name: value for name, value in asked.hidden.items() if name in fields}
        assert kept == fields
        done = browser.post("/launch", {**kept, "step_up_code": later(totp)})
        assert (done.status, done.text) == (200, 'launched a "quoted" <thing>, 0 parts')

    def test_asks_again_after_a_wrong_code_with_the_form_still_there(self, doors, dana):
        enrol(doors, dana)
        browser = signed_in(doors, DANA)
        answer = browser.post("/launch", {"what": "x", "step_up_code": "000000"})
        assert answer.status == 422
        assert answer.hidden["what"] == "x"
        assert "This code is wrong" in answer.text

    def test_counts_a_code_once_even_at_once(self, doors, dana):
        totp, _codes = enrol(doors, dana)
        browsers = [signed_in(doors, DANA) for _ in range(3)]
        code = later(totp)
        with ThreadPoolExecutor(3) as pool:
            sent = {"step_up_code": code, "next": "/account"}
            tries = pool.map(lambda one: one.post("/step-up", sent).status, browsers)
        assert sorted(tries) == [303, 422, 422]

    def test_rests_after_five_wrong_codes_whoever_tries(self, doors, dana):
        totp, codes = enrol(doors, dana)
        browsers = [signed_in(doors, DANA) for _ in range(2)]
        with ThreadPoolExecutor(8) as pool:
            guesses = [(browsers[n % 2], f"{n:06d}") for n in range(12)]
            list(pool.map(lambda one: one[0].post("/step-up", {"step_up_code": one[1], "next": "/"}), guesses))
        assert browsers[0].post("/step-up", {"step_up_code": later(totp), "next": "/"}).status == 422
        assert browsers[1].post("/step-up", {"step_up_code": codes[0], "next": "/"}).status == 422
        doors.installation.control("UPDATE control.authenticator SET locked_until = now()")
        assert browsers[0].post("/step-up", {"step_up_code": later(totp), "next": "/"}).status == 303

    def test_takes_each_recovery_code_once_however_it_is_typed_and_tells_the_person(self, doors, dana):
        _totp, codes = enrol(doors, dana)
        browser = signed_in(doors, DANA)
        typed = codes[3].upper().replace("-", " ")
        assert browser.post("/step-up", {"step_up_code": typed, "next": "/account"}).status == 303
        assert browser.post("/step-up", {"step_up_code": codes[3], "next": "/account"}).status == 422
        assert (DANA, Notice.RECOVERY_CODE_USED) in doors.mailbox.notices
        assert "9 recovery codes are left" in browser.get("/account").text

    def test_is_over_after_a_quarter_of_an_hour(self, doors, dana):
        enrol(doors, dana)
        doors.installation.control("UPDATE control.session SET stepped_up_at = now() - interval '16 minutes'")
        assert dana.post("/launch", {"what": "x"}).status == 403

    def test_goes_nowhere_else_afterwards(self, doors, dana):
        prove = {"step_up_code": "", "next": "https://evil.example/"}
        doors.browser().post("/step-up", prove)
        count = len(doors.mailbox.codes) + 1
        dana.post("/step-up/mail", {"next": "//evil.example"})
        answer = dana.post("/step-up", {"step_up_code": doors.mailbox.wait_for_code(count), "next": "//evil.example"})
        assert answer.headers["location"] == "/account"


class TestAMailedCode:
    @pytest.fixture
    def mia(self, doors):
        """Somebody of a customer: no role, no authenticator; their mailbox is what they have."""
        tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
        doors.installation.control("DELETE FROM control.mailed_code")
        doors.member("mia@acme.example", tenant)
        return signed_in(doors, "mia@acme.example")

    def test_is_enough_for_a_customers_people(self, doors, mia):
        assert mia.post("/launch", {"what": "x"}).status == 403
        assert prove_by_mail(doors, mia).status == 303
        assert mia.post("/launch", {"what": "x"}).status == 200

    def test_is_not_had_by_who_was_forwarded_the_link_only(self, doors, mia):
        count = len(doors.mailbox.codes)
        mia.post("/step-up/mail", {"next": "/account"})
        assert doors.mailbox.wait_for_code(count + 1)
        assert doors.mailbox.codes[-1][0] == "mia@acme.example"
        assert mia.post("/launch", {"what": "x", "step_up_code": "12345678"}).status == 422

    def test_works_in_its_own_session_only_and_once(self, doors, mia):
        other = signed_in(doors, "mia@acme.example")
        count = len(doors.mailbox.codes) + 1
        mia.post("/step-up/mail", {"next": "/account"})
        code = doors.mailbox.wait_for_code(count)
        assert other.post("/step-up", {"step_up_code": code, "next": "/account"}).status == 422
        assert mia.post("/step-up", {"step_up_code": f"{code[:4]} {code[4:]}", "next": "/account"}).status == 303
        assert mia.post("/step-up", {"step_up_code": code, "next": "/account"}).status == 422

    def test_is_void_after_five_tries_and_after_the_next_one(self, doors, mia):
        count = len(doors.mailbox.codes)
        mia.post("/step-up/mail", {"next": "/account"})
        first = doors.mailbox.wait_for_code(count + 1)
        for guess in range(TRIES):
            mia.post("/step-up", {"step_up_code": f"{guess:08d}", "next": "/account"})
        assert mia.post("/step-up", {"step_up_code": first, "next": "/account"}).status == 422
        mia.post("/step-up/mail", {"next": "/account"})
        second = doors.mailbox.wait_for_code(count + 2)
        assert mia.post("/step-up", {"step_up_code": second, "next": "/account"}).status == 303

    def test_is_mailed_five_times_an_hour_at_most(self, doors, mia):
        count = len(doors.mailbox.codes)
        for _ in range(7):
            mia.post("/step-up/mail", {"next": "/account"})
        assert len(doors.mailbox.codes) == count + 5

    def test_keeps_the_interrupted_form(self, doors, mia):
        asked = mia.post("/launch", {"what": "kept", "command_key": "k-2"})
        count = len(doors.mailbox.codes)
        kept = {name: value for name, value in asked.hidden.items() if name.startswith("kept.")}
        mailed = mia.post("/step-up/mail", {"action": "/launch", **kept})
        assert (mailed.status, mailed.hidden["what"]) == (200, "kept")
        code = doors.mailbox.wait_for_code(count + 1)
        assert mia.post("/launch", {"what": "kept", "step_up_code": code}).text == "launched kept, 0 parts"


class TestSessions:
    def test_are_listed_by_browser_and_ended_one_by_one(self, doors, dana):
        other = signed_in(doors, DANA)
        page = dana.get("/account").text
        ids = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
        for each in ids:
            dana.post(f"/account/sessions/{each}/end")
        assert other.get("/account").status == 303
        assert dana.get("/account").status == 200

    def test_of_somebody_else_cannot_be_ended(self, doors, dana):
        doors.staff("ben@northwind.example", doors.northwind)
        ben = signed_in(doors, "ben@northwind.example")
        ids = doors.installation.control("SELECT id FROM control.session WHERE id IS NOT NULL AND ended_at IS NULL")
        for row in ids:
            ben.post(f"/account/sessions/{row.id}/end")
        assert dana.get("/account").status == 200

    def test_of_another_brand_are_neither_listed_nor_ended(self, doors, dana):
        doors.staff(DANA, doors.contoso)
        other, known = doors.browser("contoso.localhost"), len(doors.mailbox.mails)
        other.post("/sign-in", {"email": DANA})
        mail = doors.mailbox.wait(known + 1)[-1]
        other.post(mail.path, {"nonce": other.get(mail.path).hidden["nonce"]})
        for each in re.findall(r"/account/sessions/([0-9a-f-]{36})/end", dana.get("/account").text):
            dana.post(f"/account/sessions/{each}/end")
        assert other.get("/account").status == 200
