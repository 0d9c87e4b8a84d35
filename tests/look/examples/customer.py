"""What a customer's people see."""

from __future__ import annotations

from tests.look.examples.facts import CUSTOMER, KEY, NOW, TENANT, Context, days

MILESTONES = [
    {"name": "Kickoff", "state": "reached", "at": days(-12), "takes": ""},
    {"name": "Access", "state": "reached", "at": days(-4), "takes": ""},
    {"name": "Mailboxes moved", "state": "current", "at": days(3), "takes": "All 25 mailboxes open in the new system."},
    {"name": "Training", "state": "ahead", "at": days(8), "takes": "Two sessions, everyone has been to one."},
    {"name": "First value", "state": "ahead", "at": days(10), "takes": "The first ticket solved without a call."},
]
_ONBOARDING = {
    "name": "Managed services, 25 seats",
    "state": "on_track",
    "reason": "",
    "first_value_at": None,
    "first_value_due": days(10),
    "steps_path": f"{TENANT}/steps",
}
_TASK = {
    "title": {"en": "Upload your user list", "de": "Benutzerliste hochladen"},
    "path": f"{TENANT}/tasks/user-list",
    "due_at": days(4),
    "late": False,
    "minutes": 10,
    "why": "We create the accounts from it.",
    "who_sees": "Only the three people who set up your accounts see it.",
}
USUAL: Context = {
    "chrome": CUSTOMER,
    "onboarding": _ONBOARDING,
    "milestones": MILESTONES,
    "next_task": _TASK,
    "doing": [{"title": "Connecting your directory", "owner": "Dana Weber", "since": days(-3)}],
    "then": ["Confirm the go-live date", "Name who comes to the training"],
    "waits": {"partner": 172_800, "customer": 86_400},
    "now": NOW,
}
_LATE = USUAL | {
    "onboarding": _ONBOARDING | {"state": "stuck", "reason": "We cannot create accounts before we have your list."},
    "milestones": [
        stop | {"state": "late", "at": days(-2)} if stop["state"] == "current" else stop for stop in MILESTONES
    ],
    "next_task": _TASK | {"late": True, "due_at": days(-2)},
    "doing": [],
}
_FINISHED = USUAL | {
    "onboarding": _ONBOARDING | {"state": "finished", "first_value_at": days(-1)},
    "milestones": [stop | {"state": "reached", "takes": ""} for stop in MILESTONES],
    "next_task": None,
    "doing": [],
    "then": [],
}
_FIELDS = [
    {"id": "domain", "label": "Your mail domain", "type": "text", "required": True, "help": "The part after the @."},
    {"id": "seats", "label": "How many people start?", "type": "integer", "required": True, "help": {}},
    {"id": "day", "label": "Preferred first day", "type": "date", "required": False, "help": {}},
    {
        "id": "system",
        "label": "Which system do you come from?",
        "type": "select",
        "required": True,
        "help": {},
        "options": [{"id": "exchange", "label": "Exchange Server"}, {"id": "imap", "label": {"en": "Another one"}}],
    },
    {"id": "remarks", "label": "What should we know?", "type": "long_text", "required": False, "help": {}},
]
_FORM: Context = {
    "chrome": CUSTOMER,
    "task": {
        "title": {"en": "Tell us about your mailboxes", "de": "Angaben zu Ihren Postfächern"},
        "state": "open",
        "due_at": days(4),
        "minutes": 10,
        "why": "We plan the move from it.",
        "who_sees": "Dana Weber and two engineers.",
        "kept": "Until four weeks after go-live.",
        "completed_at": None,
        "completed_by": "",
    },
    "action": f"{TENANT}/tasks/mailboxes/completion",
    "fields": _FIELDS,
    "values": {},
    "errors": [],
    "back": TENANT,
    "command_key": KEY,
}
_SENT = {"domain": "contoso.example", "seats": 25, "day": days(9).date(), "system": "exchange"}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/customer_status.html": [page | {"stream": "/stream"} for page in (USUAL, _LATE, _FINISHED)],
    "onboarding/_status_live.html": [USUAL],
    "onboarding/customer_task.html": [
        _FORM,
        _FORM
        | {
            "values": {"seats": "many", "remarks": "<b>bold</b> & more"},
            "errors": [("domain", "Write your mail domain."), ("seats", "Write a whole number, for example 25.")],
        },
        _FORM
        | {
            "task": _FORM["task"] | {"state": "done", "completed_at": days(-1), "completed_by": "Maria Lopez"},
            "values": _SENT,
        },
    ],
    "onboarding/customer_steps.html": [
        {
            "chrome": CUSTOMER,
            "onboarding": _ONBOARDING,
            "back": TENANT,
            "stages": [
                {
                    "name": "Preparation",
                    "tasks": [
                        {"title": "Kickoff", "side": "partner", "owner": "Dana Weber", "due_at": days(-12)}
                        | {"state": "done", "path": ""},
                        {"title": "Upload your user list", "side": "customer", "owner": "", "due_at": days(4)}
                        | {"state": "open", "path": f"{TENANT}/tasks/user-list"},
                    ],
                },
                {
                    "name": "Move",
                    "tasks": [
                        {"title": "Move the mailboxes", "side": "partner", "owner": "", "due_at": None}
                        | {"state": "waiting", "path": ""}
                    ],
                },
            ],
        }
    ],
}
