"""What the gallery page shows: every component in every state, with made-up facts and a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.web.translations import mark

NOW = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
_VALUES: dict[str, Any] = {
    "company": "Contoso GmbH",
    "seats": 25,
    "start": "2026-03-12",
    "plan": "pro",
    "agree": True,
    "note": "",
    "contact": "",
    "users": None,
    "token": "",
}
_WEEK = ("Kickoff", "Access", "Data", "Training", "First value")
_WOCHE = ("Auftakt", "Zugang", "Daten", "Schulung", "Erster Nutzen")


def gallery_context() -> dict[str, Any]:
    """The context of `web/gallery.html`."""
    return {
        "states": _STATES,
        "milestones": _milestones("current"),
        "late_milestones": _milestones("late"),
        "fields": _FIELDS,
        "values": _VALUES,
        "wrong_values": _VALUES | {"contact": "maria@contoso", "seats": 25.5},
        "errors": [
            ("contact", "This is not an e-mail address such as name@example.org."),
            ("seats", "Write a whole number."),
        ],
        "labels": {str(spec["id"]): spec["label"] for spec in _FIELDS},
        "court": _COURT,
        "names": {"partner": "Northwind", "customer": "Contoso"},
        "entries": _ENTRIES,
        "queues": _QUEUES,
        "notices": [
            ("good", mark("Your answers arrived.")),
            ("info", mark("Nobody but your contact sees this.")),
            ("warn", mark("Two fields need a name.")),
            ("bad", mark("The file was not stored. Send it again.")),
        ],
    }


def _both(english: str, german: str) -> dict[str, str]:
    """A text as a template holds it."""
    return {"en": english, "de": german}


_TAKES = _both(
    "Every record of the sample file is found in the new system.",
    "Jeder Datensatz der Probedatei findet sich im neuen System.",
)


def _milestones(third: str) -> list[dict[str, Any]]:
    states = ["reached", "reached", third, "ahead", "ahead"]
    return [
        {
            "name": _both(name, _WOCHE[place]),
            "state": state,
            "at": NOW + timedelta(days=7 * place - 14) if place < len(_WEEK) - 1 else None,
            "takes": "" if state == "reached" else _TAKES,
        }
        for place, (name, state) in enumerate(zip(_WEEK, states, strict=True))
    ]


_STATES = (
    *("on_track", "behind", "stuck", "finished", "cancelled", "waiting", "open", "running", "blocked", "done"),
    *("skipped", "not_needed", "overdue", "succeeded", "failed"),
    *("unknown", "active", "suspended", "hard", "soft", "info"),
)
_FIELDS = [
    {"id": "company", "label": _both("Legal name", "Rechtlicher Name"), "type": "text", "required": True, "help": ""},
    {
        "id": "contact",
        "label": _both("Billing contact", "Kontakt für Rechnungen"),
        "type": "email",
        "required": True,
        "help": _both("Gets the invoices.", "Bekommt die Rechnungen."),
    },
    {"id": "seats", "label": _both("Seats", "Plätze"), "type": "integer", "required": True, "help": ""},
    {"id": "start", "label": _both("First day", "Erster Tag"), "type": "date", "required": False, "help": ""},
    {
        "id": "plan",
        "label": _both("Plan", "Tarif"),
        "type": "select",
        "required": True,
        "help": "",
        "options": [{"id": "basic", "label": "Basic"}, {"id": "pro", "label": "Professional"}],
    },
    {"id": "note", "label": _both("Anything else?", "Noch etwas?"), "type": "long_text", "required": False, "help": ""},
    {
        "id": "users",
        "label": _both("User list", "Liste der Benutzer"),
        "type": "file",
        "required": False,
        "help": _both("CSV. Kept until go-live.", "CSV. Wird bis zum Start aufbewahrt."),
    },
    {
        "id": "token",
        "label": _both("Access token", "Zugangsschlüssel"),
        "type": "secret",
        "required": False,
        "help": _both("Nobody can read it again.", "Niemand kann ihn wieder lesen."),
    },
    {
        "id": "agree",
        "label": _both("The list is complete", "Die Liste ist vollständig"),
        "type": "boolean",
        "required": True,
        "help": "",
    },
]
_COURT = [
    {"holder": "partner", "seconds": 201_600, "share": 0.31, "reasons": []},
    {"holder": "customer", "seconds": 338_400, "share": 0.52, "reasons": [("Waiting on billing info", 122_400)]},
    {"holder": "vendor", "seconds": 110_400, "share": 0.17, "reasons": []},
]
_ENTRIES = [
    {"what": what, "at": NOW - timedelta(hours=hours) if hours else None, "by": by, "facts": facts}
    | {"tone": tone, "icon": icon}
    for what, hours, by, facts, tone, icon in (
        ("Deal closed", 50, "HubSpot", "Opportunity 4711", "info", "inbox"),
        ("Handoff accepted", 48, "Dana Weber", "No field missing", "good", "gavel"),
        ("Writeback failed", 3, "Connector", "The CRM answered 500; tried 3 times", "bad", "plug"),
        ("First value", 0, "", "", "idle", "flag"),
    )
]
_QUEUES = [
    {"name": _both("Handoff acceptance", "Annahme der Übergabe"), "oldest": 14_400, "share": 0.08, "late": False},
    {"name": _both("Customer response", "Antwort des Kunden"), "oldest": 345_600, "share": 1.0, "late": True},
]
