"""What changes the course of an onboarding: its hold, and the forms of those who may steer it."""

from __future__ import annotations

from tests.look.examples.facts import KEY, TENANT, Context, days

HOLD: Context = {
    "by": "Dana Weber",
    "since": days(-2),
    "code": "Waiting on customer admin",
    "reason": "Their only administrator is on leave until the 14th; agreed with Maria Lopez by phone.",
    "resume": f"{TENANT}?view=course",
}
_REASON = {"id": "reason", "label": "Reason", "type": "long_text", "required": True, "help": "Is kept in the trail."}
_CODES = [
    {"id": "waiting_customer_admin", "label": "Waiting on customer admin"},
    {"id": "scope_mismatch", "label": "Scope mismatch"},
]


def _form(word: str, title: str, text: str, fields: list[Context], kind: str = "plain") -> Context:
    form: Context = {"id": word, "title": title, "text": text, "action": f"{TENANT}/{word}", "fields": fields}
    return form | {"kind": kind, "given": {}, "errors": []}


_HOLD_IT = _form(
    "hold",
    "Put on hold",
    "Nobody can complete, decide or prove anything, and every clock stands still until it is resumed.",
    [
        {"id": "reason_code", "label": "What it waits for", "type": "select", "required": True, "help": ""}
        | {"options": _CODES},
        _REASON,
    ],
)
RESUME = _form(
    "resumption",
    "Resume",
    "Clocks go on with the time they had left, and dates move by the business time it was on hold.",
    [_REASON | {"required": False}],
    kind="primary",
)
COURSE = [
    _HOLD_IT
    | {"given": {"reason_code": "scope_mismatch"}, "errors": [("reason", "Write down why it is put on hold.")]},
]
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/plan/_course.html": [
        {"course": COURSE, "errors": [], "command_key": KEY},
        {"course": [], "errors": [("", "It was resumed meanwhile.")], "command_key": KEY},
    ],
}
