"""A template in Chromium: written, reviewed, found by another partner, adapted, run, taken to its second version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.chromium import chromium
from tests.factories.web import PLATFORM, Portals
from tests.integration.onboarding.upgrades.comparing import lost
from tests.journeys.reader import PICTURES, Reader
from tests.look.browser import launch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
expect.set_options(timeout=15_000)
Enter = Callable[..., Reader]
DANA = "dana.weber@northwind.example"  # writes and publishes
OLIVIA = "olivia.hart@slipway.example"  # reviews for the operator
KATRIN = "katrin.behrens@harbor.example"  # leads the other partner
MALTE = "malte.hansen@harbor.example"  # leads its onboardings
# Where a template is written, its own short names and the first word of the language stand before people.
OWN = (
    "Onboarding lead",
    "business_days",
    "new_task",
)  # what the template calls somebody, as we do, and what its source says
SOURCE: dict[str, Any] = {
    "keys": ("custmer_owner", "customer_owner", "onboarding_lead", "cs_leader", *OWN),
    "knows": (PLATFORM,),
}
LINE = "/templates/lines/first-month"
ADAPTED = """
  title: {en: "Your first month with Harbor"}
  stages:
    - id: preparation
      milestones:
        - id: known
          tasks:
            - id: describe
              title: {en: "Tell Harbor about your team"}
              due: {business_days: 4}
    - id: delivery
      title: {en: "Rollout at your site"}
"""


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
        readers[-1].sign_in()
        return readers[-1]

    yield come_in
    for reader in readers:
        reader.close()


class TestATemplate:
    def test_goes_from_its_author_to_another_partner_and_on_to_its_second_version(self, portals, enter):
        portals.reviews()
        dana, olivia = enter("northwind", DANA), enter(PLATFORM, OLIVIA, knows=("northwind",))
        writes(dana)
        mends_a_slip(dana)
        walks_it_through(dana)
        publishes(dana, "The first month", "1.0.0")
        offers(dana, "How we run the first month.")
        approves(olivia, "The first month 1.0.0")
        katrin = enter("harbor", KATRIN, knows=("northwind",), language="de")
        installs(katrin)
        adapts(katrin)
        portals.leads_to("harbor", "first-month")
        live = [portals.sell("harbor", "alpenglas"), portals.sell("harbor", "voss")]
        malte = enter("harbor", MALTE, language="de")
        begins(malte, live[0])
        raises_the_version(dana)
        offers(dana, "People instead of a team, and a day more; somebody checks the access.")
        approves(olivia, "The first month 1.1.0")
        updates(katrin)
        merges(katrin)
        asks_for_a_dry_run(malte)
        agrees(katrin, portals, live)
        takes_one_back(katrin, portals, live)


def writes(dana):
    """From the small template that works: what it is for, and the title of a step, by their forms."""
    page = dana.page
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("link", name="Write a template").click()
    pictured(dana, "begin")
    page.get_by_role("button", name="Begin with it").click()
    opens(page, "Our onboarding", "Template")
    page.get_by_label("Description").fill("A team begins within a month: a form, a set-up, and the first real use.")
    page.get_by_role("button", name="Apply").click()
    opens(page, "Tell us how you work today", "Task")
    page.get_by_label("Title").fill("Tell us about your team")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_label("Source", exact=True)).to_have_value(re.compile('title: {en: "Tell us about your team"}'))


def mends_a_slip(dana):
    """What is wrong with the source stands under it while it is typed, with its place; a key saves it."""
    page, source = dana.page, dana.page.get_by_label("Source", exact=True)
    text = (
        source.input_value()
        .replace("id: my-template ", "id: first-month ")
        .replace("Our onboarding", "The first month")
    )
    source.fill(text.replace("owner: customer_owner\n            due", "owner: custmer_owner\n            due"))
    found = page.locator("#checked").get_by_role("listitem").filter(has_text="There is no role “custmer_owner”.")
    expect(found).to_contain_text("Did you mean “customer_owner”?")
    dana.look("studio-slip", **SOURCE)
    found.get_by_role("button", name="Line ").click()
    page.keyboard.press("End")
    for _letter in "mer_owner":
        page.keyboard.press("Backspace")
    page.keyboard.type("omer_owner")
    expect(page.locator("#checked")).to_contain_text("Nothing is wrong")
    expect(source).to_have_value(re.compile("owner: customer_owner\n            due"))
    page.keyboard.press("Control+s")
    expect(page.locator("#unsaved")).to_have_text("Saved")
    expect(page.get_by_role("heading", name="The first month")).to_be_visible()
    pictured(dana, "studio", **SOURCE)


def opens(page, name, kind):
    """The form of an element of the structure."""
    page.locator("#structure").get_by_role("button", name=name).click()
    expect(page.locator("#element").get_by_role("heading", name=kind, exact=True)).to_be_visible()
    expect(page.get_by_label("Title")).to_have_value(name)


def walks_it_through(dana):
    page = dana.page
    page.get_by_role("link", name="Walk it through").click()
    page.get_by_role("button", name="Walk it through").click()
    expect(page.get_by_text("No dead ends")).to_be_visible(timeout=60_000)  # a walk may take 20 seconds
    pictured(dana, "walked")
    page.get_by_role("link", name="Write", exact=True).click()


def publishes(dana, title, version):
    """It stands in the list without being asked for again."""
    page = dana.page
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Published. It stands in this list within seconds.")).to_be_visible()
    published(page, title, version).click()


def offers(dana, changelog):
    page = dana.page
    page.get_by_role("link", name="Offer this").click()
    page.get_by_label("Who may find it?").select_option(label="Everybody, after a review")
    page.get_by_label("What is in this version?").fill(changelog)
    pictured(dana, "offer")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("The automatic checks run now")).to_be_visible()
    comes(page.get_by_text("Waits for its review"))
    pictured(dana, "offers")


def approves(olivia, title):
    """The operator's person looks at exactly this file, and signs for it."""
    page = olivia.page
    page.goto("/marketplace/reviews")
    pictured(olivia, "reviews")
    page.get_by_role("row", name=title.rpartition(" ")[2]).get_by_role("link").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    pictured(olivia, "review", keys=OWN)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Its publisher sees it within seconds.")).to_be_visible()


