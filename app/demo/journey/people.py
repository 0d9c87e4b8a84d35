"""How people come in: they ask for a link or get one by mail, open it, press the button."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.demo.journey.browser import Browser, JourneyFailed, wait_for
from app.notifications.mail_folder import MailFolder, StoredMail


def sign_in(browser: Browser, mails: MailFolder, email: str) -> None:
    """Ask for a link on the sign-in page and use it."""
    seen = {mail.id for mail in mails.messages(to=email)}
    asked = browser.get("/sign-in")
    browser.submit(asked.form("/sign-in"), {"email": email})
    mail = wait_for(f"a sign-in mail to {email}", lambda: _newest(mails, email, seen, "/sign-in/"))
    confirm(browser, link_of(mail, "/sign-in/"))


def confirm(browser: Browser, link: str) -> None:
    """Open a mailed link and press its button: only that uses it up."""
    opened = browser.get(urlsplit(link).path)
    browser.submit(opened.form("/sign-in/"), {})


def wait_for_mail(mails: MailFolder, email: str, words: str) -> StoredMail:
    """The newest mail to this person that holds these words in its subject or text."""

    def look() -> StoredMail | None:
        return next((mail for mail in mails.messages(to=email) if words in mail.subject + mail.text), None)

    return wait_for(f"a mail to {email} about {words!r}", look)


def link_of(mail: StoredMail, part: str) -> str:
    """The first link of a mail that holds these letters. Raises JourneyFailed."""
    for link in mail.links:
        if part in link:
            return link
    raise JourneyFailed(f"a link with {part} in the mail {mail.subject!r}", mail.links)


def _newest(mails: MailFolder, email: str, seen: set[str], part: str) -> StoredMail | None:
    fresh = (mail for mail in mails.messages(to=email) if mail.id not in seen)
    return next((mail for mail in fresh if any(part in link for link in mail.links)), None)
