"""Both portals in Chromium: sign-in by mailed link, a gate, a form, and each side's work on the other's open page."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import chromium
from tests.factories.doors import Browser as Scanner
from tests.factories.web import Portals
from tests.journeys.reader import Reader, foreign_to, link_of
from tests.look.browser import launch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
expect.set_options(timeout=15_000)
Enter = Callable[..., Reader]
OSKAR = "oskar.lindqvist@northwind.example"
TOM = "tom.okafor@northwind.example"
HELEN = "helen.marsh@greyfriars.example"
MALTE = "malte.hansen@harbor.example"
HENNING = "henning.voss@voss.example"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        started = launch(playwright, program)
        yield started
        started.close()


@pytest.fixture
def enter(portals: Portals, browser: Browser) -> Iterator[Enter]:
    """Gives each person a browser of their own; at the end nobody's console has said anything."""
    readers = []

    def come_in(slug, email, **more):
        readers.append(Reader(portals, browser, slug, email, **more))
        return readers[-1]

    yield come_in
    for reader in readers:
        reader.close()


class TestPortals:
    def test_lead_a_customer_from_the_gate_to_the_first_form_with_both_sides_looking(self, portals, enter):
        started = portals.sell("northwind", "greyfriars")
        oskar = enter("northwind", OSKAR)
        decides_the_gate(oskar, started)
        connects_the_product(enter("northwind", TOM), portals, started)
        portals.show_hour(12)
        portals.goes_on(started, stalls=("task.describe_environment", "task.kickoff"))
        expect(step(oskar.page, "describe_environment")).to_contain_text("Open")
        helen = enter("northwind", HELEN, width=360)
        comes_by_mail(helen)
        fills_the_form_in(helen, oskar)
        holds_the_kickoff(oskar, helen)
        leaves(helen)

    def test_work_in_german_in_the_other_brand_and_without_script(self, portals, enter):
        started = portals.sell("harbor", "voss")
        portals.connects(started)
        portals.goes_on(started, stalls=("task.describe_company", "task.workshop"))
        henning = enter("harbor", HENNING, width=360, scripted=False)
        henning.open_mail("Aufbau Ihres Unternehmens beschreiben")  # the CRM knows that he reads German
        chooses_german(henning)
        henning.look("confirm-german")
        henning.confirm()
        answers_in_german(henning)
        malte = enter("harbor", MALTE, language="de")
        sees_the_partner_side_in_german(malte, portals.sell("harbor", "ostermann"), started)

    def test_show_a_sandbox_and_the_mail_that_it_sends_to_nobody(self, portals, enter):
        before = len(portals.mail.messages())
        portals.practises("northwind", OSKAR, "Practice")
        oskar = enter("northwind", OSKAR)
        oskar.sign_in()
        oskar.page.get_by_role("link", name="Customers").click()
        oskar.page.get_by_role("link", name="Sandboxes").click()
        oskar.look("sandboxes")
        oskar.page.get_by_role("link", name="Practice").click()
        expect(oskar.page.get_by_text("Sample Works Ltd")).to_be_visible()
        oskar.look("sandbox")
        reads_kept_mail(oskar)
        assert len(portals.mail.messages()) == before + 1  # his own way in

    def test_keep_each_brand_s_mails_to_itself(self, portals):
        mails = portals.mail.messages()
        senders = {"Northwind Services": "northwind", "Harbor ERP": "harbor"}
        assert {mail.sender.partition(" <")[0] for mail in mails} == set(senders)
        for mail in mails:
            slug = senders[mail.sender.partition(" <")[0]]
            told = f"{mail.headers} {mail.subject} {mail.text} {mail.html}".lower()
            assert [word for word in foreign_to(slug) if word in told] == [], mail.subject


