"""Takes secrets out of what a peer has said, in every dress that they were sent in."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

from app.vault.secret import HIDDEN, Secret

_SHORTEST: Final = 4  # shorter ones are in every text; a secret of three characters is none


def blot(content: bytes, secrets: Iterable[Secret]) -> bytes:
    """The content with each secret hidden: as it is, percent-encoded, in hex, in HTML's, JSON's or base64's words.

    The longest first, so that a secret which holds another leaves no rest. In base64 a secret is looked for by the
    part that does not depend on its neighbours.
    """
    dresses = {dress for secret in secrets if secret for dress in _dresses(secret.reveal_bytes())}
    for dress in sorted(dresses, key=len, reverse=True):
        content = content.replace(dress, HIDDEN.encode())
    return content


def _dresses(value: bytes) -> Iterable[bytes]:
    yield value
    if len(value) < _SHORTEST:
        return
    yield from (value.hex().encode(), value.hex().upper().encode())
    yield quote(value, safe="").encode()
    yield quote_plus(value).encode()
    text = value.decode("utf-8", "replace")
    yield html.escape(text).encode()
    yield json.dumps(text)[1:-1].encode()
    yield json.dumps(text, ensure_ascii=False)[1:-1].encode()
    for shift in range(3):
        inner = value[(3 - shift) % 3 :]
        inner = inner[: len(inner) // 3 * 3]
        if len(inner) >= 2 * _SHORTEST:
            yield base64.b64encode(inner)
            yield base64.urlsafe_b64encode(inner)
