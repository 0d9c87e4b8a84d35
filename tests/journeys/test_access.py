"""Getting in, in Chromium: a scanner that opens everything, and an administrator who uses the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin

import pyotp
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.chromium import chromium
from tests.factories.web import Portals, until
from tests.journeys.reader import Reader, link_of
from tests.look.browser import launch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
expect.set_options(timeout=15_000)
DANA = "dana.weber@northwind.example"
HELEN = "helen.marsh@greyfriars.example"
_FURTHEST = 80  # presses of Tab until something that should be reached counts as unreachable


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        started = launch(playwright, program)
        yield started
        started.close()


@pytest.fixture
def helen(portals: Portals, browser: Browser) -> Iterator[Reader]:
    """The owner of a customer's workspace, not signed in yet."""
    reader = Reader(portals, browser, "northwind", HELEN)
    yield reader
    reader.close()


@pytest.fixture
def dana(portals: Portals, browser: Browser) -> Iterator[Reader]:
    """The partner's administrator, not signed in yet."""
    reader = Reader(portals, browser, "northwind", DANA)
    yield reader
    reader.close()


def ask_for_link(reader: Reader) -> str:
    before = len(reader.mails("Your link to "))
    reader.page.goto("/sign-in")
    reader.page.locator("input[type=email]").fill(reader.email)
    reader.page.locator("main button").click()
    until("the link", lambda: len(reader.mails("Your link to ")) > before)
    return link_of(reader.mails("Your link to ")[0])


def reach(page: Page, wanted: Locator) -> None:
    """Go there by Tab alone; the focus must be seen."""
    expect(wanted).to_be_visible()
    for _press in range(_FURTHEST):
        if wanted.evaluate("element => element === document.activeElement"):
            outline = wanted.evaluate("e => [getComputedStyle(e).outlineStyle, getComputedStyle(e).boxShadow].join()")
            assert outline != "none,none", "nobody sees where the focus is"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def press(page: Page, name: str, role: str = "button") -> None:
    reach(page, page.get_by_role(role, name=name, exact=True).first)  # type: ignore[arg-type]  # one of two roles
    page.keyboard.press("Enter")


def write(page: Page, label: str, text: str) -> None:
    reach(page, page.get_by_label(label, exact=True).filter(visible=True).first)
    page.keyboard.type(text)


def come_in(reader: Reader) -> Page:
    """Sign in by the keyboard alone."""
    page = reader.page
    page.goto(ask_for_link(reader))
    press(page, "Yes, sign me in")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


def prove(reader: Reader) -> None:
    """Prove who one is, where that is asked for, by a code from the mailbox."""
    page, before = reader.page, len(reader.mails("A code for "))
    expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
    # A form that wants a proof is answered with 403, which Chromium says to the console.
    reader.said[:] = [said for said in reader.said if "status of 403" not in said]
    press(page, "Mail me a code")
    expect(page.get_by_text("A code is on its way")).to_be_visible()
    until("a code", lambda: len(reader.mails("A code for ")) > before)
    write(page, "Your code", re.findall(r"\d{4} \d{4}", reader.mails("A code for ")[0].text)[0])
    page.keyboard.press("Enter")


def tick(page: Page, label: str) -> None:
    reach(page, page.get_by_label(label, exact=True).filter(visible=True).first)
    page.keyboard.press("Space")


class TestAScanner:
    def test_that_runs_scripts_and_follows_every_link_gets_no_session_and_leaves_the_link_usable(self, dana, browser):
        link = ask_for_link(dana)
        scanner = browser.new_context()
        page = scanner.new_page()
        page.goto(link)
        page.wait_for_load_state("networkidle")
        ways = page.eval_on_selector_all("a[href]", "all => all.map(each => each.getAttribute('href'))")
        for way in [way for way in ways if not way.startswith(("mailto:", "tel:", "#"))]:
            page.goto(urljoin(link, way))
        page.goto(link)
        page.reload()
        assert not [cookie for cookie in scanner.cookies() if "sid" in str(cookie.get("name"))]
        scanner.close()
        dana.page.goto(link)
        dana.confirm()
        expect(dana.page.get_by_role("heading", level=1)).to_be_visible()
        assert "/sign-in" not in dana.page.url


