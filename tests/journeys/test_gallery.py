"""Every page in a real browser under the strict policy: accessible, quiet, narrow enough, reachable by keyboard."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.web.assets import FRONTEND
from tests.chromium import chromium
from tests.look.brands import BRANDS
from tests.look.browser import launch
from tests.look.site import Shown, pages, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
GALLERY = Shown("web/gallery.html", 0, "northwind")
# Mail has neither policy nor stylesheet; mail programs decide there.
PORTAL = [(page, number) for page, number in pages() if not page.startswith("emails/")]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = chromium()
    with sync_playwright() as playwright:
        started = launch(playwright, program)
        yield started
        started.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return (FRONTEND / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def opened(browser: Browser, width: int, theme: Any) -> tuple[BrowserContext, Page, list[str]]:
    """A tab of its own, with everything its console says collected."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce")
    tab, said = context.new_page(), list[str]()
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    return context, tab, said


def violations(tab: Page, axe: str) -> list[str]:
    tab.evaluate(axe)
    found = tab.evaluate(f"async () => (await axe.run(document, {{runOnly: {RULES}}})).violations")
    return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:300]}" for v in found for n in v["nodes"]]


def overflow(tab: Page) -> int:
    """How many pixels the page is wider than its window."""
    return int(tab.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


class Look(NamedTuple):
    """How a page may be looked at: 24 ways in all."""

    brand: str
    language: str
    width: int
    theme: str


LOOKS = [Look(*each) for each in product(BRANDS, ["en", "de"], [1280, 360, 320], ["light", "dark"])]


def looked_at(site: str, browser: Browser, axe: str, look: Look, shown: list[tuple[str, int]]) -> None:
    """Each of these pages is accessible, says nothing to the console, and is no wider than its window."""
    context, tab, said = opened(browser, look.width, look.theme)
    for page, number in shown:
        tab.goto(site + Shown(page, number, look.brand, look.language).path)
        assert violations(tab, axe) == [], (page, number, look)
        assert overflow(tab) <= 0, (page, number, look)
        assert said == [], (page, number, look)
    context.close()


class TestEveryPage:
    @pytest.mark.parametrize("half", [0, 1])
    def test_is_accessible_quiet_and_never_scrolls_sideways(self, site, browser, axe, half):
        """Each page in one look, drawn by the day: what fails today fails all day, and every look has its turn.

        Of a page's further examples every second one is looked at, the others tomorrow; `make soak` takes all.
        """
        today, drawn = datetime.now(UTC).date().toordinal(), defaultdict[Look, list[tuple[str, int]]](list)
        for place, (page, number) in enumerate(PORTAL):
            if place // 2 % 2 == half and (number == 0 or (place + today) % 2):
                drawn[LOOKS[(7 * place + today) % len(LOOKS)]].append((page, number))
        for look, some in drawn.items():
            looked_at(site, browser, axe, look, some)

    @pytest.mark.soak
    @pytest.mark.parametrize("look", LOOKS, ids=str)
    def test_is_so_in_every_look(self, site, browser, axe, look):
        looked_at(site, browser, axe, look, PORTAL)


class TestGallery:
    @pytest.mark.parametrize("brand", BRANDS)
    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("width", [1280, 360])
    def test_is_accessible_in_every_brand_theme_and_width(self, site, browser, axe, brand, theme, width):
        context, tab, said = opened(browser, width, theme)
        tab.goto(site + Shown("web/gallery.html", 0, brand, "de").path)
        tab.evaluate("() => document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
        assert violations(tab, axe) == []
        tab.keyboard.press("Escape")
        tab.get_by_role("button", name="Dialog öffnen").click()
        assert violations(tab, axe) == []
        assert overflow(tab) <= 0
        assert said == []
        context.close()

    def test_keeps_touch_targets_large_enough(self, site, browser):
        context, tab, _ = opened(browser, 360, "light")
        tab.goto(site + GALLERY.path)
        small = tab.evaluate(
            """() => [...document.querySelectorAll('button, summary, .btn, input, select')]
            .filter((e) => e.checkVisibility() && e.type !== 'hidden' && e.getBoundingClientRect().height < 24)
            .map((e) => e.outerHTML.slice(0, 120))"""
        )
        assert small == []
        context.close()


class TestKeys:
    def test_question_mark_lists_the_shortcuts_but_not_while_typing(self, site, browser):
        context, tab, _ = opened(browser, 1280, "light")
        tab.goto(site + GALLERY.path)
        tab.locator("#company").press("?")
        assert not tab.locator("#shortcuts").is_visible()
        tab.locator("h1").click()
        tab.keyboard.press("?")
        assert tab.locator("#shortcuts").is_visible()
        tab.keyboard.press("Escape")
        assert not tab.locator("#shortcuts").is_visible()
        context.close()

    def test_control_k_narrows_and_jumps(self, site, browser):
        context, tab, _ = opened(browser, 1280, "light")
        tab.goto(site + GALLERY.path)
        tab.keyboard.press("Control+k")
        tab.keyboard.type("fabri")
        assert tab.locator("#jump-list li:visible").all_inner_texts() == ["Fabrikam"]
        with tab.expect_navigation(url="**/onboardings/**"):
            tab.keyboard.press("Enter")
        context.close()


class TestWithoutScript:
    def test_every_form_and_fold_is_still_there(self, site, browser):
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(site + Shown("onboarding/customer_task.html", 0, "northwind").path)
        assert tab.get_by_role("button", name="Send").is_visible()
        tab.goto(site + Shown("onboarding/partner_onboarding.html", 0, "northwind").path)
        tab.get_by_text("Show the figures").click()
        assert tab.get_by_role("table", name="Business time").is_visible()
        assert tab.get_by_role("button", name="Jump").count() == 0
        context.close()


class TestThemes:
    def test_the_reader_s_choice_wins_over_the_device(self, site, browser):
        context, tab, _ = opened(browser, 1280, "light")
        tab.goto(site + GALLERY.path)
        ground = "() => getComputedStyle(document.body).backgroundColor"
        light = tab.evaluate(ground)
        tab.evaluate("() => { document.documentElement.dataset.theme = 'dark' }")
        assert tab.evaluate(ground) != light
        context.close()
