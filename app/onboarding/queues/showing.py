"""The page of the work queues: words, links and forms for each line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID

from msgspec import UNSET

from app.onboarding.models import WorkItem
from app.onboarding.queries.heading import REASONS
from app.onboarding.queues.lines import MENTIONS, Found
from app.onboarding.queues.schemas import WorkQuery
from app.web.translations import mark

VIEWS = (
    ("all", mark("All work")),
    ("mine", mark("Mine")),
    ("roles", mark("Of my roles")),
    ("unowned", mark("Without an owner")),
    ("late", mark("Late")),
    ("customer", mark("Waiting for the customer")),
    ("watching", mark("Watching")),
    ("mentions", mark("Mentions")),
)
QUEUES = (
    ("handoff", mark("Handoff acceptance")),
    ("owner", mark("Owner assignment")),
    ("kickoff", mark("Kickoff scheduling")),
    ("cleanup", mark("Pre-kickoff cleanup")),
    ("customer", mark("Customer response")),
    ("exceptions", mark("Exceptions")),
    ("tasks", mark("Own tasks")),
)
_TOLD = {"customer": mark("Your steps"), "tasks": mark("Tasks of ours")}
_OF_CUSTOMERS = {"all", "mine", "late", "customer", "watching", "mentions"}
AGES = (1, 3, 7, 14, 30)
SLAS = (
    ("late", mark("Late")),
    ("soon", mark("Due within a day")),
    ("later", mark("Due later")),
    ("none", mark("Without a date")),
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: which side, what they may, in which language; `home` is the address of the list."""

    id: UUID
    side: str
    home: str
    may_take: bool
    may_move: bool
    say: Callable[[str], str]
    language: str

    def read(self, text: Mapping[str, str]) -> str:
        """A template's text in the reader's language, else in English, else in whichever there is."""
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")


def work_page(found: Found, asked: WorkQuery, reader: Reader) -> dict[str, Any]:
    """The page: views and queues with their counts, filters, and a page of lines."""
    given = {"view": asked.view, "queue": _word(asked.queue), "owner": _word(asked.owner), "sla": _word(asked.sla)}
    kept = given | {"age": str(asked.age) if asked.age else ""}
    views = [view for view in VIEWS if reader.side == "partner" or view[0] in _OF_CUSTOMERS]
    return {
        "home": reader.home,
        "kept": kept,
        "views": [_choice(reader, key, name, found.views[key]) for key, name in views],
        "queues": _queues(found, reader),
        "owners": _owners(found, asked, reader),
        "ages": list(AGES),
        "slas": [{"key": key, "name": reader.say(name)} for key, name in SLAS],
        "lines": [_line(row, found, reader) for row in found.rows],
        "hands": _hands(found, reader),
        "total": found.total,
        "first": asked.cursor is not UNSET,
        "older": found.next or "",
    }


def _word(value: object) -> str:
    return "" if value is UNSET else str(value)


def _choice(reader: Reader, key: str, name: str, count: int) -> dict[str, Any]:
    return {"key": key, "name": reader.say(name), "count": count}


def _name_of(reader: Reader, queue: str) -> str:
    names = dict(QUEUES) | (_TOLD if reader.side == "customer" else {})
    return reader.say(mark("Mention")) if queue == MENTIONS else reader.say(names.get(queue, queue))


def _queues(found: Found, reader: Reader) -> list[dict[str, Any]]:
    """Ages, not averages (REQUIREMENTS 1.6): how long the oldest of each queue has been waiting."""
    by_name = {queue.queue: queue for queue in found.queues}
    ages = {name: max(0.0, (found.now - queue.oldest).total_seconds()) for name, queue in by_name.items()}
    longest = max(ages.values(), default=0.0) or 1.0
    return [
        _choice(reader, key, name, by_name[key].count)
        | {"name": _name_of(reader, key), "oldest": ages[key], "share": ages[key] / longest, "late": by_name[key].late}
        for key, name in QUEUES
        if key in by_name
    ]


def _hands(found: Found, reader: Reader) -> list[dict[str, str]]:
    """Whom steps of this page could be given to: everybody of the reader's side who could take one of them."""
    own = (row for row in found.rows if row.side == reader.side)
    known = {each["id"]: each["name"] for row in own for each in row.candidates}
    return [{"id": one, "name": name} for one, name in sorted(known.items(), key=lambda each: each[1])]


def _owners(found: Found, asked: WorkQuery, reader: Reader) -> list[dict[str, str]]:
    """Whom the list can be narrowed to: the reader, and who is named on this page."""
    named = {each["id"]: each["name"] for row in found.rows for each in row.people if each["name"]}
    others = sorted(((one, name) for one, name in named.items() if one != str(reader.id)), key=lambda each: each[1])
    chosen = _word(asked.owner)
    known = {str(reader.id): reader.say(mark("Me"))} | dict(others)
    if chosen and chosen not in known:
        known[chosen] = reader.say(mark("Somebody else"))
    return [{"id": one, "name": name} for one, name in known.items()]


def _line(row: WorkItem, found: Found, reader: Reader) -> dict[str, Any]:
    path = f"/t/{row.tenant_id}/onboardings/{row.onboarding_id}"
    own = row.side == reader.side and row.kind not in {"exception", "mention"}
    step = row.kind in {"task", "gate"}
    mine = row.assignee == reader.id
    held = any(each["id"] == str(reader.id) for each in row.candidates)
    names = ", ".join(each["name"] for each in row.people if each["name"])
    late = row.due_at is not None and row.due_at < found.now
    return {
        "pick": value_of(row) if reader.may_take and (own or (step and reader.side == "partner")) else "",
        "title": reader.read(row.title),
        "onboarding": row.name,
        "path": _link(row, path, reader),
        "queue": _name_of(reader, row.queue),
        "role": reader.read(row.role_title),
        "owner": names,
        "taken": row.assignee is not None,
        "unowned": row.unowned,
        "reason": reader.say(REASONS.get(row.reason, row.reason)) if row.reason else "",
        "seen": f"{_link(row, path, reader)}/seen" if row.kind == "mention" and reader.may_take else "",
        "state": "stuck" if row.state == "blocked" or row.kind == "exception" else "behind" if late else "open",
        "age": max(0.0, (found.now - row.since).total_seconds()),
        "due_at": row.due_at,
        "late": late,
        "unanswered": late and row.kind == "exception",
        "claim": f"{path}/items/{quote(row.key)}/claim" if own and held and not mine and reader.may_take else "",
        "owner_path": f"{path}/items/{quote(row.key)}/owner" if own and (mine or reader.may_move) else "",
        "candidates": list(row.candidates),
        "assignee": str(row.assignee) if row.assignee else "",
    }


def path_of(row: WorkItem, reader: Reader) -> str:
    """Where the line leads."""
    return _link(row, f"/t/{row.tenant_id}/onboardings/{row.onboarding_id}", reader)


def value_of(row: WorkItem) -> str:
    """How a form names the line."""
    return f"{row.tenant_id} {row.onboarding_id} {row.key}"


def _link(row: WorkItem, path: str, reader: Reader) -> str:
    if row.kind == "mention":
        return f"{path}/comments/{row.key.split(':')[1]}"
    if reader.side == "customer":
        return f"{path}/tasks/{quote(row.key)}" if row.kind == "task" and row.side == "customer" else f"{path}/steps"
    places = {"gate": f"{path}/gates/{row.key}", "exception": f"{path}?view=exceptions"}
    return places.get(row.kind, f"{path}#{row.key}")
