"""What a partner offers of a template, and the merge view of an upgrade, made by the code that makes them."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta

from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.lines.chains import Chain
from app.templates.lines.ends import End
from app.templates.lines.queries import LineEntry, Offered
from app.templates.merging import Own
from app.templates.upgrades.operations import Line
from app.templates.upgrades.plan import Resolutions, UpgradePlan, plan_upgrade
from app.templates.upgrades.showing import ended_out, history_out, line_out, plan_out, reader, target_out
from tests.look.examples.facts import KEY, NOW, PARTNER, Context

_SHELF = open_shelf("msp/midmarket-services")
_READ = reader("en")


def _next() -> Chain:
    document = copy.deepcopy(dict(_SHELF.template.document))
    document["version"] = "1.1.0"
    document["texts"]["provider"] |= {"en": "your managed service provider", "ar": "مزوّد خدماتكم المُدارة"}
    document["stages"][0]["title"] |= {"en": "Getting ready", "ar": "الاستعداد"}
    return Chain(Template(document, address(document), _SHELF.template.source))


def _plan(decided: Resolutions) -> UpgradePlan:
    now = Chain(_SHELF.template, (_SHELF.overlays["northwind"],))
    return plan_upgrade(now, 1, _next(), decided, lambda _overlay: "1.1.0")


def _shown(decided: Resolutions, **typed: str) -> Context:
    return {"plan": plan_out(_plan(decided) if decided else _UNDECIDED, decided, typed, _READ)}


_UNDECIDED = _plan({})


def merge_in(language: str) -> Context:
    """The merge view of a template whose words are in that language, with an open question."""
    title = _SHELF.overlays["northwind"].document["patch"]["title"]
    return {"plan": plan_out(_UNDECIDED, {}, {}, reader(language)), "title": title[language]}


_FIRST = _UNDECIDED.steps[0]
_NAME = _FIRST.before.id
_PATHS = [each.path for each in _FIRST.upgrade.conflicts]
_CHAIN = Chain(_SHELF.template, (_SHELF.overlays["northwind"],))
_OFFERED = Offered(_CHAIN.template.digest, _CHAIN.overlay_digest)
_NAMES = {_CHAIN.template.digest: "msp-midmarket-services 1.0.0", str(_CHAIN.overlay_digest): f"{_NAME} 1.0.0"}
_HISTORY = [
    LineEntry(3, _OFFERED, "The shorter rollout was not ready", "Dana Weber", NOW - timedelta(days=1)),
    LineEntry(2, Offered(_CHAIN.template.digest, None), "upgraded", "Dana Weber", NOW - timedelta(days=3)),
    LineEntry(1, _OFFERED, "published", "Dana Weber", NOW - timedelta(days=40)),
]
_LINE: Context = {
    "chrome": replace(PARTNER, path="/templates"),
    "line": line_out(Line(_CHAIN, 1), {_CHAIN.template.digest: "Westwind Distribution"}, _READ),
    "targets": [target_out(_next(), {_next().template.digest: "Westwind Distribution"})],
    "history": history_out(_HISTORY, _NAMES, Line(_CHAIN, 1)),
    "may_publish": True,
    "refused": "",
    "ended": None,
    "command_key": KEY,
}
_MERGE: Context = {
    "chrome": replace(PARTNER, path="/templates"),
    "template_id": "msp-midmarket-services",
    "to": "0" * 64,
    "title": "Managed services",
    "versions": ("1.0.0", "1.1.0"),
    "refused": "",
    "wrong": {},
    "command_key": KEY,
    **_shown({}),
}
_DECIDED: Resolutions = {_NAME: dict.fromkeys(_PATHS, "ours")}
_TYPED: Resolutions = {_NAME: {path: Own("Northwind") for path in _PATHS}}
_CONFLICT = _MERGE["plan"]["steps"][0]["conflicts"][0]
DEPRECATED = End(
    template_id="msp-managed-services",
    digest=_CHAIN.template.digest,
    number="1.0.0",
    version="1.0.0",
    state="deprecated",
    reason="The rollout is shorter now, and asks for nothing twice.",
    at=NOW - timedelta(days=2),
    replaced_by="1.1.0",
    ends_on="2026-12-31",
    newer="1.1.0",
    listing="/marketplace/listings/0197a1b2-0000-7000-8000-000000000001",
)
TAKEN_DOWN = replace(DEPRECATED, state="taken_down", reason="It asks for passwords.", replaced_by="", newer="")
EXAMPLES: dict[str, list[Context]] = {
    "templates/lines/line.html": [
        _LINE,
        _LINE | {"targets": [], "history": history_out(_HISTORY[2:], _NAMES, Line(_CHAIN, 1)), "may_publish": False},
        _LINE | {"ended": ended_out(DEPRECATED, "msp-managed-services", _LINE["targets"])},
        _LINE | {"ended": ended_out(TAKEN_DOWN, "msp-managed-services", []), "targets": []},
        _LINE | {"refused": "Say why: whoever looks at this line later asks that first."},
    ],
    "templates/lines/_chain.html": [_LINE],
    "templates/lines/_history.html": [_LINE],
    "templates/lines/upgrade.html": [
        _MERGE,
        _MERGE | _shown(_DECIDED),
        _MERGE | {"wrong": {_CONFLICT["value"]: "Write a value as it would stand in the template."}} | _shown(_TYPED),
    ],
    "templates/lines/_step.html": [{"step": _MERGE["plan"]["steps"][0], "wrong": {}}],
    "templates/lines/_conflict.html": [{"conflict": _CONFLICT, "wrong": {}}],
    "templates/lines/_property.html": [{"each": _CONFLICT}],
    "templates/lines/_changes.html": [{"caption": "What changes", "changes": _MERGE["plan"]["upstream"]}],
}
