"""The facts at the top of every page about one onboarding: how it goes, and why it is not where it should be."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.flow.state import Proof
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

# The nine reason codes of REQUIREMENTS 1.6, as the partner's staff say them.
REASONS = {
    "waiting_customer_admin": mark("Waiting on customer admin"),
    "waiting_billing_info": mark("Waiting on billing info"),
    "waiting_technical_credentials": mark("Waiting on technical credentials"),
    "waiting_internal_provisioning": mark("Waiting on internal provisioning"),
    "scope_mismatch": mark("Scope mismatch"),
    "no_success_criteria": mark("No success criteria"),
    "customer_no_response": mark("Customer no response"),
    "ai_uncertainty": mark("AI uncertainty"),
    "integration_failure": mark("Integration failure"),
}
# The same, as the customer is told: a code is a label of the partner's work, and "no response" would be a reproach.
TOLD = {
    "waiting_customer_admin": mark("We are waiting for your administrator."),
    "waiting_billing_info": mark("We are waiting for billing details."),
    "waiting_technical_credentials": mark("We are waiting for technical access."),
    "waiting_internal_provisioning": mark("We are still setting something up on our side."),
    "scope_mismatch": mark("We are clarifying what was agreed."),
    "no_success_criteria": mark("We are clarifying what success means for you."),
    "customer_no_response": mark("We are waiting for an answer from you."),
    "ai_uncertainty": mark("We are checking something by hand."),
    "integration_failure": mark("A connection between two systems failed. We are working on it."),
}


def head(picture: Picture, words: dict[str, str] = REASONS) -> dict[str, Any]:
    """Where it is, how it goes, and the reason in the reader's words where it is stuck or behind."""
    return {
        "tenant": picture.tenant_name,
        "sandbox": picture.sandbox,
        "path": picture.path,
        "steps_path": f"{picture.path}/steps",
        "name": picture.onboarding.name,
        "template": picture.template,
        "state": picture.health(),
        "reason": reason_of(picture, words),
        "first_value_at": picture.onboarding.first_value_at,
        "first_value_due": picture.first_value_due(),
        "first_value_proof": proof_of(picture, picture.of(picture.definition.first_value.milestone).evidence),
        "ended_at": picture.onboarding.finished_at,
    }


def proof_of(picture: Picture, proof: Proof | None) -> dict[str, Any] | None:
    """Evidence with the name of who gave it; None where there is none."""
    if proof is None:
        return None
    by = picture.name_of(proof.given_by)
    return {"statement": proof.statement, "link": proof.link, "given_by": by, "given_at": proof.given_at}


def reason_of(picture: Picture, words: dict[str, str]) -> str:
    """Why it is held, stuck or behind: the oldest open exception of what holds it up, else the step itself."""
    health = picture.health()
    if picture.state.hold is not None:
        return picture.say(words.get(picture.state.hold.reason_code, picture.state.hold.reason_code))
    if health not in {"stuck", "behind"}:
        return ""
    held = _held_up(picture, health)
    for exception in sorted(picture.state.open_exceptions(), key=lambda each: each.opened_at):
        if exception.item in held:
            return picture.say(words.get(exception.reason_code, exception.reason_code))
    sentence = picture.say(mark("Blocked: %(title)s")) if health == "stuck" else picture.say(mark("Late: %(title)s"))
    return sentence % {"title": picture.read(picture.item(held[0]).title)}


def _held_up(picture: Picture, health: str) -> list[str]:
    """The items that make it stuck or behind: what people do before what it adds up to, the earliest due first."""

    def weight(key: str) -> tuple[bool, bool, datetime]:
        due = picture.of(key).due_at
        return picture.item(key).kind not in {"task", "gate"}, due is None, due or picture.now

    held = [
        key
        for key in picture.state.items
        if (picture.of(key).state == "blocked" if health == "stuck" else picture.is_late(key))
    ]
    return sorted(held, key=weight)
