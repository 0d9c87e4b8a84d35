"""What a directory's words mean here: who somebody is, which role follows from which group. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any, Final
from unicodedata import normalize

from app.access.decisions import permissions_of
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, Role
from app.identity.rules import clean_address, is_made_up

OVERLAP: Final = timedelta(days=7)  # how long the old token works beside the new one: a change over a weekend
LAST_REQUESTS: Final = 20  # kept of a directory, for the page that explains
AT_ONCE: Final = 100  # people followed within a request; the dispatcher goes on with the others

# A directory neither gives nor takes these: whoever runs it must not become the owner, nor lock the owner out.
OWNERS: Final = frozenset({str(Role.PARTNER_OWNER), str(Role.OWNER), str(Role.OPERATOR)})
# Before a role that only takes away, in what a directory gave: it was by hand and comes back with the user.
SET_ASIDE: Final = "set aside: "
# A member has one role; of several groups' roles it is the first of these.
_RANK: Final = (Role.ADMIN, Role.APPROVER, Role.CONTRIBUTOR, Role.VIEWER)
_LANGUAGES: Final = ("en", "de")


def comparable(text: str) -> str:
    """A name as it is compared (RFC 7643: not case-exact): the same key as the SCIM library's own comparisons."""
    return normalize("NFC", normalize("NFC", text).lower())


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can keep the text: it is UTF-8 and holds no NUL."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def address_of(user_name: str, emails: Iterable[dict[str, Any]]) -> str | None:
    """Where the user's mail goes: the primary address, the one of work, any; else the name if it is one."""
    known = [each for each in emails if each.get("value")]
    known.sort(key=lambda each: (not each.get("primary"), each.get("type") != "work"))
    for raw in [*(str(each["value"]) for each in known), user_name]:
        address = clean_address(raw)
        if address is not None and not is_made_up(address):
            return address
    return None


def name_of(document: dict[str, Any], otherwise: str) -> str:
    """What the user is called."""
    name = document.get("name") or {}
    spoken = " ".join(part for part in (name.get("givenName"), name.get("familyName")) if part)
    found = document.get("displayName") or name.get("formatted") or spoken or otherwise
    return " ".join(str(found).split())[:200] or otherwise


def locale_of(document: dict[str, Any]) -> str:
    """The language of mails to the user, of those that we speak."""
    wished = str(document.get("preferredLanguage") or document.get("locale") or "")[:2].lower()
    return wished if wished in _LANGUAGES else _LANGUAGES[0]


def roles_wanted(default: str | None, of_groups: Collection[str], *, of_tenant: bool) -> tuple[str, ...]:
    """The roles that follow: those of the groups, else the default one; one only in a tenant. Never an owner's."""
    wanted = {role for role in of_groups or ([default] if default else []) if role not in OWNERS}
    if not of_tenant:
        return tuple(sorted(wanted))
    ranked = [str(role) for role in _RANK if role in wanted]
    return tuple(ranked[:1] or sorted(wanted)[:1])


def set_aside_in(given: Iterable[str]) -> frozenset[str]:
    """The roles that wait for their person to come back, as they are written down."""
    return frozenset(role for role in given if role.startswith(SET_ASIDE))


def grantable(rights: frozenset[str], *, of_tenant: bool) -> tuple[str, ...]:
    """The roles that somebody with these rights may let a directory give: nobody gives what they do not hold.

    In a customer's tenant only the roles of its own people count: a partner's delegation ends, what it gave would not.
    """
    kind = CUSTOMER_ROLES if of_tenant else PARTNER_ROLES
    own = frozenset(role for role in rights if role.partition("!")[0] in kind)
    held = permissions_of(own)
    return tuple(
        str(role)
        for role in Role
        if own and role in kind and str(role) not in OWNERS and permissions_of(frozenset({str(role)})) <= held
    )
