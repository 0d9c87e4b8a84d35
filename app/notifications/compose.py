"""One mail from its parts: text, HTML and the headers that a good sender writes. Sends nothing, translates nothing.

Zero-leak (DESIGN 11): every header names the sending brand's host or nothing; no program announces itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from app.kernel.errors import Invalid

LONGEST_SUBJECT: Final = 200  # characters; longer ones are cut by every reader
LONGEST_ADDRESS: Final = 254  # characters, RFC 5321
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


class AddressUnusable(Invalid):
    """A mail address that no mail can be sent to or from."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and an address. The name is shown as it is, without line breaks or direction marks."""

    email: str
    name: str = ""

    def header(self) -> Address:
        """The same for a header; a host with letters beyond ASCII in its IDNA form. Raises AddressUnusable."""
        local, at, host = self.email.strip().rpartition("@")
        try:
            ascii_host = host.encode("idna").decode().lower()
            local.encode("ascii")
        except UnicodeError:
            raise AddressUnusable(f"The address {_shown(self.email)!r} cannot receive mail. Use another one.") from None
        fits = at and len(self.email) <= LONGEST_ADDRESS and _HOST.fullmatch(ascii_host)
        if not fits or not local or _UNSEEN.search(local) or set(local) & set(' "(),:;<>@[\\]'):
            raise AddressUnusable(f"The address {_shown(self.email)!r} cannot receive mail. Use another one.")
        return Address(display_name=_UNSEEN.sub(" ", self.name).strip(), username=local, domain=ascii_host)


@dataclass(frozen=True, slots=True)
class Mail:
    """What is said, to whom, by whom. `id` is the message's id, so that a mail sent again is known as the same one."""

    id: UUID
    sender: Mailbox
    recipient: Mailbox
    subject: str
    text: str
    html: str
    locale: str = "en"
    reply_to: Mailbox | None = None


def compose(mail: Mail, now: datetime) -> EmailMessage:
    """The mail as it travels. `now` is its Date (aware). Raises AddressUnusable."""
    message = EmailMessage(policy=SMTP)
    sender = mail.sender.header()
    message["From"] = sender
    message["To"] = mail.recipient.header()
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to.header()
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id(mail.id, sender.domain)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers, please
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    message.set_content(mail.text, subtype="plain", charset="utf-8", cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", charset="utf-8", cte="quoted-printable")
    message["Content-Language"] = one_line(mail.locale)  # after the content, which clears headers of this kind
    _name_boundary(message, mail.id)
    return message


def message_id(mail_id: UUID, host: str) -> str:
    """The Message-ID of a message of ours: the same each time it is sent."""
    return f"<{mail_id}@{host}>"


def one_line(text: str) -> str:
    """Text for a header: no line breaks and no control characters, so that it cannot begin another header; cut."""
    flat = _UNSEEN.sub(" ", text).strip()
    return flat if len(flat) <= LONGEST_SUBJECT else flat[: LONGEST_SUBJECT - 1].rstrip() + "…"


def _name_boundary(message: EmailMessage, mail_id: UUID) -> None:
    """Python's own boundary has a shape of its own and changes with each try: ours makes a mail sent again equal."""
    message.set_boundary(f"part-{mail_id.hex}")


def _shown(email: str) -> str:
    return one_line(email)[:80]
