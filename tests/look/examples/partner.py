"""What a partner's staff see: home, one onboarding, its trace, customers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.web.frame import Link
from app.web.page.gallery import gallery_context
from tests.look.examples.customer import ADD, AWAY, DECLINE, MILESTONES
from tests.look.examples.facts import KEY, PARTNER, TENANT, TRACE, WITHIN, Context, days, said
from tests.look.examples.library.lines import DEPRECATED
from tests.look.examples.onboarding.course import (
    COURSE,
    EDITED,
    HOLD,
    PROPOSED,
    PROPOSED_INPUT,
    REFUSED_ROUTE,
    RESOLUTION,
    RESUME,
    ROUTE,
)
from tests.look.examples.onboarding.message import MESSAGES, TELLING
from tests.look.examples.onboarding.overview import ANSWERS, CALM, ENDED, SOLD


def _row(
    tenant: str, state: str, reason: str, step: dict[str, str] | str, holder: str, *, done: int, due: float
) -> dict[str, Any]:
    row = {"tenant": tenant, "path": TENANT, "template": "Managed services v2.3", "state": state, "reason": reason}
    return row | {"next_step": step, "holder": holder, "tasks_done": done, "tasks_total": 14, "due_at": days(due)}


_HOME: Context = {
    "chrome": PARTNER,
    "scope": "team",
    "tally": {"on_track": 41, "behind": 6, "stuck": 3},
    "needs": [
        {"state": "stuck", "urgent_for": "Stuck for 4 days", "subject": "Contoso · Mailboxes moved", "path": TENANT}
        | {"text": "The customer has no owner", "acts": [Link("Assign", TENANT), Link("Open", TENANT)]},
        {"state": "open", "urgent_for": "Gate to decide", "subject": "Fabrikam · Handoff", "path": TENANT}
        | {"text": "2 hard fields are missing", "acts": [Link("Review", TENANT)]},
        {"state": "behind", "urgent_for": "3 hours left", "subject": "Tailspin · Kickoff", "path": TENANT}
        | {"text": "Waiting on scheduling", "acts": [Link("Remind", TENANT)]},
    ],
    "queues": [
        {"name": "Customer response", "count": 9, "oldest": 345_600, "share": 1.0, "late": True},
        {"name": "Handoff acceptance", "count": 2, "oldest": 93_600, "share": 0.27, "late": False},
        {"name": "Kickoff scheduling", "count": 4, "oldest": 40_000, "share": 0.12, "late": False},
    ],
    "reasons": [
        {"name": "Waiting on technical credentials", "count": 5, "share": 1.0},
        {"name": "Customer no response", "count": 3, "share": 0.6},
        {"name": "Scope mismatch", "count": 1, "share": 0.2},
    ],
    "onboardings": [
        _row("Contoso", "stuck", "No customer owner for 4 days", said("Name an owner"), "Customer", done=5, due=2),
        _row("Fabrikam", "on_track", "", said("Decide the handoff"), "Northwind", done=1, due=6),
        _row("Tailspin Toys", "behind", "Kickoff moved twice", said("Hold the kickoff"), "Customer", done=3, due=1),
        _row("Wingtip", "finished", "", "", "", done=14, due=-3),
    ],
    "needs_in_all": 14,
    "everything": False,
    "state": "",
    "first": False,
    "older": "c",
}
_ENTRY: dict[str, Any] = {
    "kind": "task",
    "key": "kickoff",
    "title": said("Hold the kickoff"),
    "side": "partner",
    "owner": "Dana Weber",
    "due_at": days(-12),
    "late": False,
    "state": "done",
    "layer": "",
    "exit": "",
    "evidence": None,
    "answers": [],
    "path": "",
    "form": None,
    "files": "",
    "message": None,
    "kept_back": False,
    "said": 2,
    "optional": False,
    "more": [],
}
_FORM = {
    "action": f"{TENANT}/tasks/directory/completion",
    "label": "Complete",
    "open": False,
    "fields": [
        {
            "id": "statement",
            "label": said("What proves it"),
            "type": "text",
            "required": True,
            "help": said("One sentence."),
        },
        {"id": "link", "label": said("Link to the evidence"), "type": "text", "required": False, "help": {}},
    ],
    "asks": "",
    "asked": "",
    "given": {},
    "errors": [],
}
_ANSWERS = [
    ({"id": "domain", "label": "Your mail domain", "type": "text"}, "contoso.example"),
    ({"id": "mfa", "label": "Everybody signs in with two factors", "type": "boolean"}, True),
    ({"id": "day", "label": "Preferred first day", "type": "date"}, days(9).date()),
]
_TIMES: list[dict[str, Any]] = [
    {"label": said("from trigger to first value"), "took": 1_036_800},
    {"label": said("from kickoff to first value"), "took": 604_800},
    {"label": said("from account to core process"), "took": 93_600},
]
_PROOF = {"statement": "Minutes sent to all who took part.", "link": "https://docs.example/1", "given_by": "Dana Weber"}
_PLAN: Context = {
    "chrome": WITHIN,
    "onboarding": {
        "tenant": "Contoso",
        "sandbox": False,
        "path": TENANT,
        "name": "25 seats, Bristol and Leeds",
        "template": "Managed services v2.3",
        "state": "behind",
        "reason": "Waiting on technical credentials",
        "first_value_at": None,
        "first_value_due": days(10),
        "first_value_proof": None,
        "ended_at": None,
        "steps_path": f"{TENANT}/steps",
    },
    "ball": {"holder": "customer", "since": days(-4)},
    "hold": None,
    "chain": {
        "is": "Renewal",
        "before": {"path": f"{TENANT}/before", "name": "25 seats, Bristol and Leeds"},
        "after": [{"path": f"{TENANT}/after", "name": "Expansion"}],
    },
    "view": "plan",
    "tabs": {
        "gates": 1,
        "exceptions": 1,
        "unanswered": 1,
        "connections": "/t/0192f0c1/connections",
        "mails": "",
        "trail": "/t/0192f0c1/trail",
        "course": True,
    },
    "path": TENANT,
    "court": gallery_context()["court"],
    "names": {"partner": "Northwind", "customer": "Contoso"},
    "milestones": MILESTONES,
    "answers": ANSWERS,
    "sold": SOLD,
    "stages": [
        {
            "name": said("Preparation"),
            "state": "done",
            "entries": [
                _ENTRY | {"evidence": _PROOF | {"given_at": days(-12)}},
                _ENTRY
                | {"key": "handoff", "kind": "gate", "title": said("Handoff gate"), "path": f"{TENANT}/gates/handoff"},
                _ENTRY | {"key": "kicked-off", "kind": "milestone", "title": said("Kickoff"), "layer": "internal"},
            ],
        },
        {
            "name": said("Move"),
            "state": "running",
            "entries": [
                _ENTRY
                | {"key": "directory", "title": said("Connect the directory"), "state": "open", "late": True}
                | {"due_at": days(-1), "form": _FORM},
                _ENTRY
                | {"key": "mailboxes", "title": said("Tell us about your mailboxes"), "side": "customer", "owner": ""}
                | {"state": "open", "due_at": days(4), "answers": _ANSWERS},
                _ENTRY | {"key": "create", "title": said("Create the accounts"), "state": "running", "due_at": days(5)},
                _ENTRY
                | {"key": "survey", "kind": "group", "title": said("Look at the site"), "state": "open"}
                | {"due_at": days(5), "more": [ADD]},
                _ENTRY
                | {"key": "survey#1", "title": said("Look at the site: Bristol"), "state": "done", "due_at": days(-1)},
                _ENTRY
                | {"key": "survey#2", "title": said("Look at the site: Leeds"), "state": "open", "due_at": days(5)}
                | {"more": [AWAY]},
                *(_ENTRY | {"due_at": days(1)} | each for each in TELLING),
                _ENTRY
                | {"key": "sso", "title": said("Sign in with one account"), "state": "open", "due_at": days(5)}
                | {"optional": True, "more": [DECLINE]},
                _ENTRY
                | {"key": "moved", "kind": "milestone", "title": said("Mailboxes moved"), "layer": "value", "owner": ""}
                | {"state": "waiting", "due_at": days(6), "exit": said("All 25 mailboxes open in the new system.")},
            ],
        },
    ],
    "command_key": KEY,
}
PLAN = _PLAN  # other views begin with the same head
_PAGE: Context = _PLAN | {
    "stream": "/stream",
    "gates": [],
    "exceptions": [],
    "trail": [],
    "course": [],
    "errors": [],
}
GATES = [
    {
        "title": said("Handoff gate"),
        "path": f"{TENANT}/gates/handoff",
        "state": "open",
        "decision": "",
        "decided_by": "",
    }
    | {"decided_at": None, "reason": "", "hard_missing": 2, "soft_missing": 1},
    {"title": said("Launch gate"), "path": f"{TENANT}/gates/launch", "state": "done", "decision": said("Launch")}
    | {"decided_by": "Dana Weber", "decided_at": days(-1), "reason": "", "hard_missing": 0, "soft_missing": 0},
]
_CHOICES = [
    {"id": "retry", "label": "Try again", "consequence": "The step is tried once more."},
    {"id": "done", "label": "It was done", "consequence": "The step counts as done; your note is its evidence."},
    {"id": "skip", "label": "Leave it out", "consequence": "The step is left out; what follows can begin."},
]
EXCEPTIONS = [
    {
        "id": "0192f0c5",
        "title": said("Technical blocker"),
        "item": said("Create the accounts"),
        "state": "open",
        "owner": "",
    }
    | {
        "reason": "Integration failure",
        "route": [said("Implementation lead")],
        "opened_at": days(-2),
        "respond_by": days(-1),
    }
    | {
        "late": True,
        "late_by": 93_600.0,
        "told": [said("CSM manager"), said("Implementation lead")],
        "note": "The product answered 500 three times; the outcome of the last try is unknown.",
    }
    | {"resolution": "", "main": RESOLUTION | {"choices": _CHOICES}}
    | {"response": None, "retry_at": None, "proposal": None, "ways": [ROUTE], "solved": None},
    {
        "id": "0192f0c6",
        "title": said("Timeline risk"),
        "item": said("Kickoff"),
        "state": "resolved",
        "owner": "Dana Weber",
    }
    | {"reason": "Customer no response", "route": [said("CSM manager")], "opened_at": days(-9), "respond_by": None}
    | {
        "late": False,
        "late_by": 0.0,
        "told": [],
        "note": "No answer for 5 days.",
        "resolution": "New date agreed by phone.",
    }
    | {"main": None, "response": {"at": days(-8), "by": "Dana Weber", "in_time": True}}
    | {"retry_at": None, "proposal": None, "ways": [], "solved": {"at": days(-8), "by": "Dana Weber"}},
]
_ENDED = _PLAN | {
    "ball": None,
    "answers": ENDED,
    "onboarding": _PLAN["onboarding"]
    | {"state": "finished", "reason": "", "first_value_at": days(-1), "ended_at": days(0)},
    "tabs": {
        "gates": 0,
        "exceptions": 0,
        "unanswered": 0,
        "connections": "",
        "mails": "",
        "trail": "",
        "course": False,
    },
}
TRAIL = gallery_context()["entries"]
_WAY: list[Context] = [
    {
        "what": "Trigger received",
        "at": days(-13),
        "by": "",
        "facts": "Opportunity 4711",
        "tone": "info",
        "icon": "bell",
    },
    {"what": "Handoff validated", "at": days(-12.9), "by": "", "facts": "", "tone": "info", "icon": "list-check"},
    {"what": "Person decided", "at": days(-12), "by": "Dana Weber", "facts": "Handoff gate · Accept the handoff"}
    | {"tone": "info", "icon": "gavel"},
    {"what": "First value reached", "at": days(-1), "by": "Maria Lopez", "facts": "", "tone": "good", "icon": "flag"},
]
_NO_CUSTOMER: Context = {
    "chrome": replace(PARTNER, path="/customers"),
    "total": 0,
    "first": False,
    "older": "",
    "tenants": [],
}
_SANDBOXES = [
    {"name": name, "path": "/t/0192f0c1", "state": "active", "onboarding_state": "", "template": ""}
    | {"made_at": days(age)}
    for name, age in (("Try the new template", -1), ("Practice", -30))
]
_SANDBOX = {
    "onboarding": _PLAN["onboarding"] | {"tenant": "Practice", "name": "Sample Works Ltd", "sandbox": True},
    "tabs": _PLAN["tabs"] | {"mails": "/t/0192f0c1/mails"},
}
ON_HOLD = {"ball": None, "hold": HOLD, "onboarding": _PLAN["onboarding"] | {"state": "held"}}
_EMPTY: Context = {"chrome": WITHIN, "tenant": {"name": "Practice", "path": "/t/0192f0c1"}, "reason": ""}
EXAMPLES: dict[str, list[Context]] = {
    "partners/sandbox_empty.html": [
        _EMPTY,
        _EMPTY | {"reason": "There was no published template to start from when this sandbox was made."},
    ],
    "onboarding/partner_home.html": [
        _HOME,
        _HOME
        | {"needs": [], "queues": [], "reasons": [], "onboardings": []}
        | {"tally": {"on_track": 0, "behind": 0, "stuck": 0}, "needs_in_all": 0, "older": ""},
    ],
    "onboarding/_onboarding_row.html": [{"onboarding": _HOME["onboardings"][0]}],
    "onboarding/partner_onboarding.html": [
        _PAGE,
        _PAGE | {"ended": DEPRECATED, "runs": {"template": "msp-managed-services", "version": "1.0.0"}},
        _PAGE | {"view": "gates", "gates": GATES},
        _PAGE | {"view": "exceptions", "exceptions": EXCEPTIONS},
        _PAGE | {"view": "exceptions", "exceptions": [EXCEPTIONS[0] | {"proposal": PROPOSED, "main": None}]},
        _PAGE | {"view": "exceptions", "exceptions": [EXCEPTIONS[0] | {"ways": [REFUSED_ROUTE]}]},
        _PAGE | {"view": "exceptions", "exceptions": [EXCEPTIONS[0] | {"ways": [EDITED]}]},
        _PAGE | {"view": "exceptions", "exceptions": [EXCEPTIONS[0] | {"proposal": PROPOSED_INPUT, "main": None}]},
        _PAGE | {"view": "trail", "trail": TRAIL},
        _PAGE | _SANDBOX | {"answers": CALM},
        _PAGE | ON_HOLD,
        _PAGE | ON_HOLD | {"view": "course", "course": [RESUME]},
        _PAGE | {"view": "course", "course": COURSE},
        _PAGE | {"view": "exceptions", "tabs": _PLAN["tabs"] | {"exceptions": 0, "unanswered": 0}},
    ],
    "onboarding/_plan_live.html": [_PLAN, _ENDED],
    "onboarding/plan/_head.html": [_PLAN],
    "onboarding/overview/_answers.html": [
        _PLAN | {"asks": ["next", "ball", "date", "trouble"]},
        _ENDED | {"asks": ["next", "ball", "date", "trouble"]},
        _PLAN | {"asks": ["ball", "date", "trouble"], "answers": CALM},
    ],
    "onboarding/plan/_tabs.html": [_PLAN],
    "onboarding/plan/_plan_entry.html": [
        {"entry": _PLAN["stages"][1]["entries"][0], "command_key": KEY, "path": TENANT}
    ],
    "onboarding/plan/_task_form.html": [
        {"entry": _ENTRY | {"form": _FORM | {"errors": [("statement", "Say what proves it.")]}}, "command_key": KEY}
    ],
    "onboarding/plan/_message.html": [{"message": each} for each in MESSAGES],
    "onboarding/plan/_gates.html": [{"gates": GATES}, {"gates": []}],
    "onboarding/plan/_exceptions.html": [{"exceptions": EXCEPTIONS, "errors": [], "command_key": KEY}],
    "onboarding/plan/_exception_ways.html": [
        {"exception": EXCEPTIONS[0] | {"proposal": PROPOSED}, "command_key": KEY},
        {
            "exception": EXCEPTIONS[0] | {"proposal": PROPOSED | {"own": True, "form": None}, "ways": []},
            "command_key": KEY,
        },
    ],
    "onboarding/trace.html": [
        _ENDED | {"view": "trace", "trace_id": TRACE, "times": _TIMES, "entries": _WAY},
        _PLAN | {"view": "trace", "trace_id": TRACE, "times": [_TIMES[0] | {"took": None}], "entries": TRAIL},
    ],
    "partners/tenants.html": [
        {
            "chrome": replace(PARTNER, path="/customers"),
            "kind": "customer",
            "total": 54,
            "first": True,
            "older": "c",
            "tenants": [
                {"name": name, "path": TENANT, "state": state, "onboarding_state": running}
                | {"template": "Managed services v2.3", "made_at": days(age)}
                for name, state, running, age in (
                    ("Contoso", "active", "behind", -30),
                    ("Fabrikam", "seeding", "", -1),
                    ("Tailspin Toys", "suspended", "paused", -210),
                )
            ],
        },
        _NO_CUSTOMER | {"kind": "customer"},
        _NO_CUSTOMER | {"kind": "sandbox", "total": 2, "tenants": _SANDBOXES},
        _NO_CUSTOMER | {"kind": "sandbox"},
    ],
}
