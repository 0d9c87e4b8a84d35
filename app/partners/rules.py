"""What names an organisation may have, and how a brand is stored beside whom to ask and who stands behind it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from app.partners.brand import Brand, view
from app.web.frame import BrandView, HelpContact, Legal, Link

PLATFORM = "platform"
PARTNER = "partner"
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,61}[a-z0-9]")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_RESERVED = frozenset({"localhost", "www", "api", "hooks", "static"})


def is_slug(text: str) -> bool:
    """Whether this can name an organisation in addresses: lower case letters, digits, hyphens; no reserved word."""
    return _SLUG.fullmatch(text) is not None and text not in _RESERVED


def is_host(text: str) -> bool:
    """Whether this is a host name as browsers send it: lower case, no port, no trailing dot, not a bare address."""
    return _HOST.fullmatch(text) is not None and not text.replace(".", "").isdigit()


def default_host(kind: str, slug: str) -> str:
    """The development host: `<slug>.localhost`, and `localhost` for the platform itself."""
    return "localhost" if kind == PLATFORM else f"{slug}.localhost"


def to_tokens(brand: Brand, *, legal: Legal | None = None, contact: HelpContact | None = None) -> dict[str, Any]:
    """A brand as stored in `control.brand`."""
    stored: dict[str, Any] = {"brand": brand.tokens()}
    if legal is not None:
        stored["legal"] = asdict(legal)
    if contact is not None:
        stored["help"] = asdict(contact)
    return stored


def read_brand(name: str, tokens: Mapping[str, Any] | None) -> tuple[Brand, BrandView]:
    """A stored brand, and as pages need it. An organisation without one gets its name on a quiet ground."""
    if not tokens:
        brand = Brand(name=name, accent=_QUIET)
        return brand, view(brand)
    brand = Brand.from_tokens(tokens["brand"])
    legal, contact = tokens.get("legal"), tokens.get("help")
    return brand, view(
        brand,
        legal=legal and Legal(**(legal | {"links": tuple(Link(**link) for link in legal["links"])})),
        contact=contact and HelpContact(**contact),
    )


_QUIET = "#3b5bdb"
