"""What jobs that make links ask for, and doors too: under which host somebody is reached, and where mail is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from app.notifications.mail_folder import MailFolder
from app.partners.queries import SiteDirectory
from app.web.security import Front
from tenants.engines import Databases


class Reached(Protocol):
    """The settings that links need; `app.settings.Settings` has them."""

    @property
    def public_url(self) -> str:
        """scheme://host[:port] under which people reach the platform."""

    @property
    def inbox(self) -> Path | None:
        """The folder of the demo's mail sink, if its page is wanted."""


def link_services(databases: Databases, settings: Reached) -> dict[type, object]:
    """What every program of the product asks the Runtime for by type where it makes links."""
    inbox = f"{settings.public_url}/inbox" if settings.inbox else ""
    folder: dict[type, object] = {MailFolder: MailFolder(settings.inbox)} if settings.inbox else {}
    return {
        Front: Front.of(settings.public_url, databases.key.id, inbox=inbox),
        SiteDirectory: SiteDirectory(databases),
        **folder,
    }
