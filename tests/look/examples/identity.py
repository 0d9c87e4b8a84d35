"""Signing in."""

from __future__ import annotations

from datetime import timedelta

from tests.look.examples.facts import KEY, Context

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
    "identity/confirm_link.html": [
        {"action": "/sign-in/confirm", "nonce": "n0nce", "email": "maria@contoso.example", "command_key": KEY}
    ],
}
