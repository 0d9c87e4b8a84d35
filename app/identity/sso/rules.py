"""What a connection may say, which roles it may give, and what counts as proof of an address. Pure."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

ATTEMPT_LIFETIME = timedelta(minutes=10)
LOGOUT_KEPT = timedelta(hours=2)  # of a logout token's id: longer than the token is good for
NEVER_GIVEN = frozenset({"owner", "partner_owner", "operator"})
GROUPS_CLAIM = "groups"
MOST_DOMAINS = 50
MOST_GROUPS = 50

_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_LONGEST_DOMAIN = 190
_LONGEST_ISSUER = 500


class Settings(Struct, frozen=True, kw_only=True):
    """How a connection lets people in; the part of it that no query looks into."""

    joins: bool = False  # whoever the provider vouches for becomes a member, without an invitation
    default_role: str = ""  # of who joins and is in no group below
    groups_claim: str = GROUPS_CLAIM
    group_roles: tuple[tuple[str, str], ...] = ()  # (group, role), in the order of the table
    trusts_addresses: bool = False  # the provider owns its domains: its addresses count without `email_verified`
    acr: str = ""  # the level of authentication that is asked for and must be said


class Claimed(Struct, frozen=True):
    """What a provider has said of somebody, verified."""

    subject: str
    email: str = ""
    email_verified: bool = False
    name: str = ""
    locale: str = ""
    groups: tuple[str, ...] = ()
    sid: str | None = None


def clean_issuer(raw: str) -> str | None:
    """An issuer as it is compared: exactly as written but for outer space. None where it cannot be one."""
    issuer = raw.strip()
    try:
        parts = urlsplit(issuer)
    except ValueError:  # brackets that do not fit
        return None
    plain = parts.scheme == "https" and parts.netloc and not parts.query and not parts.fragment
    return issuer if plain and "@" not in parts.netloc and len(issuer) <= _LONGEST_ISSUER else None


def clean_domain(raw: str) -> str | None:
    """A mail domain in lower case, or None where it is none."""
    domain = raw.strip().lower().removeprefix("@")
    return domain if len(domain) <= _LONGEST_DOMAIN and _DOMAIN.fullmatch(domain) else None


def domain_of(address: str) -> str:
    """The part after the last @."""
    return address.rpartition("@")[2].lower()


def proves_address(claimed: Claimed, settings: Settings, domains: Iterable[str]) -> bool:
    """Whether this provider's word is enough to know somebody by their mail address.

    Only for the domains that the connection claims, whatever the provider says of others.
    """
    if not claimed.email or domain_of(claimed.email) not in set(domains):
        return False
    return claimed.email_verified or settings.trusts_addresses


def wanted_roles(claimed: Claimed, settings: Settings, ceiling: frozenset[str]) -> tuple[str, ...]:
    """The roles that the person's groups give, in the order of the table; what nobody may give so is left out."""
    mine = set(claimed.groups)
    given = dict.fromkeys(role for group, role in settings.group_roles if group in mine)
    return tuple(role for role in given if may_give(role, ceiling))


def may_give(role: str, ceiling: frozenset[str]) -> bool:
    """Whether a connection may give this role: never ownership, never more than who set it up holds."""
    return role in ceiling and role not in NEVER_GIVEN


def bound_value(browser: str, state: str, word: str) -> str:
    """A value of one sign-in that only the browser which began it can bring back: nonce and PKCE verifier.

    `browser` is the random value of its cookie. Nothing that was stored is enough to make it.
    """
    return hmac.new(browser.encode(), f"{word}:{state}".encode(), hashlib.sha256).hexdigest()


def read_claims(claims: Mapping[str, Any], settings: Settings) -> Claimed:
    """What is of use in verified claims; whatever has another shape than it should counts as not said."""
    groups = claims.get(settings.groups_claim)
    listed = groups if isinstance(groups, list) else [groups] if isinstance(groups, str) else []
    return Claimed(
        subject=_text(claims, "sub"),
        email=_text(claims, "email").strip().lower(),
        email_verified=claims.get("email_verified") in (True, "true"),
        name=_text(claims, "name")[:200],
        locale=_text(claims, "locale").partition("-")[0].lower(),
        groups=tuple(str(group) for group in listed if isinstance(group, str))[:1000],
        sid=_text(claims, "sid") or None,
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
