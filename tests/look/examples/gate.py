"""The gate: the packet, what blocks, and the decision."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import KEY, TENANT, WITHIN, Context, days, said


def _fact(name: str, label: dict[str, str], value: str, rule: str, **more: Any) -> dict[str, Any]:
    spec = {"id": "value", "label": label, "type": "text", "required": rule == "hard", "help": {}}
    fact: dict[str, Any] = {"id": name, "label": label, "value": value, "rule": rule}
    fact["source"] = "HubSpot, deal 4711" if value else ""
    fact |= {
        "corrected_by": "",
        "corrected_at": None,
        "why": said("The plan is made from it."),
        "spec": spec,
    }
    return fact | {"correct_path": f"{TENANT}/packet/{name}"} | more


_PACKET = [
    _fact("outcome", said("Business outcome"), "Support tickets answered within a day", "hard"),
    _fact(
        "first_value",
        said("First-value milestone"),
        "",
        "hard",
        why=said("Without it nobody can say when we are done."),
    ),
    _fact("stakeholders", said("Key stakeholders"), "Maria Lopez (IT), Ben Ito (finance)", "hard")
    | {"corrected_by": "Dana Weber", "corrected_at": days(-1)},
    _fact(
        "customer_owner",
        said("Customer-side owner"),
        "",
        "soft",
        why=said("Tasks of the customer need somebody to go to."),
    ),
    _fact("terms", said("Non-standard terms"), "None", "hard"),
    _fact("renewal", said("Renewal or expansion signal"), "", "info", correct_path=""),
]
_DECISIONS = [
    {
        "id": "accept",
        "label": said("Accept the handoff"),
        "effect": "pass",
        "needs_reason": False,
        "allowed": False,
    }
    | {"consequence": "Kickoff tasks open and the customer is invited."},
    {
        "id": "override",
        "label": said("Accept although fields are missing"),
        "effect": "override",
        "needs_reason": True,
    }
    | {"allowed": True, "consequence": "As above; your name and reason are kept in the trail."},
    {
        "id": "return",
        "label": said("Send back to sales"),
        "effect": "return",
        "needs_reason": True,
        "allowed": True,
    }
    | {"consequence": "Sales gets a task with the missing fields; nothing starts."},
]
_GATE: Context = {
    "chrome": WITHIN,
    "onboarding": {"tenant": "Fabrikam", "path": TENANT},
    "gate": {
        "title": said("Handoff gate"),
        "state": "open",
        "role": "RevOps",
        "decision": "",
        "decided_by": "",
    }
    | {"decided_at": None, "reason": ""},
    "packet": _PACKET,
    "shown": [
        {"label": said("Key stakeholders"), "value": 64, "spec": {"id": "workplaces", "type": "integer"}},
        {"label": said("Customer-side owner"), "value": "", "spec": {"id": "owner", "type": "text"}},
    ],
    "blocking": [
        {
            "label": said("First-value milestone"),
            "place": "packet-first_value",
            "why": _PACKET[1]["why"],
        }
    ],
    "naming": [
        {
            "label": said("Customer-side owner"),
            "place": "packet-customer_owner",
            "why": _PACKET[3]["why"],
        }
    ],
    "checks": [
        {"state": "complete", "text": said("The contract is signed in the CRM.")},
        {"state": "complete", "text": said("CRM and billing name one plan.")},
    ],
    "escalate": [{"text": said("A term was promised that no package has."), "applies": False}],
    "logged": ["decision", "reason", "your name", "the packet as you saw it"],
    "decisions": _DECISIONS,
    "reason": "",
    "errors": [],
    "action": f"{TENANT}/gates/handoff/decision",
    "command_key": KEY,
}
_DECIDED = _GATE["gate"] | {
    "state": "done",
    "decision": said("Accept the handoff"),
    "decided_by": "Dana Weber",
}
_MORE = {"first_value": "The first ticket solved without a call", "customer_owner": "Maria Lopez", "renewal": "None"}
_FILLED = [
    fact | {"value": fact["value"] or _MORE[fact["id"]], "source": fact["source"] or "a person, by hand"}
    for fact in _PACKET
]
_READY = [
    fact | {"allowed": True, "consequence": "The gate opens and the next steps begin."}
    if fact["id"] == "accept"
    else fact
    for fact in _DECISIONS
    if fact["id"] != "override"
]
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/gate_review.html": [
        _GATE,
        _GATE
        | {"escalate": [{"text": said("A term was promised that no package has."), "applies": True}]}
        | {"errors": [("reason", "Say why this may go on although a field is missing.")]},
        _GATE
        | {"gate": _DECIDED | {"decided_at": days(-1)}, "blocking": [], "naming": [], "action": "", "escalate": []}
        | {"packet": [fact | {"correct_path": ""} for fact in _FILLED]},
        _GATE | {"packet": _FILLED, "blocking": [], "naming": [], "decisions": _READY},
    ],
    "onboarding/_gate_decision.html": [_GATE],
    "onboarding/gate/_ways.html": [_GATE],
    "onboarding/_packet_field.html": [{"fact": fact, "command_key": KEY} for fact in _PACKET],
}
