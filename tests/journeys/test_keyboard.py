"""Every page by the keyboard alone: Tab reaches all there is to use, in reading order, and one sees where one is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import chromium
from tests.look.brands import BRANDS
from tests.look.browser import launch
from tests.look.site import Shown, pages, serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PORTAL = [(page, number) for page, number in pages() if not page.startswith("emails/")]
_SHARE = 5  # one page of so many is walked over in each run; `make soak ONLY=by_the_keyboard` takes all
# Marks what a keyboard has to reach, folds opened; of a group of radio buttons one is enough, arrows do the rest. A
# menu of the frame opens as its reader would open it: once they are there.
_MARK = """async () => {
  await document.fonts.ready  // a page that still moves under the keys would seem to hide what was scrolled to
  document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex')
  document.querySelectorAll('details').forEach((fold) => { fold.open = true })
  const use = "a[href], button:enabled, input:enabled:not([type=hidden]), select:enabled, textarea:enabled, summary"
  const first = new Set()
  const wanted = [...document.querySelectorAll(use)].filter((e) => {
    if (!e.checkVisibility() || e.tabIndex < 0) return false
    if (e.type !== "radio") return true
    const group = `${e.form?.action} ${e.name}`
    const chosen = e.form?.querySelector(`input[type=radio][name="${CSS.escape(e.name)}"]:checked`)
    if (first.has(group) || (chosen && chosen !== e)) return false
    return Boolean(first.add(group))
  })
  const menus = [...document.querySelectorAll('header details')]
  const open = (e) => menus.forEach((menu) => { menu.open = menu.contains(e) })
  const visible = ({x, y, width, height}) => [[.5, .5], [.1, .5], [.9, .5], [.5, .1], [.5, .9]]
    .map(([right, down]) => document.elementFromPoint(x + right * width, y + down * height))
  open(null)
  window.walked = []
  document.addEventListener("focusin", ({target: e}) => {
    open(e)
    const seen = [...e.getClientRects()].flatMap(visible).filter(Boolean)
    const on = seen.some((top) => e.contains(top) || top.contains(e) || [...(e.labels ?? [])].includes(top))
    const styles = [e, ...e.children].map((each) => getComputedStyle(each))
    const drawn = styles.some((style) => style.outlineStyle !== "none" || style.boxShadow !== "none")
    window.walked.push({place: wanted.indexOf(e), on, drawn, what: e.outerHTML.slice(0, 160)})
  })
  return wanted.map((e) => e.outerHTML.slice(0, 160))
}"""
_IN_A_DATE = 4  # stops inside one date: day, month, year, calendar


class Look(NamedTuple):
    """How a page is walked over."""

    brand: str
    width: int


LOOKS = [Look(*each) for each in product(BRANDS, [1280, 360])]


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


def walk(tab: Page) -> list[str]:
    """What is wrong with the way of the focus over the page."""
    wanted = tab.evaluate(_MARK)
    inside = _IN_A_DATE * sum('type="date"' in each for each in wanted)
    # A frame is a stop, its links are, and so is each box in it that scrolls: more than are needed only go round again.
    inside += sum(4 + frame.locator("a[href]").count() for frame in tab.frames[1:])
    for _ in range(len(wanted) + inside + 2):
        tab.keyboard.press("Tab")
    stops = tab.evaluate("() => window.walked")
    round_trip = list(dict.fromkeys(stop["place"] for stop in stops if stop["place"] >= 0))
    said = [f"not reached: {wanted[place]}" for place in sorted(set(range(len(wanted))) - set(round_trip))]
    said += [f"out of order: {round_trip}"] if round_trip != sorted(round_trip) else []
    said += [f"nobody sees the focus on {stop['what']}" for stop in stops if not stop["drawn"]]
    return said + [f"hidden behind something: {stop['what']}" for stop in stops if not stop["on"]]


def walked_over(site: str, browser: Browser, look: Look, shown: list[tuple[str, int]]) -> None:
    context = browser.new_context(viewport={"width": look.width, "height": 800}, reduced_motion="reduce")
    tab = context.new_page()
    for page, number in shown:
        tab.goto(site + Shown(page, number, look.brand).path)
        assert walk(tab) == [], (page, number, look)
    context.close()


class TestEveryPage:
    def test_is_used_by_the_keyboard_alone(self, site, browser):
        """A share of the pages, chosen by the day: what fails today fails all day. The gallery has every component."""
        today = datetime.now(UTC).date().toordinal()
        some = [("web/gallery.html", 0), *PORTAL[today % _SHARE :: _SHARE]]
        walked_over(site, browser, LOOKS[today % len(LOOKS)], some)

    @pytest.mark.soak
    @pytest.mark.parametrize("look", LOOKS, ids=str)
    def test_is_used_by_the_keyboard_alone_in_every_look(self, site, browser, look):
        walked_over(site, browser, look, PORTAL)