class TestLivePages:
    def test_begin_with_the_state_of_now_and_end_for_who_has_signed_out(self, portals, enter):
        started = portals.sell("northwind", "tidewell")
        oskar = enter("northwind", OSKAR)
        oskar.sign_in()
        oskar.page.goto(started.path)
        with listening(oskar, started) as stream:
            assert "Handoff quality" in next_event(stream)
            oskar.page.locator("summary", has_text="Oskar Lindqvist").click()
            oskar.page.get_by_role("button", name="Sign out").click()
            expect(oskar.page.get_by_role("heading", name="Sign in")).to_be_visible()
            portals.goes_on(started, stalls=("task.assign_team", "task.confirm_billing"))
            assert next_event(stream, until="event: signed-out").startswith("event: signed-out")
            assert stream.read() == b""

    def test_leave_open_what_somebody_is_typing_in(self, portals, enter):
        started = portals.sell("northwind", "pennant")
        oskar = enter("northwind", OSKAR)
        oskar.sign_in()
        portals.goes_on(started, stalls=("task.assign_team", "task.confirm_billing"))
        oskar.page.goto(started.path)
        team = step(oskar.page, "assign_team")
        team.get_by_text("Complete").first.click()
        team.get_by_label("Lead engineer").fill("Tom Okafor")
        portals.goes_on(started, stalls=("task.assign_team",))
        expect(step(oskar.page, "confirm_billing")).to_contain_text("Done")
        expect(team.get_by_label("Lead engineer")).to_be_visible()
        expect(team.get_by_label("Lead engineer")).to_have_value("Tom Okafor")

    def test_end_when_the_server_stops(self, portals, enter):
        started = portals.sell("northwind", "oakfield")
        oskar = enter("northwind", OSKAR)
        oskar.sign_in()
        with listening(oskar, started) as stream:
            assert "Handoff quality" in next_event(stream)
            portals.serving_ends()
            assert stream.read() == b""


@contextmanager
def listening(reader, started):
    """The live stream of an onboarding, read with the reader's own cookies."""
    connection = http.client.HTTPConnection("127.0.0.1", reader.portals.port, timeout=20)
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in reader.context.cookies())
    host = urlsplit(reader.portals.origin(reader.slug)).netloc
    connection.request("GET", f"{started.path}/stream", headers={"Host": host, "Cookie": cookies})
    with closing(connection), connection.getresponse() as stream:
        assert stream.status == 200
        yield stream


def next_event(stream, until=""):
    """The next event of a live stream, or the next that begins so."""
    while True:
        lines = list(iter(lambda: stream.readline().decode().rstrip("\n"), ""))
        if lines and not lines[0].startswith(":") and lines[0].startswith(until):
            return "\n".join(lines)


def chooses_german(henning):
    """The language switch, a plain form."""
    page = henning.page
    page.locator("summary", has_text="Language and appearance").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    henning.language = "de"


def answers_in_german(henning):
    """The whole form task without a line of script: a mistake, then the right answers."""
    page = henning.page
    expect(page.get_by_role("heading", name="Ihr Onboarding mit Harbor ERP")).to_be_visible()
    henning.look("status")
    page.get_by_role("link", name="Beginnen").click()
    page.get_by_label("Gesellschaften").fill("zwei")
    page.get_by_label("Heutiges System").select_option(label="Anderes ERP")
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_label("Gesellschaften")).to_have_value("zwei")
    henning.said.clear()  # Chromium reports the 422 of a form that was sent back
    henning.look("task-errors")
    page.get_by_label("Gesellschaften").fill("2")
    page.get_by_label("Beginn des Geschäftsjahres").fill("2026-01-01")
    page.get_by_role("button", name="Senden").click()
    expect(page.get_by_text("Anderes ERP")).to_have_count(0)
    expect(page.get_by_role("heading", name="Ihr Onboarding mit Harbor ERP")).to_be_visible()
    henning.look("status-sent")
    page.goto(f"{page.url}/steps")
    henning.look("steps")


def sees_the_partner_side_in_german(malte, waiting, running):
    """Home, gate and plan in the partner's own language."""
    page = malte.page
    malte.sign_in()
    expect(page.get_by_role("link", name="Prüfen")).to_be_visible()
    malte.look("home")
    page.get_by_role("link", name="Prüfen").click()
    expect(page).to_have_url(f"{malte.portals.origin('harbor')}{waiting.path}/gates/gate.handoff_quality")
    malte.look("gate")
    page.goto(running.path)
    expect(step(page, "describe_company")).to_contain_text("Erledigt")
    malte.look("plan")
    for view in ("gates", "exceptions", "trail"):
        page.goto(f"{running.path}?view={view}")
        malte.look(view)
    page.goto(f"{running.path}/trace")
    malte.look("trace")


