"""Shapes of the work queues: what is asked of them, and a line of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

View = Literal["all", "mine", "roles", "unowned", "late", "customer", "watching", "mentions"]
QueueName = Literal["handoff", "owner", "kickoff", "cleanup", "customer", "exceptions", "tasks"]
Sla = Literal["late", "soon", "later", "none"]
Action = Literal["claim", "assign", "remind"]
Outcome = Literal["changed", "unchanged", "refused"]
Text = dict[str, str]  # by language


class WorkQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which work: everything that is given must fit."""

    view: Annotated[View, Meta(description="Whose: taken by you, of your roles, nobody's, past its date, …")] = "all"
    queue: Annotated[QueueName, Meta(description="Only what waits in this queue.")] | UnsetType = UNSET
    owner: Annotated[UUID, Meta(description="Only what is this person's.")] | UnsetType = UNSET
    age: Annotated[int, Meta(ge=0, le=3650, description="Only what has waited at least so many days.")] = 0
    sla: Annotated[Sla, Meta(description="Only late; due within a day; later; or without a date.")] | UnsetType = UNSET
    cursor: (
        Annotated[str, Meta(min_length=1, max_length=4096, description="`next` of the page before.")] | UnsetType
    ) = UNSET
    limit: Annotated[int, Meta(ge=1, le=200, description="How many on a page.")] = 50


class PersonOut(Struct, frozen=True):
    """Somebody by name."""

    id: UUID
    name: str


class WorkLine(Struct, frozen=True):
    """A step or an exception that waits for somebody. `key` is the item's, or the engine's name of the exception.

    In the view `mentions` a line is a comment that names you: `reason` is who wrote it.
    """

    tenant_id: UUID
    onboarding_id: UUID
    key: str
    kind: str
    onboarding: str
    queue: str
    side: str
    state: str
    title: Text
    role: str
    assignee: UUID | None
    people: list[PersonOut]
    unowned: bool
    since: datetime
    due_at: datetime | None
    late: bool
    reason: str | None


class QueueOut(Struct, frozen=True):
    """How many wait in a queue, since when the oldest does, and how many are past their date."""

    queue: str
    count: int
    oldest: datetime
    late: int


class WorkPage(Struct, frozen=True):
    """Lines, the earliest date first; `total` counts all pages, `views` and `queues` all work without these filters."""

    items: list[WorkLine]
    next: str | None
    total: int
    views: dict[str, int]
    queues: list[QueueOut]


class BulkLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A step, as a line of the list names it."""

    tenant_id: UUID
    onboarding_id: UUID
    key: Annotated[str, Meta(min_length=1, max_length=200)]


class BulkWork(Struct, frozen=True, forbid_unknown_fields=True):
    """One change of many steps: taken by you (`claim`), given to `person`, null for their roles (`assign`).

    Or their owners are reminded by mail, with the line `note` (`remind`).
    """

    action: Action
    items: Annotated[list[BulkLine], Meta(min_length=1, max_length=100)]
    person: UUID | None = None
    note: Annotated[str, Meta(max_length=500)] = ""
    dry_run: bool = False


class BulkResult(Struct, frozen=True):
    """What became of one step; `problem` is the stable name of what stood against it."""

    tenant_id: UUID
    onboarding_id: UUID
    key: str
    outcome: Outcome
    problem: str | None
    detail: str


class BulkWorkOut(Struct, frozen=True):
    """What became of all, in their order; with `dry_run`, what would. The three counts add up to `total`."""

    dry_run: bool
    total: int
    changed: int
    unchanged: int
    refused: int
    items: list[BulkResult]
