"""A partner's home: what needs somebody now, from the projection in `control`. No tenant is opened for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.access.rights import staff_rights
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.onboarding.models import OnboardingCard
from app.onboarding.queries.attention import (
    Pressing,
    Queue,
    count_reasons,
    count_states,
    list_pressing,
    list_queues,
)
from app.onboarding.queries.cards import Asked, CardPage, Reading, TenantPage, list_cards, list_customers
from app.onboarding.queries.heading import REASONS
from app.web.frame import Link
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import partner_session

Say = Callable[[str], str]  # a message id in the reader's language
_HOLDERS = {"partner": mark("Us"), "customer": mark("Customer")}
_PRESSING_SHOWN, _PRESSING_AT_MOST = 12, 500
_QUEUES = (
    ("gate", mark("Handoff acceptance")),
    ("partner", mark("Own tasks")),
    ("customer", mark("Customer response")),
    ("exception", mark("Exceptions")),
)
_KINDS = {"gate": mark("Gate to decide"), "exception": mark("Exception")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the reader wants the page: whose work (`mine` or `team`), which state, which page, in which language."""

    scope: str = "team"
    state: str = ""
    everything: bool = False  # all that presses, not the most urgent alone
    page: Asked = field(default_factory=Asked)
    reader: UUID | None = None
    say: Say = str
    language: str = "en"

    def read(self, text: Mapping[str, str] | str) -> str:
        """A template's text in the reader's language, else in English, else in whichever there is.

        A card that an earlier build wrote holds one language as plain text, until its onboarding moves on.
        """
        if isinstance(text, str):
            return text
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")


@dataclass(frozen=True, slots=True)
class HomeView:
    """What the page is made from."""

    now: datetime
    tally: dict[str, int]
    pressing: list[Pressing]
    pressing_in_all: int
    queues: list[Queue]
    reasons: list[tuple[str, int]]
    cards: CardPage


def get_home(runtime: Runtime, actor: Actor, organisation_id: UUID, wanted: Wanted) -> HomeView:
    """All of the organisation that needs somebody, and one page of its onboardings.

    Raises NotPermitted for a role that may not see them, and what a wrong cursor or limit raises (`app.kernel.paging`).
    """
    _require_reader(actor)
    reader = wanted.reader if wanted.scope == "mine" else None
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        most = _PRESSING_AT_MOST if wanted.everything else _PRESSING_SHOWN
        pressing, in_all = list_pressing(session, now, reader=reader, most=most)
        return HomeView(
            now=now,
            tally=count_states(session, now),
            pressing=pressing,
            pressing_in_all=in_all,
            queues=list_queues(session, now),
            reasons=count_reasons(session),
            cards=list_cards(Reading.of(runtime, session, now), organisation_id, wanted.page, state=wanted.state),
        )


def get_customers(
    runtime: Runtime, actor: Actor, organisation_id: UUID, asked: Asked, *, kind: str = "customer"
) -> TenantPage:
    """One page of the organisation's customers, or of its sandboxes (`kind`). Raises as `get_home`."""
    _require_reader(actor)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        return list_customers(Reading.of(runtime, session, now), organisation_id, asked, kind=kind)


def home_page(view: HomeView, wanted: Wanted) -> dict[str, Any]:
    """The page: tally, what needs somebody, queues by age, exceptions by reason, a page of the onboardings."""
    return {
        "scope": wanted.scope,
        "state": wanted.state,
        "tally": view.tally,
        "needs": [_need(each, wanted) for each in view.pressing],
        "needs_in_all": view.pressing_in_all,
        "everything": wanted.everything,
        "queues": _queues(view, wanted.say),
        "reasons": _reasons(view.reasons, wanted.say),
        "onboardings": [_row(card, word, wanted) for card, word in view.cards.cards],
        "first": bool(wanted.page.after),
        "older": view.cards.older,
    }


def customers_page(page: TenantPage, asked: Asked, *, kind: str = "customer") -> dict[str, Any]:
    """The page: a line a customer, or a sandbox."""
    return {
        "kind": kind,
        "tenants": [_tenant_line(*line) for line in page.tenants],
        "total": page.total,
        "first": bool(asked.after),
        "older": page.older,
    }


def path_of(card: OnboardingCard) -> str:
    """The address of the onboarding's page."""
    return f"/t/{card.tenant_id}/onboardings/{card.onboarding_id}"


def _require_reader(actor: Actor) -> None:
    if not can(staff_rights(actor), Permission.ONBOARDING_READ):
        raise NotPermitted(Permission.ONBOARDING_READ, has_role=bool(actor.roles))


def _need(pressing: Pressing, wanted: Wanted) -> dict[str, Any]:
    card, need = pressing.card, pressing.need
    path, kind = path_of(card), need["kind"]
    links = {"gate": f"{path}/gates/{need['key']}", "exception": f"{path}?view=exceptions"}
    stuck = need["state"] == "blocked" or kind == "exception"
    word = _KINDS.get(kind) or (mark("Blocked") if stuck else mark("Late"))
    link = links.get(kind, f"{path}#{need['key']}")
    return {
        "state": "stuck" if stuck else "behind" if pressing.late else "open",
        "urgent_for": wanted.say(word),
        "subject": f"{card.name} · {wanted.read(need['title'])}",
        "path": link,
        "text": wanted.read(need["owner"]),
        "acts": [Link(wanted.say(mark("Review") if kind == "gate" else mark("Open it")), link)],
    }


def _reasons(reasons: list[tuple[str, int]], say: Say) -> list[dict[str, Any]]:
    most = max((count for _code, count in reasons), default=1)
    return [{"name": say(REASONS.get(code, code)), "count": count, "share": count / most} for code, count in reasons]


def _queues(view: HomeView, say: Say) -> list[dict[str, Any]]:
    """Ages, not averages (REQUIREMENTS 1.6): how long the oldest of each queue has been waiting."""
    ages = {queue.key: max(0.0, (view.now - queue.oldest).total_seconds()) for queue in view.queues}
    waiting = {queue.key: queue for queue in view.queues}
    oldest = max(ages.values(), default=0.0) or 1.0
    return [
        {
            "name": say(name),
            "count": waiting[key].count,
            "oldest": ages[key],
            "share": ages[key] / oldest,
            "late": waiting[key].late,
        }
        for key, name in _QUEUES
        if key in ages
    ]


def _row(card: OnboardingCard, state: str, wanted: Wanted) -> dict[str, Any]:
    reason = next((need.get("reason") for need in card.needs if need["kind"] == "exception"), "")
    return {
        "tenant": card.name,
        "path": path_of(card),
        "template": card.template,
        "state": state,
        "reason": wanted.say(REASONS.get(reason, reason)) if reason else "",
        "next_step": wanted.read(card.next_title or ""),
        "holder": wanted.say(_HOLDERS[card.holder]) if card.holder in _HOLDERS else "",
        "tasks_done": card.tasks_done,
        "tasks_total": card.tasks_total,
        "due_at": card.due_at,
    }


def _tenant_line(tenant: TenantEntry, card: OnboardingCard | None, health: str) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "path": path_of(card) if card else f"/t/{tenant.id}" if tenant.kind == "sandbox" else "",
        "state": tenant.state,
        "onboarding_state": health,
        "template": card.template if card else "",
        "made_at": tenant.requested_at,
    }
