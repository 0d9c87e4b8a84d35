"""Signing in."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import segno

from app.identity.step_up.operations import Account, OpenSession
from app.identity.step_up.rules import provisioning_uri, readable
from tests.look.examples.facts import KEY, Context, days

_QR = segno.make(provisioning_uri(bytes(range(20)), issuer="Northwind", account="maria@contoso.example"), error="m")
_SESSIONS = [
    OpenSession(UUID(int=1), "Firefox, Windows", days(-3), days(0), True),
    OpenSession(UUID(int=2), "Safari, iPhone", days(-12), days(-1), False),
    OpenSession(UUID(int=3), None, days(-13), days(-2), False),
]
_PROOF: Context = {
    "email": "maria@contoso.example",
    "enrolled": True,
    "locked": False,
    "must_enrol": False,
    "valid_for": timedelta(minutes=10),
    "errors": [],
    "command_key": KEY,
}
_SENTENCE = "This code is wrong, has been used, or has run out. After five wrong ones, wait a quarter of an hour."
_WRONG = [("step_up_code", _SENTENCE)]
_KEPT: Context = {"action": "/t/1/access", "kept": [("reason", "Go-live"), ("command_key", KEY)]}

_WAY = {"name": "Contoso Entra ID", "path": "/sign-in/with/0197"}

EXAMPLES: dict[str, list[Context]] = {
    "identity/sign_in.html": [
        {"email": "", "errors": [], "command_key": KEY, "ways": [_WAY]},
        {
            "email": "maria@contoso",
            "errors": [("email", "This is not an e-mail address such as name@example.org.")],
            "command_key": KEY,
        },
    ],
    "identity/link_sent.html": [
        {"email": "maria@contoso.example", "valid_for": timedelta(minutes=15), "inbox": ""},
        {"email": "maria@contoso.example", "valid_for": timedelta(minutes=15), "inbox": "/inbox"},
        {"email": "maria@contoso.example", "valid_for": timedelta(minutes=15), "inbox": "", "ways": [_WAY]},
    ],
    "identity/step_up/_code.html": [_PROOF, {**_PROOF, "enrolled": False, "locked": True}],
    "identity/step_up/ask.html": [
        {**_PROOF, "next": "/account"},
        {**_PROOF, "next": "/account", "enrolled": False, "errors": _WRONG},
        {**_PROOF, "next": "/account", "enrolled": False, "must_enrol": True, "locked": True},
    ],
    "identity/step_up/again.html": [{**_PROOF, **_KEPT}, {**_PROOF, **_KEPT, "enrolled": False, "errors": _WRONG}],
    "identity/step_up/account.html": [
        {
            "email": "maria@contoso.example",
            "account": Account(days(-40), None, None, codes),
            "sessions": _SESSIONS,
            "staff": False,
            "command_key": KEY,
        }
        for codes in (8, 1)
    ]
    + [
        {
            "email": "maria@contoso.example",
            "account": Account(None, None, None, 0),
            "sessions": _SESSIONS[:1],
            "staff": True,
            "command_key": KEY,
        }
    ],
    "identity/step_up/authenticator.html": [
        {"qr": "", "secret": "", "replaces": True, "errors": [], "command_key": KEY},
        {
            "qr": _QR.svg_inline(scale=5, border=2, light="white", omitsize=True, svgclass="qr"),
            "secret": readable(bytes(range(20))),
            "replaces": False,
            "errors": [("code", _SENTENCE)],
            "command_key": KEY,
        },
    ],
    "identity/step_up/recovery_codes.html": [
        {"codes": [f"abcde-fgh{n}k-mnpqr" for n in (2, 3, 4, 5, 6, 7, 8, 9, 2, 3)]}
    ],
    "identity/confirm_link.html": [
        {"action": "/sign-in/confirm", "nonce": "n0nce", "email": "maria@contoso.example", "command_key": KEY}
    ],
}
