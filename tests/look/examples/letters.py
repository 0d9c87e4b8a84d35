"""Letters about an onboarding: each in subject, text and HTML, with and without its optional facts."""

from __future__ import annotations

from tests.look.examples.facts import Context, days

_LETTER: Context = {
    "name": "Maria Lopez",
    "link": "https://northwind.example/sign-in/abcdef",
    "kind": "task_opened",
    "title": "Upload your user list",
    "text": "We create the accounts from it.",
    "onboarding": "Contoso",
    "due_at": days(3),
}
_BARE = _LETTER | {"text": "", "due_at": None}
_ATTENTION = [
    _LETTER | {"kind": kind} for kind in ("sla_breached", "gate_returned", "exception_opened", "exception_aged")
]
_KINDS = ("requested", "glass_broken", "approved", "declined", "narrowed", "ended", "runs_out")
_ACCESS = [
    _LETTER | {"kind": f"access_{kind}", "title": "Dana Kowalski", "text": "The import has been stuck since noon."}
    for kind in _KINDS
]
_NOTE = "northwind.example/trail/1\n42\nnJ8Pbx99=\n\n— northwind.example/trail/1 zLEybYR0=\n"
_WORDS: Context = {
    "subject": "Your kickoff on Monday",
    "paragraphs": [
        ["We start on Monday at ten, in the big room on the second floor."],
        ["Please bring", "the list of your people", "somebody who may decide"],
        ["נתראה ביום שני <b>בעשר</b>."],
    ],
    "meant_for": "",
}
_MESSAGES = {
    "communication": [
        _LETTER | _WORDS,
        _LETTER | _WORDS | {"paragraphs": [["See you."]], "meant_for": "Billing contact"},
    ],
    "task_opened": [_LETTER, _BARE],
    "gate_opened": [_LETTER],
    "reminder": [_LETTER | {"over": False}, _LETTER | {"over": True}, _BARE | {"over": False}],
    "attention": [*_ATTENTION, _BARE],
    "first_value": [_LETTER],
    "mentioned": [_LETTER | {"by": "Dana Weber"}],
    "reminded": [_LETTER | {"by": "Dana Weber"}, _BARE | {"by": "Dana Weber"}],
    "watched": [_LETTER | {"text": "Task completed: Assign the team (Dana Weber)\nComment written: Your goals (Jo)"}],
    "webhook": [
        _BARE | {"kind": "webhook_failing", "title": "hooks.partner.example", "by": 70},
        _BARE | {"kind": "webhook_disabled", "title": "hooks.partner.example", "text": "It is gone for good (410)."},
    ],
    "connection": [
        _BARE | {"kind": "connection_reconnect_needed", "title": "HubSpot of sales"},
        _BARE | {"kind": "connection_rotation_due", "title": "HubSpot of sales"},
    ],
    "access": [*_ACCESS, _BARE | {"kind": "access_requested"}],
    "checkpoint": [_LETTER | {"kind": "checkpoint", "note": _NOTE, "key": "northwind.example/trail/1+ccb1326d+ARVK"}],
}
EXAMPLES: dict[str, list[Context]] = {
    f"emails/{message}/{part}": contexts
    for message, contexts in _MESSAGES.items()
    for part in ("subject.txt", "body.txt", "body.html")
}
