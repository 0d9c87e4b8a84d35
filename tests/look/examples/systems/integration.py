"""An integration on its way live: half way, all met, held after a change, live without steps, refused, fresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from app.connectors.kit.manifest import ChangeNote, Deprecation
from app.connectors.pillars.pages.wording import BASIS, QUESTION, STAGE, TO_DO, WHO
from app.connectors.pillars.rules import STEPS
from app.connectors.pillars.staging import STEP_NAMES
from app.connectors.pillars.state import Broken
from app.connectors.pillars.wire import StagedOut
from app.connectors.settings.wire import WishOut
from tests.look.examples.facts import KEY, NOW, PARTNER, Context, days

_PATH = "/t/0192f0c1/connections/0192f0c2"
_SHAPES = {"met": "reached", "open": "ahead", "stale": "late", "waits": "current"}
_TODAY = NOW.date()


def _steps(*states: str) -> dict[str, Any]:
    steps = [
        {"key": step, "name": STEP_NAMES[step], "state": state, "shape": _SHAPES[state]}
        | {"who": WHO[step], "todo": TO_DO[step]}
        for step, state in zip(STEPS, states, strict=True)
    ]
    following = next((each for each in steps if each["state"] != "met"), None)
    return {"steps": steps, "met": sum(each["state"] == "met" for each in steps), "following": following}


def _stage(stage: str) -> dict[str, Any]:
    keys = list(STAGE)
    place = keys.index(stage)
    onward = [{"key": each, "name": STAGE[each], "missing": [STEP_NAMES["quality"]]} for each in keys[max(place, 1) :]]
    backward = [{"key": each, "name": STAGE[each]} for each in keys[:place]]
    return {"stage": stage, "onward": onward, "backward": backward, "may_roll_back": place > 1}


_FLOWS = [
    {"way": "out", "field": "email", "theirs": "contact.mail", "care": "personal", "by": ["Create a record"]},
    {"way": "out", "field": "reference", "theirs": "customer_no", "care": "plain", "by": ["Create a record"]},
    {"way": "in", "field": "iban", "theirs": "iban", "care": "sensitive", "by": ["List all records", "Read a record"]},
    {"way": "in", "field": "status", "theirs": "status", "care": "plain", "by": ["List all records"]},
]
_CHECKS = {
    "under_way": False,
    "passed": True,
    "said": "",
    "at": days(-2),
    "all": 74,
    "kept": 74,
    "broken": (),
    "actions": [
        {"name": "List all records", "kept": 11, "all": 11},
        {"name": "Create a record, unless there is one with our reference", "kept": 12, "all": 12},
    ],
}
_NOTED = {"by": "Dana Reyes", "by_id": "1", "at": days(-3), "mark": "m"}
_GUIDE = {
    "scope": _NOTED | {"scenarios": ["A customer is made there when a deal is won", "Changes of a plan come back"]},
    "risk": _NOTED
    | {"answers": {"abroad": True, "regulated": False}, "plan": "The host stands in Frankfurt; its audit is attached."}
    | {"approved_by": "Jonas Weber"},
    "consent": _NOTED
    | {"person": "Ines Vogel", "role": "Data protection officer", "basis": "contract"}
    | {"purpose": "Invoices are written there", "keep": "As long as the contract runs"},
    "quality": {},
}
_TEXTS = {"en": "It reads pages of lists", "de": "Es liest Listen seitenweise"}
_PAGE: Context = {
    "chrome": replace(PARTNER, path=f"{_PATH}/integration"),
    "tenant": {"name": "Contoso", "path": "/t/0192f0c1"},
    "path": _PATH,
    "action": f"{_PATH}/settings",
    "connection": {"name": "Customers at Partner", "system": "REST API", "old": False},
    **_steps("met", "met", "met", "met", "met", "met", "met", "met", "open"),
    **_stage("pilot"),
    "share": 10,
    "chosen": ["0192f0c9"],
    "stages": [{"key": key, "name": name} for key, name in STAGE.items()],
    "held": False,
    "level": "Read and write",
    "flows": _FLOWS,
    "cares": {"plain": 2, "personal": 1, "sensitive": 1},
    "checks": _CHECKS,
    "milestones": [
        {"name": STEP_NAMES["connected"], "due": _TODAY - timedelta(4), "reached": _TODAY - timedelta(6)}
        | {"state": "reached"},
        {"name": STEP_NAMES["end_to_end"], "due": _TODAY - timedelta(2), "reached": _TODAY, "state": "reached_late"},
        {"name": STEP_NAMES["quality"], "due": _TODAY - timedelta(1), "reached": None, "state": "late"},
    ],
    "history": [
        {"word": STAGE["pilot"], "entry": StagedOut("pilot", 10, 2, "Dana Reyes", days(-1), "The checks are kept")},
        {"word": STAGE["sandbox"], "entry": StagedOut("sandbox", 0, 2, "Dana Reyes", days(-2), "")},
    ],
    "health": {
        "bars": [
            {"state": "succeeded", "count": 48, "share": 0.92},
            {"state": "failed", "count": 3, "share": 0.06},
            {"state": "unknown", "count": 0, "share": 0.0},
            {"state": "waiting", "count": 1, "share": 0.02},
        ],
        "all": 52,
        "good": 48 / 51,
        "circuit": "closed",
        "worked_at": days(-1),
        "state": "active",
    },
    "changes": [ChangeNote("1.1.0", _TODAY, _TEXTS, _TEXTS, _TEXTS), ChangeNote("1.0.0", _TODAY, *[_TEXTS] * 3)],
    "deprecated": None,
    "version": "1.1.0",
    "guide": _GUIDE,
    "basis": BASIS["contract"],
    "bases": [{"id": key, "label": word} for key, word in BASIS.items()],
    "questions": [{"id": key, "label": word} for key, word in QUESTION.items()],
    "risk": "medium",
    "own_risk": True,
    "wish": None,
    "wish_level": "",
    "own_wish": False,
    "may_change": True,
    "wrong": {"open": "", "typed": {}, "said": "", "errors": []},
    "command_key": KEY,
}
_NOTHING: dict[str, Any] = {name: {} for name in _GUIDE}
_FRESH = {
    **_steps("open", "open", "open", "waits", "open", "open", "open", "open", "open"),
    **_stage("off"),
    "guide": _NOTHING,
    "milestones": [],
    "history": [],
    "flows": [],
    "cares": {},
    "changes": [],
    "checks": _CHECKS | {"at": None, "actions": []},
    "health": _PAGE["health"] | {"all": 0, "bars": [], "good": None, "worked_at": None, "state": "pending"},
    "wish": WishOut("write", "Jonas Weber", days(-1), "The partner has signed that we create their customers"),
    "wish_level": "Read and write",
}
_HELD = {
    **_steps("stale", "waits", "stale", "met", "met", "stale", "stale", "met", "stale"),
    **_stage("all"),
    "held": True,
    "risk": "high",
    "own_risk": False,
    "checks": _CHECKS
    | {"kept": 73, "broken": (Broken("create_record", "lost_answers", "timeout: it was done twice"),)}
    | {"actions": [{"name": "Create a record", "kept": 11, "all": 12}], "passed": False},
    "health": _PAGE["health"] | {"circuit": "open"},
}
_OLD = {
    "connection": _PAGE["connection"] | {"old": True},
    "deprecated": Deprecation(_TODAY, _TODAY + timedelta(200), _TEXTS),
    "wrong": {"open": "begin", "typed": {}, "said": "Say why.", "errors": [("reason", "Say why.")]},
}
_REFUSED = {
    "wrong": {
        "open": "stage",
        "typed": {"stage": "all", "reason": "Now"},
        "said": "Steps are open that have to be met first.",
        "errors": [("steps/quality", STEP_NAMES["quality"])],
    }
}
_UNSAID = {
    "wrong": {
        "open": "consent",
        "typed": {"person": "Ines", "basis": "contract"},
        "said": "The consent is not complete.",
        "errors": [("role", "Fill in this field."), ("needed", "Nothing may flow that is not needed.")],
    }
}
_RUNNING = {"checks": _CHECKS | {"under_way": True, "actions": []}, "may_change": False}
_PART = "connectors/integration/"
_STEP = _PAGE | {"step": _PAGE["steps"][1]}
EXAMPLES: dict[str, list[Context]] = {
    "connectors/integration.html": [
        _PAGE,
        _PAGE | _FRESH,
        _PAGE | _HELD,
        _PAGE | _OLD,
        _PAGE | _REFUSED,
        _PAGE | _UNSAID,
        _PAGE | _RUNNING,
    ],
    "connectors/integration/_wish.html": [_PAGE | _FRESH, _PAGE | _FRESH | {"own_wish": True}],
    f"{_PART}_recorded.html": [_STEP],
    **{f"{_PART}_{part}.html": [_PAGE] for part in ("line", "begin", "steps", "map", "checks", "stage")},
    **{f"{_PART}_{part}.html": [_PAGE] for part in ("milestones", "health", "changes")},
    **{f"{_PART}forms/_{part}.html": [_STEP] for part in ("scope", "risk", "consent", "quality")},
}