def installs(katrin):
    """Found by its words with the keyboard alone, looked at as it would be for the own customers, and taken."""
    page = katrin.page
    page.get_by_role("link", name="Marktplatz").click()
    page.get_by_label("Wörter").fill("first month")
    page.keyboard.press("Enter")
    card = page.get_by_role("listitem").filter(has_text="The first month")
    expect(card).to_contain_text("Northwind Managed Services")
    pictured(katrin, "market")
    card.get_by_role("link").click()
    expect(page.get_by_text("Tell us about your team")).to_be_visible()
    katrin.look("listing", keys=OWN)
    page.get_by_role("button", name="Installieren").click()
    expect(page.get_by_text("Installiert. Sie steht in wenigen Sekunden unter Ihren Vorlagen")).to_be_visible()


def adapts(katrin):
    """Their own words and one date upon it; what is wrong with them would stand beside them."""
    page = katrin.page
    page.get_by_role("link", name="Vorlagen", exact=True).click()
    published(page, "The first month").click()
    page.get_by_role("button", name="Diese anpassen").click()
    source = page.get_by_label("Quelltext", exact=True)
    text = source.input_value()
    source.fill(text[: text.index("patch:")] + "patch:" + ADAPTED)
    expect(page.locator("#checked")).to_contain_text("Alles in Ordnung")
    pictured(katrin, "adaptation", **SOURCE)
    page.get_by_role("button", name="Veröffentlichen").click()
    comes(page.get_by_role("cell", name="Your first month with Harbor"))
    pictured(katrin, "templates")


def begins(malte, started):
    """A customer's onboarding runs on it, and says so in the partner's own words."""
    page = malte.page
    page.goto(started.path)
    expect(page.get_by_text("Tell Harbor about your team", exact=True)).to_be_visible()
    page.goto(f"{started.path}/gates/gate.handoff")
    outcome = page.locator("#packet-outcome")
    outcome.locator("summary").click()
    outcome.get_by_role("textbox").fill("Everybody works with it.")
    outcome.get_by_role("button", name="Speichern").click()
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.locator('[id="task.describe"]')).to_contain_text("Offen")
    malte.look("running", keys=OWN)


def raises_the_version(dana):
    page = dana.page
    page.goto("/templates")
    published(page, "The first month").click()
    page.get_by_role("button", name="New version of this one").click()
    opens(page, "Tell us about your team", "Task")
    page.get_by_label("Title").fill("Tell us about your people")
    page.locator('[name="of.due"]').fill("3")
    page.get_by_role("button", name="Apply").click()
    source = page.get_by_label("Source", exact=True)
    expect(source).to_have_value(re.compile("business_days: 3}\n            fields"))
    opens(page, "We know what to set up", "Milestone")
    page.locator("#element").get_by_role("button", name="Task").click()
    expect(page.get_by_role("heading", name="Task", exact=True)).to_be_visible()
    page.get_by_label("Title").fill("Check the access")
    page.get_by_role("button", name="Apply").click()
    pictured(dana, "studio-second", **SOURCE)
    publishes(dana, "The first month", "1.1.0")


def updates(katrin):
    page = katrin.page
    page.goto("/marketplace?q=first+month")
    expect(page.get_by_text("Neue Version: Sie haben 1.0.0")).to_be_visible()
    page.get_by_role("link", name="The first month").click()
    page.get_by_role("button", name="Neue Version installieren").click()
    expect(page.get_by_text("Installiert. Sie steht in wenigen Sekunden")).to_be_visible()


