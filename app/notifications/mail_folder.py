"""Reads and stores the mail that the local sink took: one file a mail. For the demo, sandbox tenants and tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path
from typing import Final, TypeVar

from app.kernel.ids import new_id

KEPT: Final = 500  # mails; the oldest make room
_URL: Final = re.compile(r"https?://[^\s<>\"')\]]+")
# What the standard parser raises on mail that was broken on purpose.
_BROKEN: Final = (ValueError, LookupError, TypeError, AttributeError, AssertionError)
_NAME: Final = re.compile(r"[0-9a-f-]{36}\.eml")

Value = TypeVar("Value")
Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One mail as a reader sees it. `id` is the sink's own and sorts by arrival; `recipients` are the envelope's."""

    id: str
    message_id: str
    sender: str
    to: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    links: tuple[str, ...]
    headers: Headers


class MailFolder:
    """A folder of mails. Several programs may read it while one writes: a file appears whole or not at all."""

    def __init__(self, folder: Path, *, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def store(self, content: bytes, recipients: list[str]) -> str:
        """Keep one mail with its envelope's recipients; the oldest beyond the bound go. Returns its id."""
        mail_id = str(new_id())
        delivered = "".join(f"Delivered-To: {address}\r\n" for address in recipients).encode()
        waiting = self._folder / f".{mail_id}"
        waiting.write_bytes(delivered + content)
        waiting.replace(self._folder / f"{mail_id}.eml")
        for old in self._names()[self._kept :]:
            with suppress(FileNotFoundError):
                (self._folder / old).unlink()
        return mail_id

    def messages(self, *, to: str | None = None) -> list[StoredMail]:
        """Every mail, the newest first; `to` keeps those that were delivered to this address."""
        found = [mail for name in self._names() if (mail := self._read(name))]
        wanted = None if to is None else to.casefold()
        return [mail for mail in found if wanted is None or wanted in {one.casefold() for one in mail.recipients}]

    def find(self, mail_id: str) -> StoredMail | None:
        """One mail by its id, or None: gone, or never here."""
        name = f"{mail_id}.eml"
        return self._read(name) if _NAME.fullmatch(name) else None

    def clear(self) -> None:
        """Forget every mail."""
        for name in self._names():
            with suppress(FileNotFoundError):
                (self._folder / name).unlink()

    def _names(self) -> list[str]:
        return sorted((path.name for path in self._folder.iterdir() if _NAME.fullmatch(path.name)), reverse=True)

    def _read(self, name: str) -> StoredMail | None:
        try:
            content = (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return read_mail(name.removesuffix(".eml"), content)


def read_mail(mail_id: str, content: bytes) -> StoredMail:
    """A mail from its bytes. Never raises: what is broken in it reads as empty."""
    message = message_from_bytes(content, _class=EmailMessage, policy=default)
    text, html = _body(message, "plain"), _body(message, "html")
    headers: Headers = _or_empty(lambda: tuple((name, str(value)) for name, value in message.items()), ())
    return StoredMail(
        id=mail_id,
        message_id=_header(message, "Message-ID"),
        sender=_header(message, "From"),
        to=_header(message, "To"),
        recipients=tuple(value for name, value in headers if name.lower() == "delivered-to"),
        subject=_header(message, "Subject"),
        text=text,
        html=html,
        links=find_links(text, html),
        headers=headers,
    )


def find_links(text: str, html: str) -> tuple[str, ...]:
    """The addresses a reader can click, each once: those of the HTML in its order, then those only in the text."""
    reader = _Links()
    reader.feed(html)
    reader.close()
    return tuple(dict.fromkeys([*reader.found, *(url.rstrip(".,;:!?") for url in _URL.findall(text))]))


def link_name(html: str, link: str) -> str:
    """The words under which a mail's HTML offers a link first, or nothing."""
    reader = _Links()
    reader.feed(html)
    reader.close()
    return " ".join(reader.names.get(link, "").split())


class _Links(HTMLParser):
    """The links of a mail in their order, and the words of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.names: dict[str, str] = {}
        self._named: str | None = None  # the link that the words now read belong to

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        links = [value for name, value in attrs if tag == "a" and name == "href" and value]
        self.found += links
        if tag == "a":
            self._named = next((link for link in links if link not in self.names), None)

    def handle_data(self, data: str) -> None:
        if self._named is not None:
            self.names[self._named] = self.names.get(self._named, "") + data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._named = None


def _header(message: EmailMessage, name: str) -> str:
    return _or_empty(lambda: str(message.get(name, "")).strip(), "")


def _body(message: EmailMessage, kind: str) -> str:
    def read() -> str:
        part = message.get_body((kind,))
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")

    return _or_empty(read, "")


def _or_empty(read: Callable[[], Value], empty: Value) -> Value:
    try:
        return read()
    except _BROKEN:
        return empty
