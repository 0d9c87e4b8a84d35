"""How long links and sessions live, what an address and a way back look like. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

STAFF_LINK = timedelta(minutes=15)  # asked for and opened in one sitting
CUSTOMER_LINK = timedelta(days=7)  # rides in a notification that may wait over a weekend and a holiday
SESSION_LIFETIME = timedelta(days=14)  # then the address has to be shown again
SESSION_IDLE = timedelta(days=3)
LINKS_PER_PERSON = 5  # unopened, within STAFF_LINK; a sixth would only be a way to flood somebody's mailbox
LINKS_PER_HOST = 300  # within STAFF_LINK: far above a busy morning, far below what ruins a mail server's name

# Where the people of sandboxes live. RFC 2606 reserves `.example`: nobody can own such a mailbox; no mail goes there.
_MADE_UP = ".sandbox.example"

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,64}@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]{1,190}")
_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_LONGEST_PATH = 1000


@dataclass(frozen=True, slots=True)
class Token:
    """256 random bits for somebody's hands (`text`) and the only thing of them that is kept (`digest`)."""

    text: str
    digest: bytes

    def __repr__(self) -> str:
        return "Token(...)"


def new_token() -> Token:
    """A fresh token."""
    text = secrets.token_urlsafe(32)
    return Token(text, token_digest(text))


def token_digest(text: str) -> bytes:
    """What is stored of a token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).digest()


def is_token(text: str) -> bool:
    """Whether this can be a token at all; anything else never reaches the database."""
    return _TOKEN.fullmatch(text) is not None


def nonce_for(knock: str, token: str) -> str:
    """What the confirm form must bring back: only the browser that opened this very link can know it.

    `knock` is a random value in a cookie of that browser.
    """
    return hmac.new(knock.encode(), token.encode(), hashlib.sha256).hexdigest()


def is_nonce(given: str, knock: str, token: str) -> bool:
    """Whether the form came from the page that this browser was given for this link."""
    return is_token(knock) and hmac.compare_digest(given.encode(), nonce_for(knock, token).encode())


def clean_address(raw: str) -> str | None:
    """A mail address as people are known by: without outer space, lower case. None when it cannot be one."""
    address = raw.strip().lower()
    return address if _ADDRESS.fullmatch(address) and "." in address.rpartition("@")[2] else None


def local_path(wished: str, *, otherwise: str = "/") -> str:
    """The path to go to after sign-in: on this very host, or `otherwise`.

    Refuses what a browser would read as another host: two slashes, a backslash, a scheme, control signs.
    """
    if len(wished) > _LONGEST_PATH or _PATH.fullmatch(wished) is None:
        return otherwise
    parts = urlsplit(wished)
    return otherwise if parts.scheme or parts.netloc else wished


def made_up_address(word: str, tenant_id: UUID) -> str:
    """The mail address of a made-up person: of this sandbox alone, so that no two sandboxes share anybody."""
    return f"{word}@{tenant_id.hex[-12:]}{_MADE_UP}"


def is_made_up(email: str) -> bool:
    """Whether the address belongs to a made-up person of a sandbox."""
    return email.strip().lower().endswith(_MADE_UP)