class TestAnAdministrator:
    def test_sets_up_an_authenticator_colleagues_and_machines_by_the_keyboard_alone(self, portals, dana):
        page = come_in(dana)
        page.goto("/account")
        dana.look("account")
        press(page, "Set up", "link")
        press(page, "Begin")
        prove(dana)
        expect(page.get_by_role("heading", name="Set up your authenticator app")).to_be_visible()
        press(page, "Begin")
        expect(page.locator("code.key")).to_be_visible()
        dana.look("authenticator")
        totp = pyotp.TOTP("".join(page.locator("code.key").inner_text().split()))
        write(page, "Code", totp.now())
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        expect(page.locator("code.key")).to_have_count(10)
        dana.look("recovery-codes")
        press(page, "I have kept them", "link")
        expect(page.get_by_role("heading", name="Your account")).to_be_visible()
        page.goto("/settings")
        dana.look("settings")
        press(page, "Staff Who works here, and in which roles.", "link")
        expect(page.get_by_role("heading", name="Staff")).to_be_visible()
        dana.look("staff")
        write(page, "E-mail address", "nina.falk@northwind.example")
        write(page, "Name", "Nina Falk")
        reach(page, page.get_by_label("Customer success manager"))
        page.keyboard.press("Space")
        press(page, "Invite")
        expect(page.get_by_role("row", name="Nina Falk")).to_be_visible()
        until("the invitation", lambda: dana.portals.mail.messages(to="nina.falk@northwind.example"))
        sets_machines_up(dana, f"/t/{portals.houses['northwind'].home.id}")


def sets_machines_up(dana: Reader, home: str) -> None:
    """A service account, a directory, an identity provider that nobody answers for, and what the trail says of it."""
    page = dana.page
    page.goto("/service-accounts")
    write(page, "Name", "Billing")
    tick(page, "Technical specialist")
    reach(page, page.get_by_role("checkbox", name="see onboardings and how they stand"))
    page.keyboard.press("Space")
    write(page, "Why", "Invoices when customers go live")
    press(page, "Create service account")
    expect(page.get_by_role("heading", name="Billing")).to_be_visible()
    dana.look("service-account")
    page.goto("/settings/scim")
    write(page, "Name", "Entra ID")
    press(page, "Set up")
    expect(page.get_by_text("This token is shown once")).to_be_visible()
    dana.look("directory")
    page.goto("/settings/sso")
    write(page, "Name", "Northwind ID")
    write(page, "Issuer", "https://login.northwind-id.example")
    write(page, "Client ID", "onboarding-portal")
    press(page, "Save")
    press(page, "Test connection")
    expect(page.get_by_text("Not right")).to_be_visible()
    dana.look("sso")
    page.goto(f"{home}/trail")
    reach(page, page.get_by_label("What"))
    page.keyboard.type("People")
    press(page, "Show")
    expect(page.get_by_role("list", name="Entries, the newest first")).to_contain_text(
        "Dana Weber made a service account"
    )
    dana.look("trail", keys=("service_account",))  # an action has its name for machines, too


class TestBothSides:
    def test_agree_on_access_by_the_keyboard_alone_and_the_customer_ends_it(self, portals, dana, helen):
        started = portals.sell("northwind", "greyfriars")
        page = come_in(dana)
        page.goto(f"/t/{started.tenant.id}/access")
        tick(page, "Technical specialist")
        write(page, "Reason", "Go-live support")
        write(page, "Until", f"0303{datetime.now(UTC).year + 1}")  # reads alike where the day comes first
        press(page, "Ask for access")
        expect(page.get_by_role("heading", name="Access that is asked for")).to_be_visible()
        dana.look("access-asked")
        theirs = come_in(helen)
        theirs.goto(f"/t/{started.tenant.id}/access")
        helen.look("access-request")
        press(theirs, "Agree to this")
        prove(helen)
        mine = theirs.get_by_role("region").filter(has_text="Go-live support")
        expect(mine).to_contain_text("3 Mar")
        helen.look("access-agreed")
        reach(theirs, mine.locator("summary", has_text="End it now"))
        theirs.keyboard.press("Enter")
        write(theirs, "Reason", "Not needed any more")
        press(theirs, "End it now")
        expect(theirs.get_by_role("region").filter(has_text="Not needed any more")).to_be_visible()
