"""What changes the course of an onboarding: its hold, and the forms of those who may steer it."""

from __future__ import annotations

from tests.look.examples.facts import KEY, TENANT, Context, days, said

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
_STEP = {"id": "item", "label": "Step", "type": "select", "required": True, "help": ""} | {
    "options": [{"id": "task.kickoff", "label": said("Hold the kickoff")}]
}
_GIVE = _form(
    "assignments",
    "Give a step to somebody",
    "A step is done by the people of its own side who work on this onboarding.",
    [
        _STEP,
        {"id": "person", "label": "Person", "type": "select", "required": False}
        | {
            "options": [{"id": "p", "label": "Dana Weber (Partner)"}],
            "help": "Nobody by name: it goes back to its role.",
        },
        _REASON | {"required": False},
    ],
)
_BACK = _form(
    "rollbacks",
    "Roll back to a stage",
    "This stage and every later one begin anew. What was done in another system cannot be undone from here: each such "
    "call becomes an exception for a person.",
    [_STEP | {"id": "stage", "label": "Stage"}, _REASON],
)
_STOP = _form("cancellation", "Cancel the onboarding", "It stops for good.", [_REASON], kind="stop")
COURSE = [
    _HOLD_IT
    | {"given": {"reason_code": "scope_mismatch"}, "errors": [("reason", "Write down why it is put on hold.")]},
    _GIVE,
    _BACK,
    _STOP,
]
ROUTE: Context = {
    "id": "give-it-to-another-role",
    "title": "Give it to another role",
    "text": "Another role owns the exception, and is told of it.",
    "action": f"{TENANT}/exceptions/0192f0c5/route",
    "fields": [_REASON | {"id": "note", "label": "Note for the record"}],
    "button": {},
}
PROPOSED: Context = {
    "what": "Leave it out",
    "by": "Tom Okafor",
    "at": days(-1),
    "reason": "The accounts were made by hand; checked with the vendor's list.",
    "own": False,
    "digest": "5f2c",
    "action": f"{TENANT}/exceptions/0192f0c5/agreement",
}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/plan/_course.html": [
        {"course": COURSE, "errors": [], "command_key": KEY},
        {"course": [], "errors": [("", "It was resumed meanwhile.")], "command_key": KEY},
    ],
}
