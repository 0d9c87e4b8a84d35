"""An onboarding's line in the partner's lists: made anew from the tenant after each journal entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.flow.definition import Definition
from app.flow.state import SETTLED
from app.intake.queries import ExceptionLine
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work
from app.onboarding.models import Item, Onboarding, OnboardingCard, WorkItem
from app.onboarding.people import acting_role, holders
from app.onboarding.queries.stored import plan_of
from app.onboarding.queries.waiting import Standing, read_standing, waiting_of
from app.onboarding.talk.queries import mention_lines
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "refresh_card": "called by the projection job",
    "card_values": "part of the projection job",
    "refresh_all_cards": "called by the job that follows an import",
    "refill_cards": "called by the operator's command after an upgrade",
    "ask_for_card": "part of an operation that has checked its own permission",
}
LINES = "lines:3"  # what `card_values` and the lines are made of; a new number lets operators refill them all once
OPEN = ("open", "running", "blocked")
_NEVER = datetime.max.replace(tzinfo=UTC)


def refresh_card(run: JobRun, onboarding_id: UUID) -> None:
    """Read the onboarding in its tenant, write its card in `control`. An older reading never overwrites a newer one.

    A sandbox has no cards: what is counted, listed or told from them is about customers only, whoever reads them.
    """
    if run.tenant.kind == "sandbox":
        return
    with run.work() as work:
        run.reads_for_later(work)
        onboarding = work.session.get(Onboarding, onboarding_id)
        if onboarding is None:
            return
        definition = plan_of(work, onboarding)
        standing = read_standing(work, onboarding)
        values = card_values(work, onboarding, definition, standing)
        waiting = [*waiting_of(work, onboarding, definition, standing), *mention_lines(work, onboarding, definition)]
    statement = insert(OnboardingCard).values(**values)
    fresh = {name: statement.excluded[name] for name in values if name not in {"tenant_id", "onboarding_id"}}
    with partner_session(run.runtime.databases, run.tenant.organisation_id, actor=run.actor.label) as (session, _now):
        newer = statement.on_conflict_do_update(
            index_elements=["tenant_id", "onboarding_id"],
            set_=fresh,
            where=OnboardingCard.seq <= statement.excluded.seq,
        )
        if session.connection().execute(newer).rowcount:
            _replace_waiting(session, onboarding_id, waiting)


def _replace_waiting(session: Session, onboarding_id: UUID, waiting: list[dict[str, Any]]) -> None:
    """The onboarding's lines in the work queues, anew; its card, which is locked, says that they are the newest."""
    session.execute(delete(WorkItem).where(WorkItem.onboarding_id == onboarding_id))
    if waiting:
        session.execute(insert(WorkItem), waiting)


def refresh_all_cards(work: Work, cause: UUID) -> None:
    """Ask for every card of the tenant anew, once for this cause: it came from another installation."""
    for onboarding_id in work.session.scalars(select(Onboarding.id).order_by(Onboarding.id)):
        ask_for_card(work, onboarding_id, cause=str(cause))


def refill_cards(work: Work, *, cause: str) -> int:
    """Ask for the card and the lines of work of every running onboarding of the tenant. Returns of how many.

    What lists are made of grows with versions, and an onboarding that does not move would keep an older card. Asked
    again for the same cause, nothing is done twice.
    """
    running = select(Onboarding.id).where(Onboarding.finished_at.is_(None)).order_by(Onboarding.id)
    asked = work.session.scalars(running).all()
    for onboarding_id in asked:
        ask_for_card(work, onboarding_id, cause=cause)
    return len(asked)


def ask_for_card(work: Work, onboarding_id: UUID, *, cause: str) -> None:
    """Ask for the onboarding's card and its lines of work anew, once for this cause, after those asked for before."""
    work.enqueue(
        "onboarding.project_card",
        args={"onboarding_id": onboarding_id},
        dedupe_key=f"card:{onboarding_id}:{cause}",
        lane=f"card:{onboarding_id}",
    )


def card_values(work: Work, onboarding: Onboarding, definition: Definition, standing: Standing) -> dict[str, Any]:
    """The card's columns, from the rows of the tenant."""
    rows = standing.items
    tasks = [row for row in rows if row.kind == "task"]
    waiting = [row for row in rows if row.kind in {"task", "gate"} and row.state in OPEN]
    stage = next((row for row in rows if row.kind == "stage" and row.state in OPEN), None)
    needed = [row for row in waiting if not definition.is_optional(row.key)]
    first = min(needed or waiting, key=_urgency, default=None)
    return {
        "tenant_id": work.tenant.id,
        "onboarding_id": onboarding.id,
        "organisation_id": work.tenant.organisation_id,
        "seq": onboarding.seq,
        "name": onboarding.name,
        "template": f"{_english(definition.title)} {definition.version}",
        **_what_runs(definition),
        "state": onboarding.state,
        "stage": stage.key if stage else None,
        "next_step": first.key if first else None,
        "next_title": dict(definition.items[first.key].title) if first else None,
        "holder": first.side if first else None,
        "needs": [
            *(_need(row, onboarding, definition) for row in waiting if row.side == "partner" or row.state == "blocked"),
            *(_exception(record, onboarding, definition) for record in standing.exceptions),
        ],
        "tasks_done": sum(row.state in SETTLED for row in tasks),
        "tasks_total": len(tasks),
        "due_at": min((row.due_at for row in needed if row.due_at), default=None),
        "started_at": onboarding.started_at,
        "first_value_at": onboarding.first_value_at,
        "changed_at": work.now,
    }


def _what_runs(definition: Definition) -> dict[str, str]:
    return {"template_id": definition.id, "version": definition.version, "definition": definition.digest}


def _urgency(row: Item) -> tuple[bool, datetime, int]:
    return (row.due_at is None, row.due_at or _NEVER, row.position)


def _need(row: Item, onboarding: Onboarding, definition: Definition) -> dict[str, Any]:
    need: dict[str, Any] = {"key": row.key, "kind": row.kind, "state": row.state, "reason": None}
    need |= {"title": dict(definition.items[row.key].title), "since": _text(row.opened_at), "due_at": _text(row.due_at)}
    role = acting_role(onboarding, row.key, row.owner_role)
    return need | _owner(role, onboarding, definition, assignee=row.assignee)


def _exception(record: ExceptionLine, onboarding: Onboarding, definition: Definition) -> dict[str, Any]:
    route = definition.exceptions.get(record.type)
    need: dict[str, Any] = {"key": record.key, "kind": "exception", "state": "open", "reason": record.reason_code}
    need |= {"type": record.type}
    need |= {"title": dict(route.label) if route else {"en": record.type.replace("_", " ")}}
    need |= {"since": _text(record.opened_at), "due_at": _text(record.respond_by)}
    assignee = str(record.owner_id) if record.owner_id else None
    return need | _owner(record.role, onboarding, definition, assignee=assignee)


def _owner(role: str, onboarding: Onboarding, definition: Definition, *, assignee: str | None = None) -> dict[str, Any]:
    """Whose it is: the role in words, and the ids of the people who hold it."""
    known = definition.roles.get(role)
    people = [assignee] if assignee else [str(person.id) for person in holders(onboarding, role)]
    return {"owner": dict(known.label) if known else {"en": role.replace("_", " ")}, "people": people}


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _english(text: Mapping[str, str]) -> str:
    return text.get("en") or next(iter(text.values()), "")
