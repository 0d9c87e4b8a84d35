"""The work queues, as a partner's staff and a customer see them."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, TENANT, Context, days

_DANA, _TOM = {"id": "1", "name": "Dana Weber"}, {"id": "2", "name": "Tom Okafor"}


def _line(
    title: str, onboarding: str, queue: str, owner: str, *, age: float, due: float | None, **more: Any
) -> Context:
    path = f"{TENANT}/items/kickoff"
    line: Context = {"title": title, "onboarding": onboarding, "path": TENANT, "queue": queue, "owner": owner}
    line |= {"value": KEY, "role": "Onboarding lead", "taken": False, "unowned": False, "reason": "", "assignee": ""}
    line |= {
        "state": "open",
        "age": age * 86_400,
        "due_at": None if due is None else days(due),
        "late": False,
        "unanswered": False,
    }
    return line | {"claim": f"{path}/claim", "owner_path": f"{path}/owner", "candidates": [_DANA, _TOM]} | more


_LATE = {"late": True, "state": "behind"}
_STUCK = {
    "state": "stuck",
    "unanswered": True,
    "reason": "Waiting on technical credentials",
    "claim": "",
    "owner_path": "",
}
_WORK: Context = {
    "chrome": PARTNER,
    "side": "partner",
    "home": "/work",
    "kept": {"view": "all", "queue": "", "owner": "", "sla": "", "age": ""},
    "views": [
        {"key": "all", "name": "All work", "count": 128},
        {"key": "mine", "name": "Mine", "count": 6},
        {"key": "roles", "name": "Of my roles", "count": 31},
        {"key": "unowned", "name": "Without an owner", "count": 2},
        {"key": "late", "name": "Late", "count": 9},
        {"key": "customer", "name": "Waiting for the customer", "count": 40},
    ],
    "queues": [
        {"key": "handoff", "name": "Handoff acceptance", "count": 7, "oldest": 93_600, "share": 0.27, "late": 0},
        {"key": "customer", "name": "Customer response", "count": 40, "oldest": 345_600, "share": 1.0, "late": 3},
        {"key": "tasks", "name": "Own tasks", "count": 79, "oldest": 172_800, "share": 0.5, "late": 6},
    ],
    "owners": [{"id": "1", "name": "Me"}, _TOM],
    "ages": [1, 3, 7, 14, 30],
    "slas": [{"key": "late", "name": "Late"}, {"key": "soon", "name": "Due within a day"}],
    "lines": [
        _line("Connect the directory", "Contoso", "Own tasks", "Tom Okafor", age=4, due=-1, **_LATE),
        _line("Technical blocker", "Contoso", "Exceptions", "Dana Weber", age=1.5, due=1, **_STUCK),
        _line("Launch gate", "Fabrikam", "Handoff acceptance", "", age=0.3, due=2, unowned=True),
        _line("Hold the kickoff", "Tailspin Toys", "Kickoff scheduling", "Dana Weber", age=0.1, due=None),
    ],
    "total": 128,
    "first": False,
    "older": "c",
    "command_key": KEY,
}
_THEIRS: Context = _WORK | {
    "chrome": CUSTOMER,
    "side": "customer",
    "home": "/t/0192f0c1/work",
    "views": [{"key": "all", "name": "All work", "count": 1}, {"key": "mine", "name": "Mine", "count": 0}],
    "queues": [{"key": "customer", "name": "Your steps", "count": 1, "oldest": 3_600, "share": 1.0, "late": 0}],
    "lines": [_line("Tell us about your mailboxes", "Contoso", "Your steps", "Maria Lopez", age=0.1, due=3)],
    "total": 1,
    "older": "",
}
_NOTHING: Context = _WORK | {"queues": [], "lines": [], "total": 0, "older": ""}
_CHOSEN: Context = _NOTHING | {"kept": {"view": "mine", "queue": "tasks", "owner": "1", "sla": "late", "age": "7"}}

EXAMPLES: dict[str, list[Context]] = {
    "onboarding/work/list.html": [_WORK, _THEIRS, _NOTHING, _CHOSEN],
    "onboarding/work/_line.html": [_WORK | {"line": _WORK["lines"][0]}],
}
