"""The gate: the packet, what blocks, and the decision."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import KEY, PARTNER, TENANT, Context, days


def _fact(name: str, label: str, value: str, rule: str, **more: Any) -> dict[str, Any]:
    spec = {"id": name, "label": label, "type": "text", "required": rule == "hard", "help": {}}
    fact: dict[str, Any] = {"id": name, "label": label, "value": value, "rule": rule}
    fact["source"] = "HubSpot, deal 4711" if value else ""
    fact |= {"corrected_by": "", "corrected_at": None, "why": "The plan is made from it.", "spec": spec}
    return fact | {"correct_path": f"{TENANT}/packet/{name}"} | more


_PACKET = [
    _fact("outcome", "Business outcome", "Support tickets answered within a day", "hard"),
    _fact("first_value", "First-value milestone", "", "hard", why="Without it nobody can say when we are done."),
    _fact("stakeholders", "Key stakeholders", "Maria Lopez (IT), Ben Ito (finance)", "hard")
    | {"corrected_by": "Dana Weber", "corrected_at": days(-1)},
    _fact("customer_owner", "Customer-side owner", "", "soft", why="Tasks of the customer need somebody to go to."),
    _fact("terms", "Non-standard terms", "None", "hard"),
    _fact("renewal", "Renewal or expansion signal", "", "info", correct_path=""),
]
_DECISIONS = [
    {"id": "accept", "label": "Accept the handoff", "effect": "pass", "needs_reason": False, "allowed": False}
    | {"consequence": "Kickoff tasks open and the customer is invited."},
    {"id": "override", "label": "Accept although fields are missing", "effect": "override", "needs_reason": True}
    | {"allowed": True, "consequence": "As above; your name and reason stand in the trail."},
    {"id": "return", "label": "Send back to sales", "effect": "return", "needs_reason": True, "allowed": True}
    | {"consequence": "Sales gets a task with the missing fields; nothing starts."},
]
_GATE: Context = {
    "chrome": PARTNER,
    "onboarding": {"tenant": "Fabrikam", "path": TENANT},
    "gate": {"title": "Handoff gate", "state": "open", "role": "RevOps", "decision": "", "decided_by": ""}
    | {"decided_at": None, "reason": ""},
    "packet": _PACKET,
    "blocking": [{"label": "First-value milestone", "place": "packet-first_value", "why": _PACKET[1]["why"]}],
    "naming": [{"label": "Customer-side owner", "place": "packet-customer_owner", "why": _PACKET[3]["why"]}],
    "checks": [
        {
            "text": {"en": "The contract is signed in the CRM.", "de": "Der Vertrag ist im CRM unterschrieben."},
            "state": "complete",
        },
        {
            "text": {
                "en": "The plan in the CRM is the plan in billing.",
                "de": "CRM und Rechnung nennen denselben Tarif.",
            },
            "state": "complete",
        },
    ],
    "escalate": ["A term was promised that no package has."],
    "logged": ["decision", "reason", "your name", "the packet as you saw it"],
    "decisions": _DECISIONS,
    "reason": "",
    "errors": [],
    "action": f"{TENANT}/gates/handoff/decision",
    "command_key": KEY,
}
_DECIDED = _GATE["gate"] | {"state": "done", "decision": "Accept the handoff", "decided_by": "Dana Weber"}
_FILLED = [fact | {"value": fact["value"] or "The first ticket solved without a call"} for fact in _PACKET]
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/gate_review.html": [
        _GATE,
        _GATE | {"errors": [("reason", "Say why this may go on although a field is missing.")]},
        _GATE
        | {"gate": _DECIDED | {"decided_at": days(-1)}, "packet": _FILLED, "blocking": [], "naming": [], "action": ""}
        | {"escalate": []},
    ],
    "onboarding/_gate_decision.html": [_GATE],
    "onboarding/_packet_field.html": [{"fact": fact, "command_key": KEY} for fact in _PACKET],
}
