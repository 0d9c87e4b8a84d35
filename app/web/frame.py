"""What stands around every page: the brand as a page sees it, who is reading, where they can go. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """A named way to go. `icon` is a name in the sprite."""

    name: str
    path: str
    icon: str = "arrow-right"


@dataclass(frozen=True, slots=True)
class HelpContact:
    """The person whom a reader can ask."""

    name: str
    email: str
    role: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Legal:
    """Who stands behind a brand: legal name, postal address in one line, and the links of the footer."""

    name: str = ""
    address: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class MailColours:
    """What a mail is painted with, in one appearance: page, card, lines, text, quiet text, button."""

    surface: str
    raised: str
    line: str
    ink: str
    muted: str
    accent: str
    on_accent: str


@dataclass(frozen=True, slots=True)
class BrandView:
    """A brand as pages and mails need it; `version` addresses the stylesheet.

    Colours, `radius` (px) and `origin` (scheme, host and port, as the installation is reached) are for mail, which has
    neither a stylesheet nor a page it stands on.
    """

    name: str
    version: str
    light: MailColours
    dark: MailColours
    radius: int
    origin: str = ""
    help: HelpContact | None = None
    legal_name: str = ""
    address: str = ""
    links: tuple[Link, ...] = ()

    @property
    def stylesheet(self) -> str:
        """The one address of this brand's custom properties."""
        return f"/brand/{self.version}.css"

    @property
    def favicon(self) -> str:
        """The mark for browser tabs."""
        return f"/brand/{self.version}.svg"


@dataclass(frozen=True, slots=True)
class Chrome:
    """Around one page: its own path, the reader, the navigation, where `Ctrl K` can jump, and the form token."""

    path: str = "/"
    person: str = ""
    role: str = ""
    csrf: str = ""
    nav: tuple[Link, ...] = ()
    jumps: tuple[Link, ...] = ()
    sign_out: str = ""
    theme: str = ""
    notice: str = ""