def decides_the_gate(oskar, started):
    """From the sign-in page to the decision; the gate stays shut while facts are missing."""
    page = oskar.page
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    oskar.look("sign-in")
    page.get_by_label("Your work e-mail address").fill("oskar")
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_label("Your work e-mail address")).to_have_value("oskar")
    oskar.said.clear()  # Chromium reports the 422 of a form that was sent back
    oskar.look("sign-in-error")
    oskar.sign_in()
    expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
    oskar.look("home")
    page.get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="Handoff quality")).to_be_visible()
    expect(page.get_by_role("button", name="Accept the packet")).to_be_disabled()
    oskar.look("gate-missing")
    for name, fact in (
        ("business_outcome", "New staff have a working laptop after two days."),
        ("nonstandard_terms", "none"),
        ("success_criteria", "Nine of ten requests are solved within the SLA."),
    ):
        place = page.locator(f"#packet-{name}")
        place.locator("summary").click()
        place.get_by_role("textbox").fill(fact)
        place.get_by_role("button", name="Save").click()
        expect(page.locator(f"#packet-{name}")).to_contain_text(fact)
    expect(page.get_by_text("Every field that counts is filled.")).to_be_visible()
    oskar.look("gate-complete")
    press_by_keyboard(page, "Accept the packet")
    expect(page).to_have_url(f"{oskar.portals.origin('northwind')}{started.path}")
    expect(step(page, "assign_team")).to_contain_text("Open")
    oskar.look("plan")


def press_by_keyboard(page, name):
    """Reach a button with Tab from the top of the page, and press it."""
    page.goto(page.url)
    for _step in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.textContent.trim()") == name:
            assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def connects_the_product(tom, portals, started):
    """The technical colleague hands the product's credential over; the page never shows it again."""
    page, token = tom.page, portals.tokens[f"{started.sale.key}/product_admin"]
    tom.sign_in()
    page.goto(f"/t/{started.tenant.id}/connections")
    tom.look("connections")
    offer = page.locator("section", has=page.get_by_role("heading", name="Connect Workbench"))
    offer.get_by_role("button", name="Connect").click()
    expect(page.get_by_role("alert")).to_be_focused()
    tom.said.clear()  # Chromium reports the 422 of a form that was sent back
    tom.look("connections-error")
    offer.locator("input[type=password]").fill(token)
    offer.get_by_role("button", name="Connect").click()
    expect(page.locator("#connected, section", has_text="Workbench").first).to_be_visible()
    assert token not in page.content()


def comes_by_mail(helen):
    """The mail's link is looked at by a scanner, then opened and confirmed by its reader; then it is used up."""
    helen.open_mail("Tell us about your workplaces")
    mail = helen.mails("Tell us about your workplaces")[0]
    link = link_of(mail)
    scanner = Scanner(helen.portals.port, "northwind.localhost")
    for ask in (scanner.head, scanner.get, scanner.get):
        assert ask(urlsplit(link).path).status == 200
    helen.look("confirm")
    helen.confirm()
    expect(helen.page.get_by_role("heading", name="Your onboarding with Northwind Services")).to_be_visible()
    expect(helen.page.locator("#live")).to_contain_text("Tell us about your workplaces")
    helen.look("status")
    again = scanner.get(urlsplit(link).path)
    assert "has been used" in again.text


