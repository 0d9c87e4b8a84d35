"""Getting in, in Chromium: a scanner that opens everything, and an administrator who uses the keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
_FURTHEST = 80  # presses of Tab until something that should be reached counts as unreachable


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        started = launch(playwright, program)
        yield started
        started.close()


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
    reach(page, page.get_by_label(label, exact=True).first)
    page.keyboard.type(text)


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
    def test_sets_an_authenticator_up_and_invites_a_colleague_by_the_keyboard_alone(self, dana):
        page = dana.page
        page.goto(ask_for_link(dana))
        press(page, "Yes, sign me in")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto("/account")
        dana.look("account")
        press(page, "Set up", "link")
        press(page, "Begin")
        expect(page.get_by_role("heading", name="Prove that it is you")).to_be_visible()
        press(page, "Mail me a code")
        expect(page.get_by_text("A code is on its way")).to_be_visible()
        [mail] = until("a code", lambda: dana.mails("A code for "))[:1]
        dana.look("step-up")
        write(page, "Your code", re.findall(r"\d{4} \d{4}", mail.text)[0])
        page.keyboard.press("Enter")
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
