"""Packages: what is sold, and the desk on which one is drawn up, over the library's own template."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from app.templates.library import open_shelf
from app.templates.packages.document import said
from app.templates.packages.editor.desk import SECTIONS, Desk, fill
from app.templates.packages.editor.preview import preview_of
from app.templates.packages.queries import Draft
from app.web.forms import Form
from tests.look.examples.facts import KEY, PARTNER, Context, days
from tests.look.examples.onboarding.overview import SOLD
from tests.unit.templates.packages.samples import BOTH, package

CHROME = replace(PARTNER, path="/packages")


def _say(text: str) -> str:
    return text


@cache
def _desk() -> Desk:
    content = package(description={"en": "Support, monitoring and patching, answered within four hours."}).content
    upon = open_shelf("msp/managed-services").effective("northwind")
    return Desk(Draft(content, 3, days(-1)), upon, upon.compile(), ("1.0.0",), _say, "en")


def _editor(
    section: str, of: str = "", *, form: Form | None = None, sold: tuple[str, ...] = (), **more: Any
) -> Context:
    desk = _desk()
    filled = fill(desk, section, of, form)
    content = desk.draft.content
    context = {
        "chrome": replace(PARTNER, path="/packages/drafts/managed-gold"),
        "package": {"id": content.package, "title": said(content.title, "en")},
        "template": said(desk.plan.title, "en"),
        "published": "1.0.0",
        "next_version": "1.1.0",
        "sections": [{"name": name, "label": word} for name, word in SECTIONS.items()],
        "section": filled.section,
        "of": filled.of,
        "drawn": filled.drawn,
        "preview": preview_of(content, desk, sold),
        "path": "/packages/drafts/managed-gold",
        "seen": 3,
        "refused": "",
        "command_key": KEY,
    }
    return context | more


_TROUBLE = [
    {"message": "There is no role “trainer”.", "fix": "Did you mean “finance”?", "sold_with": "Courses"},
    {"message": "“stages.handoff” is locked by the template: everybody relies on it.", "fix": "", "sold_with": ""},
]
_CARD = {
    "id": "managed-gold",
    "version": "1.2.0",
    "title": "Managed Gold",
    "description": "Support, monitoring and patching for every workplace, answered within four working hours.",
    "excluded": "Projects, and anything outside of working days",
    "template": "Northwind Managed Services",
    "tier": "Gold",
    "prices": [{"interval": "monthly", "text": "49 € a seat"}, {"interval": "once", "text": "1,900 €"}],
    "add_ons": [
        {"title": "Backup", "prices": [{"interval": "monthly", "text": "6 € a seat"}]},
        {"title": "Courses", "prices": []},
    ],
    "quotas": {"members": 25, "onboardings": 2},
    "retired": False,
    "sold": 12,
    "drafted": True,
}
_SILVER = _CARD | {
    "id": "silver",
    "title": "Managed Silver",
    "retired": True,
    "prices": [],
    "add_ons": [],
    "quotas": {},
}
_LIST: Context = {
    "chrome": CHROME,
    "packages": [
        _CARD,
        _SILVER | {"sold": 1, "quotas": {"members": None, "onboardings": None}, "drafted": False, "excluded": ""},
    ],
    "drafts": [{"id": "managed-gold", "title": "Managed Gold", "changed_at": days(-1)}],
    "may_publish": True,
    "command_key": KEY,
}
_NEW: Context = {
    "chrome": replace(PARTNER, path="/packages/new"),
    "templates": {"msp-managed-services": "Northwind Managed Services", "msp-renewal": "Renewal"},
    "typed": {},
    "refused": "",
    "command_key": KEY,
}
_PAGES = [
    _editor("offer", sold=BOTH),
    _editor("parts"),
    _editor("service"),
    _editor("contents"),
    _editor("add_ons"),
    _editor("add_ons", "backup", sold=("backup",)),
    _editor("add_ons", "courses", sold=("courses",)),
]
_WRONG = Form((("title.en", ""), ("members", "many")))
_REFUSED = _editor("offer", form=_WRONG, refused="It cannot be published like this: look at what is to be put right.")
_REFUSED |= {"preview": {"shown": [], "facts": None, "own": set(), "toggles": [], "problems": _TROUBLE}}
EXAMPLES: dict[str, list[Context]] = {
    "templates/packages/list.html": [_LIST, _LIST | {"packages": [], "drafts": [], "may_publish": False}],
    "templates/packages/_card.html": [{"each": _CARD, "may_publish": True, "command_key": KEY, "chrome": CHROME}],
    "templates/packages/new.html": [
        _NEW,
        _NEW
        | {"refused": "There is a package of this name already. Choose another short name.", "typed": {"id": "gold"}},
        _NEW | {"templates": {}},
    ],
    "templates/packages/editor.html": [*_PAGES, _REFUSED],
    "templates/packages/_section.html": _PAGES[1:3],
    "onboarding/overview/_sold.html": [{"sold": SOLD}],
    "templates/packages/_preview.html": _PAGES[:1],
}
