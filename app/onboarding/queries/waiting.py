"""What of one onboarding waits for somebody now, as lines of the work queues (REQUIREMENTS 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select

from app.flow.definition import Definition
from app.flow.definition import Item as FlowItem
from app.intake.queries import ExceptionLine, list_open_exceptions
from app.kernel.work import Work
from app.onboarding.models import Item, Onboarding
from app.onboarding.people import acting_role, holders
from app.onboarding.queries.stored import plan_of
from app.onboarding.talk.queries import list_mentions
from app.onboarding.talk.watching import watchers_of

_OPEN = ("open", "blocked")
_UNSETTLED = ("waiting", "open", "blocked")
_KINDS = ("task", "gate")


class Standing(NamedTuple):
    """What an onboarding's lines are made of: its items in order, and what is open of its exceptions."""

    items: Sequence[Item]
    exceptions: Sequence[ExceptionLine]


def read_standing(work: Work, onboarding: Onboarding) -> Standing:
    """Read it, in two statements."""
    query = select(Item).where(Item.onboarding_id == onboarding.id).order_by(Item.position)
    return Standing(work.session.scalars(query).all(), list_open_exceptions(work, onboarding.id))


def list_waiting(work: Work) -> list[dict[str, Any]]:
    """The lines of every running onboarding of this tenant, and of mentions that nobody has read yet."""
    running = select(Onboarding).where(Onboarding.finished_at.is_(None)).order_by(Onboarding.id)
    lines: list[dict[str, Any]] = []
    for onboarding in work.session.scalars(running):
        lines += waiting_of(work, onboarding, plan_of(work, onboarding), read_standing(work, onboarding))
    return lines + list_mentions(work)


def waiting_of(work: Work, onboarding: Onboarding, definition: Definition, standing: Standing) -> list[dict[str, Any]]:
    """The onboarding's lines: open steps of both sides that a person does, and open exceptions; none at its end."""
    if onboarding.finished_at is not None:
        return []
    rows = [row for row in standing.items if row.kind in _KINDS and row.state in _OPEN]
    begun = _kickoff_is_over(standing.items, definition)
    about = {"tenant_id": work.tenant.id, "onboarding_id": onboarding.id, "name": onboarding.name}
    about |= {"organisation_id": work.tenant.organisation_id, "seq": onboarding.seq}
    lines = [about | _step(row, definition.items[row.key], onboarding, definition) for row in rows]
    lines += [about | _exception(each, onboarding, definition, begun=begun) for each in standing.exceptions]
    return [line | {"watchers": watchers_of(onboarding, str(line["key"]))} for line in lines]


def queue_of(item: FlowItem) -> str:
    """Which queue a step waits in: the customer's, the handoff's, the kickoff's, or that of staff's own tasks."""
    if item.side == "customer":
        return "customer"
    if item.kind == "gate" and item.review is not None and item.review.handoff:
        return "handoff"
    return "kickoff" if item.task_kind == "meeting" or "kickoff" in item.id else "tasks"


def _step(row: Item, item: FlowItem, onboarding: Onboarding, definition: Definition) -> dict[str, Any]:
    line: dict[str, Any] = {
        "key": row.key,
        "kind": row.kind,
        "queue": queue_of(item),
        "side": row.side,
        "state": row.state,
    }
    line |= {"title": dict(item.title), "since": row.opened_at or onboarding.started_at, "due_at": row.due_at}
    assignee, role = UUID(row.assignee) if row.assignee else None, acting_role(onboarding, row.key, row.owner_role)
    owner = _owner(role, onboarding, definition, side=row.side, assignee=assignee)
    return line | {"reason": None} | owner


def _exception(record: ExceptionLine, onboarding: Onboarding, definition: Definition, *, begun: bool) -> dict[str, Any]:
    route = definition.exceptions.get(record.type)
    title = dict(route.label) if route else {"en": record.type.replace("_", " ")}
    queue = "exceptions" if begun else "cleanup"
    line: dict[str, Any] = {"key": record.key, "kind": "exception", "queue": queue, "state": "open"}
    line |= {"title": title, "since": record.opened_at, "due_at": record.respond_by, "reason": record.reason_code}
    owner = _owner(record.role, onboarding, definition, side="partner", assignee=record.owner_id)
    return line | {"side": "partner"} | owner


def _owner(
    role: str, onboarding: Onboarding, definition: Definition, *, side: str, assignee: UUID | None
) -> dict[str, Any]:
    """Whose it is: who took it, else who holds the role, else whoever leads; and who else of the side could take it."""
    known = definition.roles.get(role)
    everybody = {entry["id"]: entry for people in onboarding.people.values() for entry in people}
    names = {one: entry["name"] for one, entry in everybody.items()}
    candidates = {one: names[one] for one, entry in everybody.items() if entry["side"] == side}
    whose = [str(assignee)] if assignee else [str(person.id) for person in holders(onboarding, role)]
    return {
        "role": role,
        "role_title": dict(known.label) if known else {"en": role.replace("_", " ")},
        "assignee": assignee,
        "people": [{"id": one, "name": names.get(one, "")} for one in whose],
        "candidates": [{"id": one, "name": name} for one, name in sorted(candidates.items(), key=lambda each: each[1])],
        "unowned": assignee is None and not onboarding.people.get(role),
    }


def _kickoff_is_over(items: Sequence[Item], definition: Definition) -> bool:
    """Whether nothing of what comes before and with the kickoff is still to be done."""
    keys = [item.key for item in definition.items.values() if item.kind in _KINDS and queue_of(item) != "tasks"]
    early = {key for key in keys if definition.items[key].side == "partner"}
    return not any(row.key in early and row.state in _UNSETTLED for row in items)
