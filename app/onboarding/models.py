"""Running work: an onboarding, its one tree of items, its journal, and the line of it in lists."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document, TenantRecord


class Onboarding(TenantRecord):
    """A running instance of a pinned definition. `seq`, the last journal number, is the lock of every change."""

    __tablename__ = "onboarding"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    definition_digest: Mapped[str] = mapped_column(ForeignKey("definition.digest"))
    name: Mapped[str]
    state: Mapped[str]
    seq: Mapped[int]
    snapshot: Mapped[Document]
    deal: Mapped[Document]
    people: Mapped[Document]
    trace_id: Mapped[str]
    started_at: Mapped[datetime]
    first_value_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    watching: Mapped[Document | None]


class Item(TenantRecord):
    """A stage, milestone, task or gate of one onboarding."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("onboarding_id", "key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    onboarding_id: Mapped[UUID] = mapped_column(ForeignKey("onboarding.id"))
    position: Mapped[int]
    kind: Mapped[str]
    key: Mapped[str]
    parent: Mapped[str | None]
    side: Mapped[str]
    owner_role: Mapped[str]
    state: Mapped[str]
    assignee: Mapped[str | None]
    opened_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]
    due_at: Mapped[datetime | None]
    due_cause: Mapped[str | None]
    answers: Mapped[Document]
    result: Mapped[Document]
    evidence: Mapped[Document | None]
    decision: Mapped[str | None]
    reason: Mapped[str | None]
    request: Mapped[int]


class Journal(TenantRecord):
    """Every event an onboarding accepted, in order; replaying it gives the same state.

    `moves` are the dates that moved with it (`flow.commands.Move`), each with its one cause.
    """

    __tablename__ = "journal"
    __table_args__ = (PrimaryKeyConstraint("onboarding_id", "seq"), {"info": {"append_only": True}})

    onboarding_id: Mapped[UUID] = mapped_column(ForeignKey("onboarding.id"))
    seq: Mapped[int]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    event: Mapped[Document]
    commands: Mapped[list[Any]]
    moves: Mapped[list[Any] | None]


class DateMove(TenantRecord):
    """One date that moved, by which journal entry and for which one cause: of entries before `Journal.moves` was there.

    Nothing is written here any more: its index, its foreign key and twenty rows were a tenth of what a step costs.
    """

    __tablename__ = "date_move"
    __table_args__ = (
        PrimaryKeyConstraint("onboarding_id", "seq", "item_key"),
        ForeignKeyConstraint(["onboarding_id", "seq"], ["journal.onboarding_id", "journal.seq"]),
        {"info": {"append_only": True}},
    )

    onboarding_id: Mapped[UUID]
    seq: Mapped[int]
    item_key: Mapped[str]
    was: Mapped[datetime | None]
    becomes: Mapped[datetime]
    cause: Mapped[str]
    cause_item: Mapped[str | None]


class CourtInterval(TenantRecord):
    """Who held the ball, from when to when: the court clock's ledger, the same for both sides."""

    __tablename__ = "clock"
    __table_args__ = (PrimaryKeyConstraint("onboarding_id", "began_at"),)

    onboarding_id: Mapped[UUID] = mapped_column(ForeignKey("onboarding.id"))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    holder: Mapped[str]
    reason_code: Mapped[str | None]


class Comment(TenantRecord):
    """What somebody wrote about an onboarding, or about one of its items or exceptions (`about`). It decides nothing.

    `internal` ones are for the partner's staff alone, and travel only with an export that carries secrets too: who gets
    any other could be the customer. `earlier` holds `{at, text}` of what was edited away or withdrawn; `mentions`
    holds `{id, name, open}`.
    """

    __tablename__ = "comment"
    __table_args__ = (Index(None, "onboarding_id", "id"), {"info": {"apart": "NOT internal"}})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    onboarding_id: Mapped[UUID] = mapped_column(ForeignKey("onboarding.id"))
    about: Mapped[str | None]
    internal: Mapped[bool]
    author_id: Mapped[UUID]
    author_name: Mapped[str]
    side: Mapped[str]
    text: Mapped[str]
    earlier: Mapped[list[Any]]
    mentions: Mapped[list[Any]]
    version: Mapped[int]
    written_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class OnboardingCard(ControlRecord):
    """Projection for the partner's lists: one line an onboarding, rebuilt from events.

    `template_id`, `version` and `definition` (an address) say what it runs; None on a card of before they were there.
    """

    __tablename__ = "onboarding_card"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "onboarding_id"),
        Index(None, "organisation_id", "state", "changed_at"),
        Index(None, "organisation_id", "template_id"),
    )

    tenant_id: Mapped[UUID]
    onboarding_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    seq: Mapped[int]
    name: Mapped[str]
    template: Mapped[str]
    template_id: Mapped[str | None]
    version: Mapped[str | None]
    definition: Mapped[str | None]
    state: Mapped[str]
    stage: Mapped[str | None]
    next_step: Mapped[str | None]
    next_title: Mapped[Document | None]
    holder: Mapped[str | None]
    needs: Mapped[list[Any]]
    tasks_done: Mapped[int]
    tasks_total: Mapped[int]
    due_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    first_value_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


DUE = "COALESCE(due_at, '9999-01-01 00:00:00+00'::timestamp with time zone)"  # what has no date is last


class WorkItem(ControlRecord):
    """Projection for the work queues: one line for each step or exception that waits for somebody now.

    `people` are those whose it is, `candidates` those of its side who could take it: `[{id, name}]`. `unowned`: nobody
    has taken it and nobody holds its role. `watchers`: ids of the staff who watch it.
    """

    __tablename__ = "work_item"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "onboarding_id", "key"),
        # In the order of a page, which `queues/queries.py` asks for in these words.
        Index("ix_work_item_page", "organisation_id", text(f"({DUE})"), "onboarding_id", "key"),
        Index("ix_work_item_counts", "organisation_id", "queue", postgresql_include=["due_at", "since"]),
        Index("ix_work_item_taken", "organisation_id", "assignee", postgresql_where="assignee IS NOT NULL"),
        Index("ix_work_item_nobodys", "organisation_id", postgresql_where="unowned"),
        {"info": {"rights": "SELECT, INSERT, UPDATE, DELETE"}},  # what nobody waits for any more is no line
    )

    tenant_id: Mapped[UUID]
    onboarding_id: Mapped[UUID]
    key: Mapped[str]
    organisation_id: Mapped[UUID]
    seq: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]  # task | gate | milestone | exception
    queue: Mapped[str]  # handoff | kickoff | cleanup | customer | exceptions | tasks
    side: Mapped[str]
    state: Mapped[str]
    title: Mapped[Document]
    role: Mapped[str]
    role_title: Mapped[Document]
    assignee: Mapped[UUID | None]
    people: Mapped[list[Any]]
    candidates: Mapped[list[Any]]
    unowned: Mapped[bool]
    since: Mapped[datetime]
    due_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    watchers: Mapped[list[Any] | None]
