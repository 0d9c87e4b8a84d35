"""What other systems say otherwise: to decide, with mistakes, settled, disputed at the partner, none, read only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.connectors.drift.doors.wire import DifferenceOut
from tests.look.examples.facts import KEY, PARTNER, Context, days

_PATH = "/t/0192f0c1/drifts"
_OPEN = DifferenceOut("seats", "40", "60", days(-2), "open", "", "", None, "")
_MAIL = DifferenceOut("email", "•••", "•••", days(-2), "open", "", "", None, "")
_GONE = DifferenceOut("record", "there", "gone", days(0), "open", "", "", None, "")
_DECIDED = DifferenceOut(
    "plan", "team", "enterprise", days(-9), "accepted", "theirs", "Tom Okafor", days(-8), "Sold up by phone"
)
_BACK = DifferenceOut("region", "eu", "us", days(-5), "corrected", "", "", days(-4), "")


def _drift(key: str, title: str, differences: list[DifferenceOut], **more: Any) -> dict[str, Any]:
    shown = {"id": key, "system": "Workbench Admin API", "title": title, "sold": False, "waiting": 0}
    return shown | {"seen_at": days(0), "differences": differences} | more


_FIRST = _drift("0192f0d1", "acme-earlier", [_OPEN, _MAIL], waiting=2)
_AMOUNT = DifferenceOut("amount", "24000", "99000", days(-1), "open", "", "", None, "")
_SALE = _drift("0192f0d2", "Contoso", [_AMOUNT], system="HubSpot", sold=True)
_PAGE: Context = {
    "chrome": replace(PARTNER, path=_PATH),
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "path": _PATH,
    "open": [_FIRST, _SALE, _drift("0192f0d3", "acme-2", [_GONE])],
    "settled": [_drift("0192f0d4", "acme-3", [_DECIDED, _BACK])],
    "held": [],
    "answers": [
        {"id": "theirs", "label": "What they say holds"},
        {"id": "ours", "label": "What we say holds"},
        {"id": "give_up", "label": "Give up what waits"},
    ],
    "wrong": {"at": "", "errors": []},
    "typed": {},
    "may_change": True,
    "command_key": KEY,
}
_NONE: Context = {"open": [], "settled": []}
_WRONG = {"at": "0192f0d1", "errors": [("reason", "Write down why: what is decided here is kept with its reason.")]}
_HELD = {"system": "HubSpot", "onboarding": "0192f0e1", "since": days(-1), "waiting": 3, "fields": ["amount", "seats"]}
EXAMPLES: dict[str, list[Context]] = {
    "connectors/drift/drifts.html": [
        _PAGE,
        _PAGE | {"wrong": _WRONG, "typed": {"answer": "theirs", "reason": ""}},
        _PAGE | _NONE,
        _PAGE | _NONE | {"held": [_HELD], "may_change": False},
    ],
    "connectors/drift/_record.html": [_PAGE | {"drift": _FIRST, "loop": {"first": True}}],
    "connectors/drift/_settled.html": [_PAGE],
}
