"""Renders a mail in a brand and the reader's language and hands it over. One place where words meet SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import structlog

from app.identity.mailer import Notice
from app.identity.rules import is_made_up
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.notifications.compose import AddressUnusable, Mail, Mailbox, compose
from app.notifications.smtp import MailServer, send
from app.web.frame import BrandView
from app.web.rendering import render
from app.web.translations import negotiate

log = structlog.get_logger(__name__)


class Addressee(Protocol):
    """Who reads the mail."""

    @property
    def email(self) -> str:
        """Where it goes."""

    @property
    def name(self) -> str:
        """How they are addressed."""

    @property
    def locale(self) -> str:
        """The language they read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail before it has words: which message, for whom, in which brand, from which facts."""

    id: UUID
    message: str  # a folder below frontend/emails
    reader: Addressee
    brand: BrandView
    facts: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class Postroom:
    """The way out for mail. `sender` is used where a brand has no host of its own to send from."""

    server: MailServer
    sender: str

    def post(self, draft: Draft) -> None:
        """Render and hand over. Raises MailNotTaken (try again), MailRefused and AddressUnusable (never).

        The last door before the mail server: what is for a made-up person of a sandbox does not pass it.
        """
        if is_made_up(draft.reader.email):
            raise AddressUnusable("Sandbox: not sent. This person is made up, and nobody has their mailbox.")
        locale, brand = negotiate(None, draft.reader.locale), _answering(draft.brand)
        subject, text, html = (written(draft, part) for part in ("subject.txt", "body.txt", "body.html"))
        mail = Mail(
            id=draft.id,
            sender=Mailbox(self._sender(brand), brand.name),
            recipient=Mailbox(draft.reader.email, draft.reader.name),
            subject=subject.strip(),
            text=text.strip() + "\n",
            html=html,
            locale=locale.language,
            reply_to=Mailbox(brand.help.email, brand.help.name) if brand.help else None,
        )
        send(self.server, compose(mail, draft.at))

    def send_sign_in_link(self, person: Addressee, url: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Mail the link that somebody asked for on the sign-in page; a made-up person's way in is in the sandbox."""
        if is_made_up(person.email):
            log.info("notifications.made_up_not_sent")
            return
        facts = {"link": url, "valid_for": valid_for}
        self.post(Draft(new_id(), "sign_in", person, brand, facts, world_time()))

    def send_code(self, person: Addressee, code: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Mail the code that proves who holds the mailbox; made-up people have none."""
        if not is_made_up(person.email):
            facts = {"code": f"{code[:4]} {code[4:]}", "valid_for": valid_for, "link": f"{brand.origin}/account"}
            self.post(Draft(new_id(), "step_up_code", person, brand, facts, world_time()))

    def send_notice(self, person: Addressee, notice: Notice, *, brand: BrandView) -> None:
        """Mail what has just changed in how the person signs in; made-up people have no mailbox."""
        if not is_made_up(person.email):
            facts = {"what": str(notice), "link": f"{brand.origin}/account"}
            self.post(Draft(new_id(), "way_in_changed", person, brand, facts, world_time()))

    def _sender(self, brand: BrandView) -> str:
        host = urlsplit(brand.origin).hostname if brand.origin else None
        return f"no-reply@{host}" if host else self.sender


def written(draft: Draft, part: str) -> str:
    """One part of a mail (subject.txt, body.txt, body.html) in its reader's language and its brand."""
    locale, context = negotiate(None, draft.reader.locale), {"name": draft.reader.name, **draft.facts}
    return render(f"emails/{draft.message}/{part}", context, locale=locale, brand_view=_answering(draft.brand))


def _answering(brand: BrandView) -> BrandView:
    """The brand with its contact only if answers can reach them: the mails invite to reply to whom it names."""
    if brand.help:
        try:
            Mailbox(brand.help.email).header()
        except AddressUnusable:
            return replace(brand, help=None)
    return brand
