"""What sign-in needs of whoever can send mail. Identity stands below notifications; bootstrap joins the two."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

from app.identity.queries import Person
from app.web.frame import BrandView


class Mailer(Protocol):
    """Sends the one mail that sign-in needs."""

    def send_sign_in_link(self, person: Person, url: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Hand over a mail in `person.locale` and that brand. Never stores or logs `url`: it opens the door."""
