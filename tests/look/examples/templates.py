"""A partner's catalogue and a template before it runs, drawn from the library's own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from app.flow.definition import Definition
from app.flow.fields import Text
from app.templates.library import open_shelf
from app.templates.preview import board_of, changes_of, facts_of, forms_of, timeline_of
from app.templates.queries import CatalogueEntry, PublishedVersion
from tests.look.examples.facts import KEY, PARTNER, Context, days


def _read(text: Text) -> str:
    return text.get("en", "")


@cache
def _definition() -> Definition:
    return open_shelf("msp/managed-services").effective("northwind").compile()


def _version(digit: str, version: str, age: int) -> PublishedVersion:
    return PublishedVersion(f"sha256:{digit * 64}", version, "Managed services with your provider", days(-age))


def _view(view: str, shown: Any, **more: Any) -> Context:
    definition = _definition()
    template = {
        "address": "a" * 64,
        "id": definition.id,
        "title": _read(definition.title),
        "description": "Takes over support, monitoring and patching for a customer's workplaces.",
        "version": definition.version,
        "lifecycle": definition.lifecycle,
        "adapted": True,
        "base": False,
    }
    return {
        "chrome": replace(PARTNER, path=f"/templates/{'a' * 64}"),
        "template": template | more,
        "facts": facts_of(definition, _read),
        "language": "en",
        "direction": "ltr",
        "texts_in": ["en", "de"],
        "may_publish": True,
        "versions": [_version("a", "1.1.0", 3), _version("b", "1.0.0", 40)],
        "view": view,
        "shown": shown,
    }


def _arabic(text: Text) -> str:
    return text.get("ar") or _read(text)


@cache
def _of_arabs() -> Definition:
    return open_shelf("msp/midmarket-services").effective("harbor").compile()


def _from_the_right(view: str, shown: Any) -> Context:
    """A template's own words run from the right, those of the portal around and between them from the left."""
    definition, whole = _of_arabs(), open_shelf("msp/midmarket-services").template.document
    known = {"facts": facts_of(definition, _arabic), "language": "ar", "direction": "rtl"}
    named = {"id": definition.id, "title": _arabic(definition.title), "version": definition.version}
    named["description"] = _arabic(whole["description"])
    return _view(view, shown, **named) | known | {"texts_in": ["en", "de", "ar"]}


_BOARD = board_of(_definition(), _read)
_VIEWS = {
    "board": _BOARD,
    "timeline": timeline_of(_definition(), _read),
    "forms": forms_of(_definition(), _read),
    "needs": facts_of(_definition(), _read),
    "changes": changes_of(open_shelf("msp/managed-services").effective("northwind"), _read),
}
_CATALOGUE: Context = {
    "chrome": replace(PARTNER, path="/templates"),
    "may_publish": True,
    "templates": [
        CatalogueEntry(
            "msp-managed-services", _version("a", "1.1.0", 3), 2, _version("c", "1.0.2", 2), _version("e", "1.2.0", 1)
        ),
        CatalogueEntry("msp-renewal", _version("d", "1.0.0", 40), 1, None, None),
    ],
}
_WRITING: Context = {
    "chrome": replace(PARTNER, path="/templates/drafts/new"),
    "source": "",
    "checked": False,
    "problems": [],
    "made": None,
    "facts": None,
    "refused": "",
    "command_key": KEY,
}
_PROBLEMS = [
    {
        "line": 12,
        "column": 7,
        "message": "There is no “owners” here.",
        "fix": "Did you mean “owner”?",
        "written": "owners: onboarding_lead",
    },
    {"line": 40, "column": 13, "message": "This can never be true, so “stage.rollout” never opens.", "fix": ""}
    | {"written": "entry: inputs.seats > 100 && inputs.seats < 50"},
]
_MADE = {"made": {"title": "Managed services", "version": "1.1.0"}, "facts": facts_of(_definition(), _read)}
EXAMPLES: dict[str, list[Context]] = {
    "templates/catalogue.html": [_CATALOGUE, _CATALOGUE | {"templates": [], "may_publish": False}],
    "templates/authoring/write.html": [
        _WRITING,
        _WRITING | {"source": "id: mine\nversion: 1.0.0\n", "checked": True, "problems": _PROBLEMS},
        _WRITING | {"source": "id: mine\nversion: 1.0.0\n", "checked": True} | _MADE,
        _WRITING | {"source": "id: mine", "checked": True, "refused": "Version 1.0.0 is published already."} | _MADE,
    ],
    "templates/authoring/_checked.html": [_WRITING | {"checked": True, "problems": _PROBLEMS}],
    "templates/template.html": [
        *(_view(view, shown) for view, shown in _VIEWS.items()),
        _view("board", _BOARD[:1], base=True),
        _view("timeline", _VIEWS["timeline"], adapted=False),
        _from_the_right("board", board_of(_of_arabs(), _arabic)[:2]),
        _from_the_right("timeline", timeline_of(_of_arabs(), _arabic)),
    ],
    **{f"templates/_{view}.html": [{"shown": shown}] for view, shown in _VIEWS.items()},
    "templates/_task.html": [{"task": task} for task in _BOARD[1]["milestones"][0]["tasks"][:1]],
}
