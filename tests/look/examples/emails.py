"""Mails: subject, text and HTML of each message from one context."""

from __future__ import annotations

from datetime import timedelta

from tests.look.examples.facts import Context

_SIGN_IN: Context = {
    "name": "Maria Lopez",
    "link": "https://northwind.example/sign-in/confirm?token=abcdef",
    "valid_for": timedelta(minutes=15),
}
EXAMPLES: dict[str, list[Context]] = {
    f"emails/sign_in/{part}": [_SIGN_IN] for part in ("subject.txt", "body.txt", "body.html")
}
