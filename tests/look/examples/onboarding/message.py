"""A step that sends a message: its words and its policy, and the steps of a plan that have one."""

from __future__ import annotations

from tests.look.examples.facts import TENANT, Context, said

_MESSAGE: Context = {
    "kind": "Another go-live date",
    "readers": [{"name": "Maria Lopez", "language": "German"}, {"name": "Ben Ito", "language": "English"}],
    "names": "Maria Lopez, Ben Ito",
    "unheld": "",
    "by_itself": False,
    "unclear": False,
    "approval": {
        "role": said("Head of customer success"),
        "people": "Petra Lindqvist",
        "why": "A message of this kind always needs approval.",
    },
    "may": said("The day that both sides have agreed on."),
    "must_not": said("A day that delivery has not confirmed."),
    "answering": "Dana Weber",
}
_BY_ITSELF = _MESSAGE | {"kind": "Nudge to schedule the kickoff", "by_itself": True, "approval": None}
MESSAGES: list[Context] = [
    _MESSAGE,
    _BY_ITSELF | {"unheld": said("Billing contact")},
    _MESSAGE | {"unclear": True, "approval": None, "answering": ""},
    _MESSAGE | {"approval": _MESSAGE["approval"] | {"people": ""}},
]
_FORM: Context = {
    "action": f"{TENANT}/tasks/new-date/completion",
    "label": "Send the message",
    "open": True,
    "fields": [
        {"id": "subject", "label": said("Subject"), "type": "text", "required": True, "help": {}},
        {
            "id": "body",
            "label": said("Message"),
            "type": "long_text",
            "required": True,
            "help": {},
        },
    ],
    "asks": "",
    "asked": "",
    "given": {
        "subject": "Your new go-live date",
        "body": "We go live on Monday, 14 December.\n\nNothing else changes.",
    },
    "errors": [],
}
TELLING: list[Context] = [
    {
        "key": "new-date",
        "title": said("Tell the new date"),
        "state": "open",
        "form": _FORM,
        "message": _MESSAGE,
    },
    {
        "key": "nudge",
        "title": said("Nudge them to choose a day"),
        "state": "waiting",
        "message": MESSAGES[1],
    },
    {
        "key": "missed",
        "title": said("Ask for the list"),
        "state": "skipped",
        "kept_back": True,
    },
]
