"""What a customer's people see."""

from __future__ import annotations

from tests.look.examples.facts import CUSTOMER, KEY, NOW, TENANT, Context, days, said
from tests.look.examples.onboarding.files import FILES, PLACES, REFUSED
from tests.look.examples.onboarding.overview import CALM, ENDED, SOLD, TOLD

MILESTONES: list[Context] = [
    {"name": said("Kickoff"), "state": "reached", "at": days(-12), "takes": ""},
    {"name": said("Access"), "state": "reached", "at": days(-4), "takes": ""},
    {"name": said("Mailboxes moved"), "state": "current", "at": days(3)}
    | {"takes": said("All 25 mailboxes open in the new system.")},
    {"name": said("Training"), "state": "ahead", "at": days(8)}
    | {"takes": said("Two sessions, everyone has been to one.")},
    {"name": said("First value"), "state": "ahead", "at": None}
    | {"takes": said("The first ticket solved without a call.")},
]
_ONBOARDING: Context = {
    "name": "Managed services, 25 seats",
    "state": "on_track",
    "reason": "",
    "first_value_at": None,
    "first_value_due": days(10),
    "first_value_proof": None,
    "ended_at": None,
    "steps_path": f"{TENANT}/steps",
    "sandbox": False,
}
DECLINE: Context = {
    "id": "decline",
    "action": f"{TENANT}/items/task.mailboxes/decline",
    "label": "Not needed",
    "text": "Nobody waits for this step. It can be left undone, or you say now that it is not needed.",
    "fields": [
        {"id": "reason", "label": "Why it is not needed", "type": "long_text", "required": True}
        | {"help": "Is kept in the trail."}
    ],
    "given": {},
    "errors": [],
}
ADD: Context = {
    "id": "parts",
    "action": f"{TENANT}/items/survey/parts",
    "label": "Add another",
    "text": "This step happens several times, each with its own answers, owner and dates.",
    "fields": [
        {"id": "name", "label": "Name", "type": "text", "required": True}
        | {"help": "What tells it from the others, such as a site."}
    ],
    "given": {},
    "errors": [("name", "There is one of this name already.")],
}
AWAY: Context = {
    "id": "removal",
    "action": f"{TENANT}/items/survey%232/removal",
    "label": "Take this one away",
    "text": "Possible as long as nothing was done in it.",
    "fields": [
        {"id": "reason", "label": "Reason", "type": "long_text", "required": False, "help": "Is kept in the trail."}
    ],
    "given": {},
    "errors": [],
}
_TASK: Context = {
    "title": {"en": "Upload your user list", "de": "Benutzerliste hochladen"},
    "path": f"{TENANT}/tasks/user-list",
    "due_at": days(4),
    "late": False,
    "minutes": 10,
    "why": said("We create the accounts from it."),
    "who_sees": said("Only those who set up your accounts see it."),
    "optional": False,
}
USUAL: Context = {
    "chrome": CUSTOMER,
    "onboarding": _ONBOARDING,
    "milestones": MILESTONES,
    "next_task": _TASK,
    "doing": [{"title": said("Connect your directory"), "owner": "Dana Weber", "since": days(-3)}],
    "then": [
        said("Confirm the go-live date"),
        said("Name who comes to the training"),
    ],
    "waits": {"partner": 172_800, "customer": 86_400},
    "answers": TOLD,
    "sold": SOLD | {"prices": [], "told": True},
    "now": NOW,
}
_LATE = USUAL | {
    "onboarding": _ONBOARDING | {"state": "stuck", "reason": "We are waiting for an answer from you."},
    "milestones": [
        stop | {"state": "late", "at": days(-2)} if stop["state"] == "current" else stop for stop in MILESTONES
    ],
    "next_task": _TASK | {"late": True, "due_at": days(-2)},
    "doing": [],
}
_PROOF: Context = {"statement": "Ticket 1042, solved by the new system.", "link": "https://docs.example/1042"}
_FINISHED = USUAL | {
    "onboarding": _ONBOARDING
    | {"state": "finished", "first_value_at": days(-2), "ended_at": days(-1)}
    | {"first_value_proof": _PROOF | {"given_by": "Maria Lopez", "given_at": days(-2)}},
    "milestones": [
        stop | {"state": "reached", "at": days(3 * place - 14), "takes": ""} for place, stop in enumerate(MILESTONES)
    ],
    "next_task": None,
    "doing": [],
    "then": [],
    "answers": ENDED,
}
_QUIET = USUAL | {"next_task": None, "answers": CALM}
_CANCELLED = _FINISHED | {
    "onboarding": _ONBOARDING | {"state": "cancelled", "ended_at": days(-1)},
    "milestones": [
        stop if stop["state"] == "reached" else stop | {"state": "cancelled", "at": None, "takes": ""}
        for stop in MILESTONES
    ],
}
_FIELDS = [
    {
        "id": "domain",
        "label": said("Your mail domain"),
        "type": "text",
        "required": True,
        "help": said("The part after the @."),
    },
    {
        "id": "seats",
        "label": said("How many people start?"),
        "type": "integer",
        "required": True,
        "help": {},
    },
    {
        "id": "day",
        "label": said("Preferred first day"),
        "type": "date",
        "required": False,
        "help": {},
    },
    {
        "id": "system",
        "label": said("Which system do you come from?"),
        "type": "select",
        "required": True,
        "help": {},
        "options": [
            {"id": "exchange", "label": "Exchange Server"},
            {"id": "imap", "label": said("Another one")},
        ],
    },
    {
        "id": "remarks",
        "label": said("What should we know?"),
        "type": "long_text",
        "required": False,
        "help": {},
    },
]
_MORE_FIELDS = [
    {
        "id": "parts",
        "label": said("What comes along?"),
        "type": "choices",
        "required": True,
        "help": said("Tick all that apply."),
        "options": [{"id": "mail", "label": "Mail"}, {"id": "files", "label": said("Files")}],
    },
    {"id": "rate", "label": said("Share of it, in percent"), "type": "decimal", "required": False, "help": {}},
    {"id": "phone", "label": said("Who answers questions?"), "type": "phone", "required": False, "help": {}},
    {"id": "wiki", "label": said("Where is it described?"), "type": "url", "required": False, "help": {}},
]
_FORM: Context = {
    "places": [],
    "chrome": CUSTOMER,
    "task": {
        "title": {"en": "Tell us about your mailboxes", "de": "Angaben zu Ihren Postfächern"},
        "state": "open",
        "due_at": days(4),
        "minutes": 10,
        "why": said("We plan the move from it."),
        "who_sees": said("Dana Weber and two engineers."),
        "kept": said("Until four weeks after go-live."),
        "completed_at": None,
        "completed_by": "",
        "key": "task.mailboxes",
        "optional": False,
    },
    "more": [],
    "action": f"{TENANT}/tasks/mailboxes/completion",
    "fields": _FIELDS,
    "asks": "",
    "asked": "",
    "values": {},
    "errors": [],
    "back": TENANT,
    "talk": f"{TENANT}/comments",
    "command_key": KEY,
}
_SENT = {"domain": "contoso.example", "seats": 25, "day": days(9).date(), "system": "exchange"}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/customer_status.html": [
        page | {"stream": "/stream"} for page in (USUAL, _LATE, _FINISHED, _CANCELLED, _QUIET)
    ],
    "onboarding/_status_live.html": [USUAL],
    "onboarding/customer/_next.html": [USUAL],
    "onboarding/customer/_answers.html": [USUAL, _FINISHED],
    "onboarding/customer/_over.html": [_FINISHED],
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
        _FORM | {"task": _FORM["task"] | {"optional": True}, "more": [DECLINE]},
        _FORM | {"task": _FORM["task"] | {"optional": True, "state": "not_needed"}},
        _FORM
        | {"fields": _MORE_FIELDS, "asks": f"{TENANT}/tasks/mailboxes/questions", "asked": "parts,rate,phone,wiki"}
        | {"values": {"parts": ["mail"], "rate": "12.5", "wiki": "wiki"}}
        | {"errors": [("wiki", "This is not a web address such as https://example.org.")]},
        _FORM
        | {"fields": _MORE_FIELDS, "values": {"parts": "mail\nfiles", "wiki": "https://wiki.example/mail"}}
        | {"task": _FORM["task"] | {"state": "done", "completed_at": days(-1), "completed_by": "Maria Lopez"}},
        _FORM | {"fields": [], "places": PLACES},
        _FORM | {"fields": [], "places": REFUSED},
        _FORM
        | {
            "fields": [
                {
                    "id": "diagram",
                    "label": {"en": "A diagram of your systems", "de": "Eine Zeichnung Ihrer Systeme"},
                    "type": "files",
                }
            ],
            "values": {"diagram": FILES},
        }
        | {"task": _FORM["task"] | {"state": "done", "completed_at": days(-1), "completed_by": "Maria Lopez"}},
    ],
    "onboarding/work/_questions.html": [
        {"fields": _MORE_FIELDS, "values": {}, "errors": [], "asks": TENANT, "asked": "parts", "prefix": "task-"}
    ],
    "onboarding/plan/_more.html": [
        _FORM | {"about": _FORM["task"], "more": [DECLINE]},
        _FORM | {"about": _FORM["task"], "more": [DECLINE | {"errors": [("reason", "Write down why.")]}]},
    ],
    "onboarding/customer_steps.html": [
        {
            "chrome": CUSTOMER,
            "onboarding": _ONBOARDING,
            "back": TENANT,
            "talk": f"{TENANT}/comments",
            "stages": [
                {
                    "name": said("Preparation"),
                    "tasks": [
                        {
                            "title": said("Kickoff"),
                            "side": "partner",
                            "owner": "Dana Weber",
                            "due_at": days(-12),
                        }
                        | {"state": "done", "optional": False, "path": ""},
                        {"title": _TASK["title"], "side": "customer", "owner": "", "due_at": days(4)}
                        | {"state": "open", "optional": True, "path": f"{TENANT}/tasks/user-list"},
                    ],
                },
                {
                    "name": said("Move"),
                    "tasks": [
                        {
                            "title": said("Move the mailboxes"),
                            "side": "partner",
                            "owner": "",
                            "due_at": None,
                        }
                        | {"state": "waiting", "optional": False, "path": ""}
                    ],
                },
            ],
        }
    ],
}
