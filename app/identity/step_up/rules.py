"""Codes that prove who somebody is: how they look, how long they hold, how many tries there are. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32encode
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

FRESH: Final = timedelta(minutes=15)  # how long a proof counts; the same span stands in control.find_visit
MAILED_CODE: Final = timedelta(minutes=10)
CODES_AN_HOUR: Final = 5  # mailed in one session
TRIES: Final = 5  # of one mailed code, or of an authenticator until it rests
LOCK: Final = timedelta(minutes=15)
RECOVERY_CODES: Final = 10
SECRET_BYTES: Final = 20  # as RFC 4226 asks for
STEP: Final = 30  # seconds
BY_AUTHENTICATOR: Final = "authenticator"
BY_MAILBOX: Final = "mailbox"
_DRIFT: Final = 1  # steps that a telephone's clock may be off
_DIGITS: Final = 6
_MAILED_DIGITS: Final = 8
_ALPHABET: Final = "abcdefghjkmnpqrstvwxyz23456789"  # nothing that looks like something else
_RECOVERY: Final = re.compile(rf"[{_ALPHABET}]{{15}}")


def new_secret() -> bytes:
    """A secret for an authenticator."""
    return secrets.token_bytes(SECRET_BYTES)


def matching_step(secret: bytes, code: str, now: datetime) -> int | None:
    """The time step whose code this is, within half a minute of `now` (aware UTC); None for a wrong code."""
    digits = "".join(code.split())
    if len(digits) != _DIGITS or not digits.isascii() or not digits.isdigit():
        return None
    present = int(now.timestamp()) // STEP
    totp = TOTP(secret, _DIGITS, SHA1(), STEP)  # noqa: S303 - what authenticators speak (RFC 6238); HMAC, no digest
    steps = range(present - _DRIFT, present + _DRIFT + 1)
    found = [step for step in steps if hmac.compare_digest(totp.generate(step * STEP), digits.encode())]
    return max(found, default=None)


def provisioning_uri(secret: bytes, *, issuer: str, account: str) -> str:
    """What the QR code says to an authenticator: otpauth://…, with the brand as issuer."""
    query = urlencode({"secret": readable(secret), "issuer": issuer, "period": STEP, "digits": _DIGITS})
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(account, safe='@')}?{query.replace('+', '%20')}"


def readable(secret: bytes) -> str:
    """The secret as people type it: base32."""
    return b32encode(secret).decode().rstrip("=")


def is_stepped_up(proof: str | None, *, enrolled: bool, staff: bool) -> bool:
    """Whether a fresh proof is enough for something of high impact.

    Staff need an authenticator, and so does everybody who has one; a customer's people prove that they hold the
    mailbox, which a forwarded link does not.
    """
    return proof == BY_AUTHENTICATOR or (proof == BY_MAILBOX and not enrolled and not staff)


def new_mailed_code() -> str:
    """Eight digits for a mail."""
    return f"{secrets.randbelow(10**_MAILED_DIGITS):0{_MAILED_DIGITS}d}"


def new_recovery_codes() -> list[str]:
    """Ten codes of 73 random bits each, in three groups: `abcde-fghjk-mnpqr`."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(3)) for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> bytes | None:
    """What is kept of a recovery code, however it was typed; None for what cannot be one."""
    plain = "".join(code.lower().split()).replace("-", "")
    return hashlib.sha256(plain.encode()).digest() if _RECOVERY.fullmatch(plain) else None


def mailed_digest(code: str, session_token: str) -> bytes:
    """What is kept of a mailed code: bound to its session, which only the browser can name."""
    plain = "".join(code.split())
    return hmac.new(session_token.encode(), plain.encode(), hashlib.sha256).digest()


_BROWSERS: Final = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def agent_label(said: str) -> str:
    """A browser as people know it, `Firefox, Windows`; all that is kept of what it says of itself."""
    browser = next((name for part, name in (*_BROWSERS, ("Safari/", "Safari")) if part in said), "")
    system = next((name for part, name in _SYSTEMS if part in said), "")
    return ", ".join(part for part in (browser, system) if part)
