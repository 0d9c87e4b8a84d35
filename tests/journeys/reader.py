"""A person in front of a browser: finds mail, signs in, and looks at each page as strictly as nobody else would."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from babel.messages.pofile import read_po
from playwright.sync_api import Browser, Page, Response

from app.notifications.mail_folder import StoredMail
from app.web.assets import FRONTEND
from app.web.translations import CATALOGUES
from tests.factories.web import PARTNERS, PLATFORM, Portals, until

AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 360)
# SLIPWAY_PICTURES=1 keeps a picture of every page that a journey looks at, in both widths and appearances.
PICTURES = Path(".slipway/look/journey") if os.environ.get("SLIPWAY_PICTURES") else None
_RAW_KEY = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b|\b(?:connectors|intake|onboarding|tenancy)\.[a-z_.]+")
_DATED = re.compile(r"[\w.+-]+@[\w.-]+")


def foreign_to(slug: str, knows: tuple[str, ...] = ()) -> list[str]:
    """What no page, header or mail of this brand may hold: the platform's name, and those whom nobody `knows` there."""
    return [other for other in (PLATFORM, *PARTNERS) if other not in {slug, *knows}]


def english_words() -> list[str]:
    """Every sentence of ours that reads differently in German."""
    with (CATALOGUES / "de" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        known = [
            str(message.id) for message in read_po(file, locale="de") if message.id and message.id != message.string
        ]
    return [text for text in known if len(text) > 8 and "%(" not in text]


@dataclass
class Reader:
    """One person with a browser context of their own."""

    portals: Portals
    browser: Browser
    slug: str
    email: str
    width: int = 1280
    language: str = "en"
    scripted: bool = True
    knows: tuple[str, ...] = ()  # whose names may stand before them: a marketplace says who offers
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(
            base_url=self.portals.origin(self.slug),
            viewport={"width": self.width, "height": 800},
            locale={"en": "en-GB", "de": "de-DE"}[self.language],
            reduced_motion="reduce",
            java_script_enabled=self.scripted,
        )
        self.context.set_default_timeout(10_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("response", self._read_headers)

    def close(self) -> None:
        """Leave; whatever the console said by then is a mistake."""
        self.context.close()
        assert self.said == []

    def mails(self, words: str = "") -> list[StoredMail]:
        """The person's mails that hold these words, the newest first."""
        return [mail for mail in self.portals.mail.messages(to=self.email) if words in mail.subject + mail.text]

    def open_mail(self, words: str) -> None:
        """Open the link of the newest mail that holds these words."""
        mail = until(f"a mail to {self.email} with {words!r}", lambda: next(iter(self.mails(words)), None))
        self.page.goto(link_of(mail))

    def sign_in(self, page: str = "/sign-in") -> None:
        """Ask for a link, find it in the mail, confirm it."""
        before = len(self._asked_for())
        self.page.goto(page)
        self.page.locator("input[type=email]").fill(self.email)
        self.page.locator("main button").click()
        until("the link", lambda: len(self._asked_for()) > before)
        self.page.goto(link_of(self._asked_for()[0]))
        self.confirm()

    def _asked_for(self) -> list[StoredMail]:
        """The mails with a link to sign in; letters about work have links, too, and arrive when they like."""
        return [*self.mails("Your link to "), *self.mails("Ihr Link zu ")]

    def confirm(self) -> None:
        """Press the button of the page that a mailed link opens."""
        self.page.locator("main button").click()

    def look(self, name: str, *, keys: tuple[str, ...] = (), knows: tuple[str, ...] = ()) -> None:
        """The page is accessible, quiet, in one brand and one language, without our own words for things.

        `keys` and `knows` are such words and names that stand on this page with good reason.
        """
        text = self.page.locator("body").inner_text()
        raw = set(_RAW_KEY.findall(_DATED.sub("", text))) - set(keys)
        assert raw == set(), f"{name} shows our own words: {raw}"
        held = self.page.content().lower()
        assert [word for word in foreign_to(self.slug, (*self.knows, *knows)) if word in held] == [], (
            f"{name} is not in one brand"
        )
        if self.language == "de":
            english = [words for words in english_words() if words in text and words not in keys]
            assert english == [], f"{name} is not in German: {english}"
        if self.scripted:
            assert self._violations() == [], name
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 800})
            if self.scripted:
                assert self._overflow() <= 0, f"{name} scrolls sideways at {width}"
            self._picture(name, width)
        self.page.set_viewport_size({"width": self.width, "height": 800})
        assert self.said == [], name

    def _picture(self, name: str, width: int) -> None:
        if PICTURES is None:
            return
        PICTURES.mkdir(parents=True, exist_ok=True)
        for theme in ("light", "dark"):
            self.page.emulate_media(color_scheme=theme)
            if self.scripted:
                assert self._violations() == [], f"{name} at {width}, {theme}"
            self.page.screenshot(path=PICTURES / f"{self.slug}-{name}-{width}-{theme}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")

    def _violations(self) -> list[str]:
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate(f"async () => (await axe.run(document, {{runOnly: {RULES}}})).violations")
        return [f"{v['id']}: {n['html'][:160]} {n.get('failureSummary', '')[:300]}" for v in found for n in v["nodes"]]

    def _overflow(self) -> int:
        return int(self.page.evaluate("() => document.documentElement.scrollWidth - innerWidth"))

    def _read_headers(self, response: Response) -> None:
        told = " ".join(f"{name}: {value}" for name, value in response.headers.items()).lower()
        self.said += [f"header of {response.url}: {word}" for word in foreign_to(self.slug, self.knows) if word in told]


def link_of(mail: StoredMail) -> str:
    """The link that a mail is about."""
    return next(link for link in mail.links if "/sign-in/" in urlsplit(link).path)
