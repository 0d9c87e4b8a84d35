"""The same fleet with its people in Chromium: they decide conflicts, agree, stop and take back on the pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.onboarding.upgrades.records import find_upgrade
from app.onboarding.upgrades.rules import Upgrade
from app.templates.merging import Own
from tests.chromium import chromium
from tests.factories.api import API
from tests.factories.installation import Installation, Partner
from tests.integration.onboarding.upgrades.chain import MAP, Edition
from tests.integration.onboarding.upgrades.fleet import Fleet
from tests.look.browser import launch

PATIENCE = 60_000  # milliseconds; the pages show hundreds of onboardings on a machine that does other things


@contextmanager
def fleet_with_pages(
    installation: Installation, folder: Path, redis_url: str, old: Edition, *, tenants: int, each: int
) -> Iterator[FleetOnPages]:
    """A fleet whose partner has a host, and two people in front of it."""
    program, api = chromium(), API(installation, folder, redis_url)
    installation.runtime = api.runtime
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright, program)
            yield FleetOnPages(api, browser, old, tenants=tenants, each=each)
            browser.close()
    finally:
        api.close()


class FleetOnPages(Fleet):
    """What `Fleet` does through operations, done by Ada and Lena with mouse and keyboard."""

    def __init__(self, api: API, browser: Browser, old: Edition, *, tenants: int, each: int) -> None:
        home = api.installation.tenant(api.doors.northwind, "Northwind", kind="home")
        partner = Partner(api.doors.northwind, home)
        super().__init__(api.installation, old, tenants=tenants, each=each, partner=partner)
        self.ada_s, self.lena_s = (self._enter(api, browser, name) for name in ("ada", "lena"))

    def _enter(self, api: API, browser: Browser, name: str) -> Page:
        """A browser in which this person has signed in."""
        asks = api.doors.browser()
        context = browser.new_context(base_url=f"http://{asks.host}:{asks.port}", locale="en-GB")
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        page = context.new_page()
        page.goto(api.doors.ask_for_link(asks, f"{name}@northwind.example").path)
        page.get_by_role("button", name="Yes, sign me in").click()
        page.wait_for_url("**/")
        return page

    def _upgrade(self, edition: Edition, top: str) -> None:
        """Ada opens the merge view, looks at each question, answers it, looks at what comes of it, and publishes."""
        page, line = self.ada_s, f"/templates/lines/{edition.below.id}"
        page.goto(line)
        page.locator(f"a[href$='{top.removeprefix('sha256:')}']").click()
        answers = edition.decided[edition.own.id]
        expect(page.get_by_text(f"{len(answers)} places wait for your decision.")).to_be_visible()
        for path, answer in answers.items():
            question = page.get_by_role("group").filter(has=page.get_by_text(path, exact=True))
            if isinstance(answer, Own):
                question.get_by_label("Something else, as it stands in a template").fill(str(answer.value))
            else:
                question.get_by_label({"ours": "Keep mine", "theirs": "Take the other version's"}[answer]).check()
        page.get_by_role("button", name="Look at what comes of it").click()
        expect(page.get_by_text("Nothing is open.")).to_be_visible()
        page.get_by_role("button", name="Publish and offer").click()
        expect(page.get_by_text("Published. New onboardings get it within seconds")).to_be_visible()
        self.run()
        assert self.offered(edition.below.id) == edition.effective.digest

    def ask(self, new: Edition, *, versions: tuple[str, ...] = ()) -> Upgrade:
        """Ada asks for the dry run, with the map of what was renamed and left out."""
        page = self.ada_s
        page.goto(f"/upgrades?template={new.below.id}")
        for version in versions:
            page.get_by_label(version, exact=True).check()
        page.get_by_label("To version").select_option(value=new.below.digest)
        page.get_by_label("Reason").fill("It is better.")
        page.get_by_text("Steps that were renamed or left out").click()
        page.get_by_label("Map").fill(msgspec.json.encode(MAP).decode())
        page.get_by_role("button", name="Begin the dry run").click()
        expect(page.get_by_role("heading", name="The dry run is under way")).to_be_visible()
        with self.installation.work(self.partner.home, self.ada) as work:
            return find_upgrade(work.session, UUID(page.url.rpartition("/")[2]))

    def decide(self, upgrade: Upgrade, actor: Any = None, **said: Any) -> Upgrade:
        """Lena looks at it and agrees; stops it when a few workspaces are met, and lets it go on."""
        page = self.lena_s
        page.goto(f"/upgrades/{upgrade.id}")
        page.get_by_role("button", name="Agree, and upgrade them").click()
        self.meet_some(3)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()
        self.run()
        stopped, lines = self.read(upgrade)
        assert stopped.stopped
        assert 0 < sum(line.applied == "done" for line in lines.values()) < len(lines) / 2
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        return stopped

    def take_one_back(self, upgrade: Upgrade, onboarding: UUID) -> Upgrade:
        """Ada finds it among those that are done, and takes it back."""
        page = self.ada_s
        page.goto(f"/upgrades/{upgrade.id}?word=done")
        line = page.get_by_role("row").filter(has=page.locator(f"a[href*='{onboarding}']"))
        while not line.count():
            page.get_by_role("link", name="Next page").click()
        line.locator("summary").click()
        line.get_by_label("Reason").fill("They are not ready.")
        line.get_by_role("button", name="Take this one back").click()
        expect(page.get_by_text("They are not ready.")).to_be_visible()
        return upgrade

    def take_back(self, upgrade: Upgrade, actor: Any = None, **said: Any) -> Upgrade:
        """Ada wants all of it undone."""
        page = self.ada_s
        page.goto(f"/upgrades/{upgrade.id}")
        form = page.locator("form", has=page.get_by_role("button", name="Take all of them back"))
        form.get_by_label("Reason").fill("It confuses people.")
        form.get_by_role("button", name="Take all of them back").click()
        expect(page.get_by_text("It confuses people.")).to_be_visible()
        return upgrade

    def meet_some(self, workspaces: int) -> None:
        """The jobs of so many workspaces, and no more."""
        for item in self.installation.take(window=workspaces):
            self.installation.run_one(item)
