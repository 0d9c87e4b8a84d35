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
_CALLS: list[Context] = [
    {"step": "Create the workspace", "system": "Product admin", "said": "Done, and it stays there."},
    {"step": "Invite the people", "system": "Product admin", "said": "Not called yet: it will not be."},
]
_UNDO = _form("undo-1", "Undo it in the other system", "Create the workspace · Product admin.", [_REASON], kind="stop")
COURSE = [
    _HOLD_IT
    | {"given": {"reason_code": "scope_mismatch"}, "errors": [("reason", "Write down why it is put on hold.")]},
    _GIVE,
    _BACK,
    _STOP | {"outside": _CALLS},
]
_NOTE = _REASON | {"id": "note", "label": "Note for the record", "help": ""}
_ABOUT = f"{TENANT}/exceptions/0192f0c5"
_BLANK: Context = {"button": {}, "warning": "", "labels": {}, "given": {}, "errors": []}
RESOLUTION: Context = _BLANK | {
    "id": "resolution",
    "action": f"{_ABOUT}/resolution",
    "fields": [_NOTE | {"help": "What you found and what was done. Is kept in the trail."}],
}
ROUTE: Context = _BLANK | {
    "id": "route",
    "title": "Give it to somebody",
    "text": "Whoever owns the exception now is told of it. A person has to work for the side of the role.",
    "action": f"{_ABOUT}/route",
    "fields": [
        {"id": "role", "label": "Role", "type": "select", "required": False, "options": []}
        | {"help": "Not chosen: it stays with the role that has it."},
        {"id": "person", "label": "Person", "type": "select", "required": False}
        | {
            "options": [{"id": "p", "label": "Dana Weber (Partner)"}],
            "help": "Nobody by name: whoever holds the role.",
        },
        _NOTE,
    ],
}
REFUSED_ROUTE: Context = ROUTE | {
    "given": {"person": "p", "note": "Dana knows the vendor."},
    "errors": [("person", "This person holds no role of that side here.")],
}
PROPOSED: Context = {
    "what": "Leave it out",
    "by": "Tom Okafor",
    "at": days(-1),
    "reason": "The accounts were made by hand; checked with the vendor's list.",
    "input": [],
    "warning": "",
    "own": False,
    "form": _BLANK
    | {"id": "agreement", "action": f"{_ABOUT}/agreement", "digest": "5f2c"}
    | {"fields": [_REASON | {"id": "note", "required": False, "conditional": True, "help": "Needed to decline it."}]},
}
_WARNING = (
    "The call before may have had its effect. This one goes out under a new key, so the other system cannot tell that "
    "it is the same: look there first, or it may happen twice."
)
EDITED: Context = _BLANK | {
    "id": "edited",
    "title": "Try again with other values",
    "text": "The step is tried at once with these values. They count for this one try; the plan keeps its own. It "
    "changes something in another system: another person has to agree.",
    "action": f"{_ABOUT}/edited",
    "warning": _WARNING,
    "fields": [
        {"id": "input.external_id", "label": "External id", "type": "text", "required": True, "help": ""},
        {"id": "input.plan", "label": "Plan", "type": "select", "required": True, "help": ""}
        | {"options": [{"id": each, "label": each} for each in ("starter", "team")]},
        {"id": "input.seats", "label": "Seats", "type": "integer", "required": False, "help": ""},
        _NOTE,
    ],
    "given": {"input.external_id": "onboarding-1", "input.plan": "team", "input.seats": "-4", "note": "Counted anew."},
    "labels": {"input.seats": "Seats"},
    "errors": [("input.seats", "-4 is less than the minimum of 1")],
}
PROPOSED_INPUT: Context = PROPOSED | {
    "what": "Try again with other values",
    "reason": "They have sixty workplaces, not forty.",
    "input": [("Seats", "60"), ("Region", "Left out")],
    "warning": _WARNING,
}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/plan/_course.html": [
        {"course": COURSE, "errors": [], "command_key": KEY},
        {"course": [_UNDO], "outside": _CALLS, "errors": [], "command_key": KEY},
        {"course": [], "errors": [("", "It was resumed meanwhile.")], "command_key": KEY},
    ],
}
