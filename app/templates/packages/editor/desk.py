"""A draft on the desk: what it stands upon, what a form asks about it, and what it says after one was sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from app.flow.definition import Definition
from app.templates.library import find_component
from app.templates.overlay import Effective
from app.templates.packages.document import Content, PackageUnfit, read_content, said
from app.templates.packages.editor.asking import Asked, Say
from app.templates.packages.editor.components import list_components
from app.templates.packages.editor.contents import Shelf, added, additions
from app.templates.packages.editor.sections import offer, parts, service
from app.templates.packages.queries import Draft
from app.web.forms import Form
from app.web.translations import mark

SECTIONS: Mapping[str, str] = {
    "offer": mark("Offer"),
    "parts": mark("Parts"),
    "service": mark("Service level"),
    "contents": mark("Always in it"),
    "add_ons": mark("Add-ons"),
}


@dataclass(frozen=True, slots=True)
class Desk:
    """A draft with the newest effective document of its template, and the versions that are published already."""

    draft: Draft
    upon: Effective
    plan: Definition
    published: tuple[str, ...]
    say: Say
    language: str

    @property
    def locales(self) -> list[str]:
        """The languages of the template, its own first."""
        own, found = self.upon.document["default_locale"], list(self.upon.document["locales"])
        return [own, *(each for each in found if each != own)]


@dataclass(frozen=True, slots=True)
class Filled:
    """A form as it is drawn, with what the draft says by it; `content` is None where it cannot be kept so."""

    section: str
    of: str
    drawn: dict[str, Any]
    content: Content | None
    refused: str = ""


def fill(desk: Desk, section: str, of: str, form: Form | None) -> Filled:
    """One section of the editor; with a form what was sent, else what the draft says. An unknown one is the offer."""
    asked = Asked(desk.say, desk.locales, form)
    plain: dict[str, Any] = msgspec.to_builtins(desk.draft.content)
    section = section if section in SECTIONS else "offer"
    if section == "parts":
        rows, now = parts(asked, plain, desk.upon)
        drawn: dict[str, Any] = {"rows": rows}
    elif section == "service":
        groups, now = service(asked, plain, desk.upon, desk.plan)
        drawn = {"groups": groups}
    elif section == "contents" and not of:
        drawn, now = _contents(asked, desk, plain)
    elif section in {"contents", "add_ons"}:
        section = "add_ons"
        drawn, now = _add_ons(asked, desk, plain, of)
    else:
        specs, now = offer(asked, plain)
        drawn = {"groups": [{"title": "", "specs": specs}]}
    drawn |= {"given": asked.values, "errors": asked.errors}
    return _kept(section, of, drawn, now)


def _kept(section: str, of: str, drawn: dict[str, Any], now: Mapping[str, Any]) -> Filled:
    try:
        content = read_content(now)
    except PackageUnfit as error:
        return Filled(section, of, drawn, None, error.message)
    return Filled(section, of, drawn, None if drawn["errors"] else content)


def _contents(asked: Asked, desk: Desk, holder: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The additions of the package or of one add-on, and what can be added."""
    shelf = Shelf(desk.plan, list_components(), find_component, desk.language)
    groups, adds = additions(asked, shelf, holder.get("adds", ()))
    if asked.form:
        adds = added(asked.form, shelf, adds)
    places = shelf.places(["stage", "milestone"])
    return {"groups": groups, "new": {"components": shelf.offered(), "places": places}}, holder | {"adds": adds}


def _add_ons(asked: Asked, desk: Desk, plain: dict[str, Any], of: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The list of add-ons with a new one, or the one that is looked at."""
    add_ons: list[dict[str, Any]] = plain.get("add_ons", [])
    chosen = next((each for each in add_ons if each["id"] == of), None)
    if chosen is None:
        title = asked.form.first("new_title").strip() if asked.form else ""
        words = {desk.locales[0]: title}
        fresh = [{"id": _fresh(title, add_ons), "title": words}] if title else []
        rows = [{"id": each["id"], "title": said(each["title"], desk.language)} for each in add_ons]
        return {"add_ons": rows}, plain | {"add_ons": [*add_ons, *fresh]}
    titles, titled = asked.text("title", mark("Title"), chosen["title"], required=True)
    texts, text = asked.text("description", mark("What the customer gets"), chosen.get("description"), type="long_text")
    called = asked.lines("called", chosen.get("called", ()))
    prices, priced = asked.prices(chosen.get("prices", ()))
    drawn, holder = _contents(asked, desk, chosen)
    names = asked.spec("called", mark("What your CRM calls it, one name a line"), "list")
    drawn["groups"].insert(0, {"id": "", "title": "", "specs": [*titles, *texts, names, *prices]})
    changed = {"title": titled or chosen["title"], "description": text or None, "called": called, "prices": priced}
    dropped = bool(asked.form and asked.form.first("drop"))
    kept = [(holder | changed) if each["id"] == of else each for each in add_ons if not dropped or each["id"] != of]
    return drawn, plain | {"add_ons": kept}


def _fresh(title: str, add_ons: list[dict[str, Any]]) -> str:
    plain = "".join(each if each.isascii() and each.isalnum() else "-" for each in title.casefold()).strip("-")[:16]
    stem = plain.strip("-") if plain[:1].isalpha() else "extra"
    taken = {each["id"] for each in add_ons}
    return next(name for name in (stem, *(f"{stem}-{at}" for at in range(2, 99))) if name not in taken)