def fills_the_form_in(helen, oskar):
    """First with a mistake, then right; the partner's open page follows without being asked."""
    page = helen.page
    page.get_by_role("link", name="Start").click()
    helen.look("task")
    page.get_by_label("Number of workplaces").fill("many")
    page.get_by_label("Number of offices and sites").fill("3")
    page.get_by_label("Where do people sign in?").select_option(label="Microsoft Entra ID")
    page.get_by_label("Do you have a cyber insurance?").check()
    page.get_by_label("Anything we should know").fill("The office in Bath moves in March.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_label("Number of workplaces")).to_have_value("many")
    expect(page.get_by_label("Number of workplaces")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Where do people sign in?")).to_have_value("entra")
    expect(page.get_by_label("Do you have a cyber insurance?")).to_be_checked()
    expect(page.get_by_label("Anything we should know")).to_have_value("The office in Bath moves in March.")
    helen.said.clear()  # Chromium reports the 422 of a form that was sent back
    helen.look("task-errors")
    page.get_by_label("Number of workplaces").fill("140")
    page.get_by_label("E-mail of your administrator").fill("it@greyfriars.example")
    mark_page(oskar.page)
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#live")).to_contain_text("Nothing for you to do right now")
    expect(step(oskar.page, "describe_environment")).to_contain_text("Done")
    expect(step(oskar.page, "create_workspace")).to_contain_text("Done")
    assert is_marked(oskar.page), "the partner's page was loaded anew"
    oskar.look("plan-live")
    page.get_by_role("link", name="All steps").click()
    helen.look("steps")
    page.get_by_role("link", name="Tell us about your workplaces").click()
    expect(page.get_by_text("The office in Bath moves in March.")).to_be_visible()
    helen.look("task-sent")
    page.get_by_role("link", name="Back to the overview").click()


def holds_the_kickoff(oskar, helen):
    """The partner completes a step; the customer's open page shows at once what is theirs now."""
    mark_page(helen.page)
    kickoff = step(oskar.page, "kickoff")
    kickoff.get_by_text("Complete").first.click()
    kickoff.get_by_role("button", name="Complete").click()
    expect(oskar.page.get_by_role("alert")).to_be_focused()
    oskar.said.clear()  # Chromium reports the 422 of a form that was sent back
    oskar.look("plan-errors")
    kickoff.get_by_label("Held on").fill("2026-11-20")
    kickoff.get_by_label("Notes or recording").fill("Minutes are in the project folder.")
    kickoff.get_by_role("button", name="Complete").click()
    expect(step(oskar.page, "kickoff")).to_contain_text("Done")
    expect(helen.page.locator("#live")).to_contain_text("Confirm goals and plan")
    assert is_marked(helen.page), "the customer's page was loaded anew"
    helen.look("status-live")
    for view in ("gates", "exceptions", "trail"):
        oskar.page.goto(f"{oskar.page.url.partition('?')[0]}?view={view}")
        oskar.look(view)
    oskar.page.get_by_role("link", name="Deal to first value").click()
    oskar.look("trace", keys=("trace_id",))
    oskar.page.get_by_role("link", name="Customers").click()
    oskar.look("customers")


def reads_kept_mail(oskar):
    """The mail in its frame; its link opens beside it."""
    page = oskar.page
    page.get_by_role("link", name="Mails").click()
    oskar.look("sandbox-mails")
    page.get_by_role("row").nth(1).get_by_role("link").click()
    mail = page.frame_locator("iframe")
    expect(mail.get_by_text("Hello Robin Sample")).to_be_visible()
    expect(page.get_by_text("private window")).to_have_count(0)  # made-up staff have nothing to sign in to
    oskar.look("sandbox-mail")
    with page.expect_popup() as opened:
        mail.get_by_role("link").first.click()
    expect(opened.value.get_by_text("Sample Works Ltd")).to_be_visible()


def leaves(helen):
    """Signed out is signed out: the page leads to the sign-in and the old link opens nothing."""
    page, old = helen.page, link_of(helen.mails("Tell us about your workplaces")[0])
    status = page.url
    page.locator("summary", has_text="Helen Marsh").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(status)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(old)
    expect(page.get_by_text("has been used")).to_be_visible()
    helen.said.clear()  # Chromium reports the 404 of a link that was used
    helen.look("link-used")


def step(page, key):
    """A step's line in the plan."""
    return page.locator(f'[id="task.{key}"]')


def mark_page(page):
    """A mark that is lost when the page is loaded anew."""
    page.evaluate("() => { window.marked = true }")


def is_marked(page):
    return page.evaluate("() => window.marked === true")
