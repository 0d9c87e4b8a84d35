"""Where a reader can go from every page."""

from __future__ import annotations

from typing import Any

from litestar import Request

from app.web.begin import visit_of
from app.web.frame import Link
from app.web.responses import locale_of
from app.web.translations import mark, translations

OPERATES = frozenset({"operator"})  # who runs the installation does not see into tenants: nothing runs before them


def staff_nav(request: Request[Any, Any, Any]) -> tuple[Link, ...]:
    """Where staff can go; a customer's people have nowhere else to go, and the operator's no onboardings."""
    if not visit_of(request).actor.roles:
        return ()
    say = translations(locale_of(request).language).gettext
    market = Link(say(mark("Marketplace")), "/marketplace", "building-store")
    templates = Link(say(mark("Templates")), "/templates", "template")
    settings = Link(say(mark("Settings")), "/settings", "shield-lock")
    if visit_of(request).actor.roles == OPERATES:
        return market, templates, Link(say(mark("Jobs")), "/operations/jobs", "list-check"), settings
    return (
        Link(say(mark("Home")), "/", "home"),
        Link(say(mark("Work")), "/work", "list-check"),
        Link(say(mark("Customers")), "/customers", "building"),
        templates,
        Link(say(mark("Packages")), "/packages", "package"),
        market,
        Link(say(mark("Access")), "/delegations", "key"),
        settings,
    )
