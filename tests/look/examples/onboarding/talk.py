"""What people say to each other about running work, as both sides see it."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import CUSTOMER, KEY, TENANT, Context, days
from tests.look.examples.partner import PLAN


def _comment(number: int, by: str, text: str, **more: Any) -> Context:
    path = f"{TENANT}/comments/{number}"
    line: Context = {"id": str(number), "by": by, "theirs": False, "internal": False, "text": text, "at": days(-number)}
    line |= {"edited_at": None, "withdrawn_at": None, "earlier": [], "about": "", "step": "", "mentioned": False}
    return line | {"action": "", "path": path, "version": 1} | more


_STEP = {"about": "task.mailboxes", "step": "Tell us about your mailboxes"}
_ASKED = "Are the shared mailboxes part of it?\nThe list is at https://files.contoso.example/mailboxes.csv"
_INTERNAL = "@Dana Weber, their contract says 25 mailboxes. Let us ask before we count the shared ones."
_LINES = [
    _comment(1, "Maria Lopez", _ASKED, theirs=True, **_STEP),
    _comment(2, "Tom Okafor", _INTERNAL, internal=True, mentioned=True, **_STEP),
    _comment(3, "Dana Weber", "We start on Monday at nine.", action=f"{TENANT}/comments/3", edited_at=days(-2)),
    _comment(4, "Dana Weber", "", withdrawn_at=days(-3)),
]
_LINES[2] |= {"earlier": ["We start on Monday."]}
_TALK: Context = PLAN | {
    "view": "comments",
    "side": "partner",
    "talk": f"{TENANT}/comments",
    "back": TENANT,
    "about": "",
    "step": "",
    "one": False,
    "lines": _LINES,
    "older": "c",
    "first": False,
    "may": True,
    "people": ["Dana Weber", "Tom Okafor", "Maria Lopez"],
    "watching": f"{TENANT}/watching",
    "watched": True,
    "apart": False,
    "remind": "",
    "typed": {},
    "edited": {},
    "errors": [],
    "command_key": KEY,
}
_ABOUT: Context = _TALK | _STEP | {"lines": _LINES[:2], "older": "", "watched": False}
_ABOUT |= {"remind": f"{TENANT}/items/task.mailboxes/reminders"}
_EMPTY: Context = _TALK | {"lines": [], "older": "", "watched": False}
_REFUSED = _ABOUT | {"typed": {"text": "@Maria Lopez, please look.", "to": "staff"}}
_REFUSED |= {"errors": [("text", "This is too long.")]}
_LATE = _ABOUT | {"typed": {"note": "Please."}, "errors": [("note", "This is too long.")]}
_EDITED = _TALK | {"edited": {"id": "3", "text": ""}, "errors": [("edit-3-text", "Write something first.")]}
_ONE = _ABOUT | {"lines": _LINES[1:2], "one": True, "apart": True}
_THEIRS: Context = _TALK | {"chrome": CUSTOMER, "side": "customer", "lines": [_LINES[0], *_LINES[2:]], "older": ""}
_THEIRS |= {"lines": [_LINES[0] | {"action": f"{TENANT}/comments/1"}, *(each | {"action": ""} for each in _LINES[2:])]}

EXAMPLES: dict[str, list[Context]] = {
    "onboarding/talk/partner.html": [_TALK, _ABOUT, _EMPTY, _REFUSED, _LATE, _EDITED, _ONE],
    "onboarding/talk/customer.html": [_THEIRS, _THEIRS | {"lines": [], "may": False}],
    "onboarding/talk/_talk.html": [_TALK],
    "onboarding/talk/_write.html": [_TALK],
    "onboarding/talk/_remind.html": [_ABOUT],
    "onboarding/talk/_comment.html": [_TALK | {"line": _LINES[0]}],
}
