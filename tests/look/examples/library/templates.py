"""A partner's catalogue and a template before it runs, drawn from the library's own."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from app.flow.definition import Definition
from app.flow.fields import Text
from app.templates.library import open_shelf
from app.templates.overlay import Effective
from app.templates.preview import board_of, changes_of, facts_of, forms_of, timeline_of
from app.templates.queries import CatalogueEntry, PublishedVersion
from tests.look.examples.facts import KEY, PARTNER, Context, days
from tests.look.examples.library.lines import DEPRECATED
from tests.look.examples.library.studio import DRAFTS


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
        "may_edit": True,
        "may_try": True,
        "command_key": KEY,
    }


def arabic(text: Text) -> str:
    """A text of a template as an Arabic reader has it."""
    return text.get("ar") or _read(text)


@cache
def for_arabs() -> Effective:
    """A complete template, adapted by a partner: its words are in Arabic, too."""
    return open_shelf("msp/midmarket-services").effective("harbor")


@cache
def _of_arabs() -> Definition:
    return for_arabs().compile()


def from_the_right(view: str, shown: Any) -> Context:
    """A template's own words run from the right, those of the portal around and between them from the left."""
    definition, whole = _of_arabs(), open_shelf("msp/midmarket-services").template.document
    known = {"facts": facts_of(definition, arabic), "language": "ar", "direction": "rtl"}
    named = {"id": definition.id, "title": arabic(definition.title), "version": definition.version}
    named["description"] = arabic(whole["description"])
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
    "drafts": DRAFTS,
    "templates": [
        CatalogueEntry(
            "msp-managed-services", _version("a", "1.1.0", 3), 2, _version("c", "1.0.2", 2), _version("e", "1.2.0", 1)
        ),
        CatalogueEntry("msp-renewal", _version("d", "1.0.0", 40), 1, None, None),
    ],
}
_CATALOGUE["ended"] = {each.newest.digest: None for each in _CATALOGUE["templates"]}
_OLD = replace(DEPRECATED, version="1.1.0", replaced_by="1.2.0")
EXAMPLES: dict[str, list[Context]] = {
    "templates/catalogue.html": [
        _CATALOGUE,
        _CATALOGUE | {"ended": _CATALOGUE["ended"] | {_CATALOGUE["templates"][0].newest.digest: _OLD}},
        _CATALOGUE | {"templates": [], "drafts": None},
    ],
    "templates/template.html": [
        *(_view(view, shown) for view, shown in _VIEWS.items()),
        _view("board", _BOARD[:1], base=True),
        _view("timeline", _VIEWS["timeline"], adapted=False),
        from_the_right("board", board_of(_of_arabs(), arabic)[:2]),
        from_the_right("timeline", timeline_of(_of_arabs(), arabic)),
    ],
    **{f"templates/_{view}.html": [{"shown": shown}] for view, shown in _VIEWS.items()},
    "templates/_drafts.html": [{"drafts": DRAFTS}],
    "templates/_ways_on.html": [_view("board", _BOARD)],
    "templates/_task.html": [{"task": task} for task in _BOARD[1]["milestones"][0]["tasks"][:1]],
}
