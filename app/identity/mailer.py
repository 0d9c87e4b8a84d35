"""What sign-in and step-up need of whoever sends mail. Identity stands below notifications; bootstrap joins the two."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from app.identity.queries import Person
from app.web.frame import BrandView


class Notice(StrEnum):
    """What changed in somebody's way in, so that they can say if it was not them."""

    AUTHENTICATOR_SET = "authenticator_set"
    AUTHENTICATOR_REMOVED = "authenticator_removed"
    RECOVERY_CODE_USED = "recovery_code_used"


class Mailer(Protocol):
    """Sends the mails by which people get in, and those that tell them what happened to their way in."""

    def send_sign_in_link(self, person: Person, url: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Hand over a mail in `person.locale` and that brand. Never stores or logs `url`: it opens the door."""

    def send_code(self, person: Person, code: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Hand over a code that proves who holds the mailbox. Never stores or logs `code`."""

    def send_notice(self, person: Person, notice: Notice, *, brand: BrandView) -> None:
        """Tell the person what has just changed in how they sign in."""
