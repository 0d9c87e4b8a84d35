"""Mails: subject, text and HTML of each message from one context."""

from __future__ import annotations

from datetime import timedelta

from tests.look.examples.facts import Context

_SIGN_IN: Context = {
    "name": "Maria Lopez",
    "link": "https://northwind.example/sign-in/confirm?token=abcdef",
    "valid_for": timedelta(minutes=15),
}
_INVITED: Context = {
    "name": "Maria Lopez",
    "by": "Dana Kowalski",
    "title": "Contoso Ltd",
    "link": "https://northwind.example/sign-in/abcdef",
}
_CODE: Context = {
    "name": "Maria Lopez",
    "code": "4821 0937",
    "link": "https://northwind.example/account",
    "valid_for": timedelta(minutes=10),
}
_CHANGES = ("authenticator_set", "authenticator_removed", "recovery_code_used")
_CHANGED: list[Context] = [{"name": "Maria Lopez", "what": what, "link": _CODE["link"]} for what in _CHANGES]
_PARTS = ("subject.txt", "body.txt", "body.html")
EXAMPLES: dict[str, list[Context]] = (
    {f"emails/sign_in/{part}": [_SIGN_IN] for part in _PARTS}
    | {f"emails/step_up_code/{part}": [_CODE] for part in _PARTS}
    | {f"emails/invited/{part}": [_INVITED] for part in _PARTS}
    | {f"emails/way_in_changed/{part}": _CHANGED for part in _PARTS}
)