def merges(katrin):
    """Two places with their three sides: one is taken from the other version, one is neither's."""
    page = katrin.page
    page.goto(LINE)
    comes(page.get_by_text("Version 1.1.0"))
    pictured(katrin, "line")
    page.get_by_role("link", name="Ihre Anpassung dorthin mitnehmen").click()
    expect(page.get_by_text("2 Stellen warten auf Ihre Entscheidung.")).to_be_visible()
    title, due = conflict(page, "describe.title.en"), conflict(page, "due.business_days")
    for side in ("Tell us about your team", "Tell us about your people", "Tell Harbor about your team"):
        expect(title).to_contain_text(side)
    katrin.look("merge", keys=OWN)
    due.get_by_label("Die der anderen Version nehmen").check()
    title.get_by_label("Etwas anderes, so wie es in einer Vorlage steht").fill("Tell Harbor about your people")
    page.get_by_role("button", name="Ergebnis ansehen").click()
    expect(page.get_by_text("Nichts ist offen.")).to_be_visible()
    result = page.locator("section", has=page.get_by_role("heading", name="Was neue Onboardings erhalten"))
    expect(result).to_contain_text("Check the access")
    expect(result).to_contain_text("Tell Harbor about your people")
    pictured(katrin, "merged", keys=OWN)
    page.get_by_role("button", name="Veröffentlichen und anbieten").click()
    expect(page.get_by_text("Veröffentlicht. Neue Onboardings erhalten es")).to_be_visible()


def pictured(reader, name, **more):
    """Looked at where pictures are wanted; otherwise the gallery looks at a page of its kind, in every brand."""
    if PICTURES:
        reader.look(name, **more)


def conflict(page, words):
    """One question of the merge view."""
    return page.get_by_role("group").filter(has_text=words)


def asks_for_a_dry_run(malte):
    """Who runs it, what an upgrade would do to them, and nothing done yet."""
    page = malte.page
    page.goto("/upgrades?template=first-month")
    pictured(malte, "runs")
    page.get_by_label("Auf Version").select_option(label="The first month 1.1.0")
    page.get_by_label("Grund").fill("Der Zugang wird geprüft.")
    page.get_by_role("button", name="Probelauf beginnen").click()
    expect(page.get_by_text("Wartet auf eine zweite Person")).to_be_visible()
    pictured(malte, "dry-run")


def agrees(katrin, portals, live):
    """The second person: what is done to each is what was shown, and nothing of it is lost."""
    page, before = katrin.page, states(portals, live)
    page.goto("/upgrades")
    page.get_by_role("link", name="1.1.0").click()
    shown = effects(page)
    assert shown == ["8 laufen weiter wie bisher", "1 Schritt kommt dazu · 3 Termine verschieben sich"] * len(live)
    page.get_by_role("button", name="Zustimmen und umstellen").click()
    expect(page.get_by_role("heading", name="Erledigt")).to_be_visible()
    assert effects(page) == shown
    katrin.look("upgraded", keys=OWN)
    for was, now in zip(before, states(portals, live), strict=True):
        assert now.definition_digest != was.definition_digest
        assert "task.new_task" in now.snapshot["items"].keys() - was.snapshot["items"].keys()
        held = was.snapshot | {"exceptions": {}}  # what the engine itself opened is looked at anew with a version
        assert list(lost(held, now.snapshot, {})) == []


def takes_one_back(katrin, portals, live):
    """One goes back to exactly what it ran; its neighbour goes on."""
    page, before = katrin.page, states(portals, live)
    line = page.get_by_role("row").filter(has_text=live[1].sale.account)
    line.locator("summary").click()
    line.get_by_label("Grund").fill("Dort prüft ein anderer.")
    line.get_by_role("button", name="Dieses zurücknehmen").click()
    expect(line).to_contain_text("Zurückgezogen")
    pictured(katrin, "one-back", keys=OWN)
    stays, back = states(portals, live)
    assert stays == before[0]
    assert back.definition_digest == back.snapshot["migrations"][0]["before"] != before[1].definition_digest
    assert "task.new_task" not in back.snapshot["items"]


def states(portals, live):
    """The onboardings as they are stored."""
    query = "SELECT definition_digest, snapshot FROM {}.onboarding"
    return [portals.installation.rows(each.tenant, query)[0] for each in live]


def effects(page):
    """What an upgrade says that it changes, onboarding by onboarding."""
    return page.locator("td[data-label='Was sich ändert'] > span").all_inner_texts()


def published(page, title, version="1.0.0"):
    """The way to a published template, as soon as that version is on offer: before, it waits in the row of the old."""
    on_offer = page.get_by_role("link", name=version, exact=True)
    line = page.get_by_role("table").first.get_by_role("row").filter(has=on_offer)
    return comes(line.get_by_role("link", name=title, exact=True))


def comes(place):
    """What follows within seconds stands there when the page is looked at again."""
    for _look in range(40):
        if place.count():
            return place.first
        place.page.wait_for_timeout(200)
        place.page.reload()
    raise AssertionError(f"{place} does not come")
