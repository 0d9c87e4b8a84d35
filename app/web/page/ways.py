"""Where a reader can go from every page."""

from __future__ import annotations

from typing import Any

from litestar import Request

from app.web.begin import visit_of
from app.web.frame import Link
from app.web.responses import locale_of
from app.web.translations import mark, translations


def staff_nav(request: Request[Any, Any, Any]) -> tuple[Link, ...]:
    """Where staff can go; a customer's people have nowhere else to go."""
    if not visit_of(request).actor.roles:
        return ()
    say = translations(locale_of(request).language).gettext
    return (
        Link(say(mark("Home")), "/", "home"),
        Link(say(mark("Work")), "/work", "list-check"),
        Link(say(mark("Customers")), "/customers", "building"),
        Link(say(mark("Templates")), "/templates", "template"),
        Link(say(mark("Packages")), "/packages", "package"),
        Link(say(mark("Marketplace")), "/marketplace", "building-store"),
        Link(say(mark("Access")), "/delegations", "key"),
        Link(say(mark("Settings")), "/settings", "shield-lock"),
    )
