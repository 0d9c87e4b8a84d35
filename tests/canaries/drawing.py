"""What is drawn by chance as a token or a key carries the mark: links, sessions, client secrets, keys of tenants.

Nonces and salts are drawn by other calls, or are shorter; they are no secrets and stay as they are.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

from app.vault import envelope
from app.vault.secret import Secret
from tests.canaries.marks import MARK

_SHORTEST: Final = 20  # bytes or letters; what is shorter is no key (a nonce has 12, a trace 16)
_BEFORE: Final = 6  # bytes or letters of chance before the mark: what is told apart by its first letters still is
_bytes, _urlsafe = secrets.token_bytes, secrets.token_urlsafe


def put_into(drawn: Any, mark: Any) -> Any:
    """Text or bytes of chance with the mark in it, as long as before; what is too short stays as it was drawn."""
    if len(drawn) < _SHORTEST:
        return drawn
    return drawn[:_BEFORE] + mark + drawn[_BEFORE + len(mark) :]


def _marked_bytes(nbytes: int | None = None) -> bytes:
    drawn: bytes = put_into(_bytes(nbytes), MARK.encode())
    return drawn


def _marked_text(nbytes: int | None = None) -> str:
    drawn: str = put_into(_urlsafe(nbytes), MARK)
    return drawn


def _hex(nbytes: int | None = None) -> str:
    return _bytes(nbytes).hex()  # the library's own asks `token_bytes`, but salts of the trail are no secrets


def mark_what_is_drawn() -> None:
    """From here on, in this process. Once, before anything is imported that keeps one of these functions."""
    for name, function in (("token_bytes", _marked_bytes), ("token_urlsafe", _marked_text), ("token_hex", _hex)):
        setattr(secrets, name, function)
    drawn = envelope.make_key

    def make_key() -> Any:
        """A new 256-bit key with the mark in it."""
        return Secret(put_into(drawn().reveal_bytes(), MARK.encode()))

    envelope.make_key = make_key
