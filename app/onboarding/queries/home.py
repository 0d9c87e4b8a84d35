"""A partner's home: what needs somebody now, from the projection in `control`. No tenant is opened for it."""

from __future__ import annotations

from collections.abc import Callable
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
    ("blocked", mark("Exceptions")),
)


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


def home_page(view: HomeView, *, scope: str, say: Say, language: str = "en") -> dict[str, Any]:
    """The page: tally, what needs somebody, queues by age, all onboardings."""
    lines = [(card, health(card, view.now)) for card in view.cards]
    tally = {word: sum(state == word for _card, state in lines) for word in ("on_track", "behind", "stuck")}
    return {
        "scope": scope,
        "tally": tally,
        "needs": _needs(lines, view.now, say, language),
        "queues": _queues(view, say),
        "reasons": [],
        "onboardings": [_row(card, state, say) for card, state in lines],
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


def _needs(lines: list[tuple[OnboardingCard, str]], now: datetime, say: Say, language: str) -> list[dict[str, Any]]:
    """Gates and blocked items first, then what is late; the oldest date first."""
    wanted = []
    for card, state in lines:
        for need in card.needs:
            due = datetime.fromisoformat(need["due_at"]) if need["due_at"] else None
            late = due is not None and due < now
            if need["kind"] == "gate" or need["state"] == "blocked" or late:
                wanted.append((need["state"] != "blocked", due is None, due or now, card, need, state, late))
    wanted.sort(key=lambda entry: entry[:3])
    return [
        _need(card, need, say, language=language, late=late)
        for _b, _n, _d, card, need, _state, late in wanted[:_URGENT]
    ]


def _need(card: OnboardingCard, need: dict[str, Any], say: Say, *, language: str, late: bool) -> dict[str, Any]:
    title = need["title"].get(language) or need["title"].get("en") or next(iter(need["title"].values()))
    is_gate = need["kind"] == "gate"
    path = f"{path_of(card)}/gates/{need['key']}" if is_gate else f"{path_of(card)}#{need['key']}"
    word = mark("Gate to decide") if is_gate else mark("Blocked") if need["state"] == "blocked" else mark("Late")
    return {
        "state": "stuck" if need["state"] == "blocked" else "behind" if late else "open",
        "urgent_for": say(word),
        "subject": f"{card.name} · {title}",
        "path": path,
        "text": need["owner"].replace("_", " "),
        "acts": [Link(say(mark("Review") if is_gate else mark("Open")), path)],
    }


def _queues(view: HomeView, say: Say) -> list[dict[str, Any]]:
    """Ages, not averages (REQUIREMENTS 1.6): how long the oldest of each queue has been waiting past its date."""
    ages: dict[str, list[float]] = {}
    for card in view.cards:
        for need in card.needs:
            queue = "blocked" if need["state"] == "blocked" else "gate" if need["kind"] == "gate" else "partner"
            ages.setdefault(queue, []).append((view.now - card.changed_at).total_seconds())
        if card.holder == "customer" and card.state == "running":
            ages.setdefault("customer", []).append((view.now - card.changed_at).total_seconds())
    oldest = max((max(found) for found in ages.values()), default=0.0) or 1.0
    return [
        {
            "name": say(name),
            "count": len(ages[queue]),
            "oldest": max(0.0, *ages[queue]),
            "share": max(0.0, *ages[queue]) / oldest,
            "late": queue == "blocked",
        }
        for queue, name in _QUEUES
        if queue in ages
    ]


def _row(card: OnboardingCard, state: str, say: Say) -> dict[str, Any]:
    first = next((need for need in card.needs if need["key"] == card.next_step), None)
    return {
        "tenant": card.name,
        "path": path_of(card),
        "template": card.template,
        "state": state,
        "reason": "",
        "next_step": first["title"] if first else "",
        "holder": say(_HOLDERS[card.holder]) if card.holder in _HOLDERS else "",
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
