"""How people come in: they ask for a link or get one by mail, open it, press the button."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from app.demo.journey.browser import Browser, JourneyFailed, wait_for
from app.notifications.mail_folder import MailFolder, StoredMail


class Inbox:
    """The mails that have come since the journey began; each file is read once, since reading all takes seconds."""

    def __init__(self, folder: Path) -> None:
        self._place = folder
        self._folder = MailFolder(folder)
        self._known: dict[str, StoredMail | None] = dict.fromkeys(self._ids())

    def messages(self, email: str) -> list[StoredMail]:
        """Mails to this address, the newest first."""
        for mail_id in self._ids():
            if mail_id not in self._known:
                self._known[mail_id] = self._folder.find(mail_id)
        found = [mail for _id, mail in sorted(self._known.items(), reverse=True) if mail is not None]
        return [mail for mail in found if email in mail.recipients]

    def _ids(self) -> list[str]:
        return [path.stem for path in self._place.glob("[!.]*.eml")]


def sign_in(browser: Browser, inbox: Inbox, email: str) -> None:
    """Ask for a link on the sign-in page and use it."""
    seen = {mail.id for mail in inbox.messages(email)}
    asked = browser.get("/sign-in")
    browser.submit(asked.form("/sign-in"), {"email": email})

    def look() -> StoredMail | None:
        fresh = (mail for mail in inbox.messages(email) if mail.id not in seen)
        return next((mail for mail in fresh if _has_link(mail)), None)

    confirm(browser, link_of(wait_for(f"a sign-in mail to {email}", look), "/sign-in/"))


def confirm(browser: Browser, link: str) -> None:
    """Open a mailed link and press its button: only that uses it up."""
    opened = browser.get(urlsplit(link).path)
    browser.submit(opened.form("/sign-in/"), {})


def wait_for_mail(inbox: Inbox, email: str, words: str) -> StoredMail:
    """The newest mail to this person that holds these words in its subject or text."""

    def look() -> StoredMail | None:
        return next((mail for mail in inbox.messages(email) if words in mail.subject + mail.text), None)

    return wait_for(f"a mail to {email} about {words!r}", look)


def link_of(mail: StoredMail, part: str) -> str:
    """The first link of a mail that holds these letters. Raises JourneyFailed."""
    for link in mail.links:
        if part in link:
            return link
    raise JourneyFailed(f"a link with {part} in the mail {mail.subject!r}", mail.links)


def _has_link(mail: StoredMail) -> bool:
    return any("/sign-in/" in link for link in mail.links)
