"""An onboarding in four answers, as each side reads them."""

from __future__ import annotations

from tests.look.examples.facts import TENANT, Context, days, said

ANSWERS: Context = {
    "next": [
        {"title": said("Connect the directory"), "path": "#directory", "who": "Dana Weber", "side": "partner"}
        | {"by_itself": False, "state": "open", "due_at": days(-1), "late": True},
        {"title": said("Tell us about your mailboxes"), "path": "#mailboxes", "who": "", "side": "customer"}
        | {"by_itself": False, "state": "open", "due_at": days(4), "late": False},
    ],
    "ball": {"holder": "customer", "since": days(-4), "why": "Waiting on technical credentials", "step": {}},
    "date": {
        "at": days(10),
        "reached": False,
        "moved_days": 4,
        "why": "“Hold the kickoff” ended later than expected.",
        "reason": "",
        "go_live": {"day": days(9).date(), "expected": days(10), "late_by": 1},
        "path": f"{TENANT}/dates",
    },
    "trouble": {
        "open": [
            {"title": "Technical blocker: Create the accounts", "who": "Implementation lead"}
            | {"since": days(-2), "late": True}
        ],
        "solved": [{"title": "Timeline risk: Hold the kickoff", "by": "Dana Weber", "at": days(-8)}],
        "count": 2,
        "path": f"{TENANT}?view=exceptions",
    },
}
TOLD: Context = ANSWERS | {
    "ball": {
        "holder": "customer",
        "since": days(-4),
        "why": "",
        "step": {"en": "Upload your user list", "de": "Benutzerliste hochladen"},
    },
    "trouble": ANSWERS["trouble"]
    | {
        "open": [
            {"title": "We are waiting for technical access.", "who": "Dana Weber", "since": days(-2), "late": False}
        ],
        "solved": [{"title": "An answer of yours was needed", "by": "Dana Weber", "at": days(-8)}],
    },
}
SOLD: Context = {
    "told": False,
    "title": {"en": "Managed Gold"},
    "tier": {"en": "Gold"},
    "excluded": {
        "en": "Projects, and anything outside of working days",
        "de": "Projekte und alles außerhalb der Werktage",
    },
    "version": "1.2.0",
    "add_ons": [{"en": "Backup", "de": "Datensicherung"}, {"en": "Courses", "de": "Kurse"}],
    "prices": [{"interval": "monthly", "text": {"en": "49 € a seat", "de": "49 € je Platz"}}],
}
CALM: Context = {
    "next": [
        {"title": said("Create the accounts"), "path": "#create", "who": "", "side": "partner"}
        | {"by_itself": True, "state": "running", "due_at": days(2), "late": False}
    ],
    "ball": {"holder": "system", "since": days(-1), "why": "", "step": {}},
    "date": ANSWERS["date"] | {"moved_days": 0, "why": "", "go_live": None},
    "trouble": {"open": [], "solved": [], "count": 0, "path": f"{TENANT}?view=exceptions"},
}
ENDED: Context = CALM | {
    "next": [],
    "ball": None,
    "date": ANSWERS["date"] | {"reached": True, "at": days(-1), "moved_days": -3, "go_live": None},
    "trouble": ANSWERS["trouble"] | {"open": [], "solved": [{"title": "Missing outcome", "by": "", "at": days(-9)}]},
}
