"""A partner's home: what needs somebody now, from the projection in `control`. No tenant is opened for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.onboarding.models import OnboardingCard
from app.web.frame import Link
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import partner_session

Say = Callable[[str], str]  # a message id in the reader's language
_SHOWN = 200
_HOLDERS = {"partner": mark("Us"), "customer": mark("Customer")}
_URGENT = 12
_QUEUES = (
    ("gate", mark("Handoff acceptance")),
    ("partner", mark("Own tasks")),
    ("customer", mark("Customer response")),
    ("exception", mark("Exceptions")),
)
_KINDS = {"gate": mark("Gate to decide"), "exception": mark("Exception")}
# The nine reason codes of REQUIREMENTS 1.6, in words.
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


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the page is made from."""

    cards: list[OnboardingCard]
    now: datetime


def get_home(runtime: Runtime, actor: Actor, organisation_id: UUID) -> HomeView:
    """The newest cards of the organisation. Raises NotPermitted for a role that may not see them."""
    if not can(actor.roles, Permission.ONBOARDING_READ):
        raise NotPermitted(Permission.ONBOARDING_READ, has_role=bool(actor.roles))
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        query = select(OnboardingCard).order_by(OnboardingCard.changed_at.desc()).limit(_SHOWN)
        return HomeView(cards=list(session.scalars(query)), now=now)


def list_tenants(runtime: Runtime, actor: Actor, organisation_id: UUID) -> list[dict[str, Any]]:
    """The customers of the organisation, each with its onboarding's state. Raises NotPermitted."""
    view = get_home(runtime, actor, organisation_id)
    cards = {card.tenant_id: card for card in reversed(view.cards)}
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        query = select(TenantEntry).where(TenantEntry.kind != "home").order_by(TenantEntry.requested_at.desc())
        tenants = list(session.scalars(query.limit(_SHOWN)))
    return [_tenant_line(tenant, cards.get(tenant.id), view.now) for tenant in tenants]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the reader wants the page: whose work (`mine` or `team`), which state, in which language."""

    scope: str = "team"
    state: str = ""
    reader: UUID | None = None
    say: Say = str
    language: str = "en"

    def read(self, text: Mapping[str, str]) -> str:
        """A template's text in the reader's language, else in English, else in whichever there is."""
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")


def home_page(view: HomeView, wanted: Wanted) -> dict[str, Any]:
    """The page: tally, what needs somebody, queues by age, exceptions by reason, all onboardings."""
    lines = [(card, health(card, view.now)) for card in view.cards]
    return {
        "scope": wanted.scope,
        "tally": {word: sum(state == word for _card, state in lines) for word in ("on_track", "behind", "stuck")},
        "needs": _needs(view, wanted),
        "queues": _queues(view, wanted.say),
        "reasons": _reasons(view, wanted.say),
        "onboardings": [_row(card, state, wanted) for card, state in lines if wanted.state in {"", state}],
        "start_path": "",
    }


def health(card: OnboardingCard, now: datetime) -> str:
    """One word for how an onboarding goes, from its card."""
    if card.state != "running":
        return card.state
    if any(need["state"] == "blocked" for need in card.needs):
        return "stuck"
    return "behind" if card.due_at is not None and card.due_at < now else "on_track"


def path_of(card: OnboardingCard) -> str:
    """The address of the onboarding's page."""
    return f"/t/{card.tenant_id}/onboardings/{card.onboarding_id}"


def _needs(view: HomeView, wanted: Wanted) -> list[dict[str, Any]]:
    """Blocked items and exceptions first, then gates and what is late; the oldest date first."""
    found = []
    for card in view.cards:
        for need in card.needs:
            due = _moment(need["due_at"])
            late = due is not None and due < view.now
            urgent = need["kind"] in {"gate", "exception"} or need["state"] == "blocked" or late
            own = wanted.scope != "mine" or str(wanted.reader) in need["people"]
            if urgent and own and card.state == "running":
                calm = need["state"] != "blocked" and need["kind"] != "exception"
                found.append((calm, due is None, due or view.now, card, need, late))
    found.sort(key=lambda entry: entry[:3])
    return [_need(card, need, wanted, late=late) for *_order, card, need, late in found[:_URGENT]]


def _need(card: OnboardingCard, need: dict[str, Any], wanted: Wanted, *, late: bool) -> dict[str, Any]:
    path, kind = path_of(card), need["kind"]
    links = {"gate": f"{path}/gates/{need['key']}", "exception": f"{path}?view=exceptions"}
    stuck = need["state"] == "blocked" or kind == "exception"
    word = _KINDS.get(kind) or (mark("Blocked") if stuck else mark("Late"))
    link = links.get(kind, f"{path}#{need['key']}")
    return {
        "state": "stuck" if stuck else "behind" if late else "open",
        "urgent_for": wanted.say(word),
        "subject": f"{card.name} · {wanted.read(need['title'])}",
        "path": link,
        "text": wanted.read(need["owner"]),
        "acts": [Link(wanted.say(mark("Review") if kind == "gate" else mark("Open")), link)],
    }


def _reasons(view: HomeView, say: Say) -> list[dict[str, Any]]:
    """Open exceptions by reason code, the most frequent first (REQUIREMENTS 1.6)."""
    counts = Counter(need["reason"] for card in view.cards for need in card.needs if need["kind"] == "exception")
    most = max(counts.values(), default=1)
    return [
        {"name": say(REASONS.get(code, code)), "count": count, "share": count / most}
        for code, count in counts.most_common()
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _queues(view: HomeView, say: Say) -> list[dict[str, Any]]:
    """Ages, not averages (REQUIREMENTS 1.6): how long the oldest of each queue has been waiting."""
    ages: dict[str, list[float]] = {}
    for card in view.cards:
        for need in card.needs:
            queue = need["kind"] if need["kind"] in {"gate", "exception"} else "partner"
            since = _moment(need["since"]) or card.changed_at
            ages.setdefault(queue, []).append(max(0.0, (view.now - since).total_seconds()))
        if card.holder == "customer" and card.state == "running":
            ages.setdefault("customer", []).append(max(0.0, (view.now - card.changed_at).total_seconds()))
    oldest = max((max(found) for found in ages.values()), default=0.0) or 1.0
    return [
        {
            "name": say(name),
            "count": len(ages[queue]),
            "oldest": max(ages[queue]),
            "share": max(ages[queue]) / oldest,
            "late": queue == "exception",
        }
        for queue, name in _QUEUES
        if queue in ages
    ]


def _row(card: OnboardingCard, state: str, wanted: Wanted) -> dict[str, Any]:
    first = next((need for need in card.needs if need["key"] == card.next_step), None)
    reason = next((need["reason"] for need in card.needs if need["kind"] == "exception"), "")
    return {
        "tenant": card.name,
        "path": path_of(card),
        "template": card.template,
        "state": state,
        "reason": wanted.say(REASONS.get(reason, reason)) if reason else "",
        "next_step": first["title"] if first else "",
        "holder": wanted.say(_HOLDERS[card.holder]) if card.holder in _HOLDERS else "",
        "tasks_done": card.tasks_done,
        "tasks_total": card.tasks_total,
        "due_at": card.due_at,
    }


def _tenant_line(tenant: TenantEntry, card: OnboardingCard | None, now: datetime) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "path": path_of(card) if card else "/customers",
        "kind": tenant.kind,
        "state": tenant.state,
        "onboarding_state": health(card, now) if card else "",
        "template": card.template if card else "",
        "made_at": tenant.requested_at,
    }
