"""A partner's two lists, a page at a time: its onboardings and its customers. From `control`; no tenant is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.kernel.paging import CursorKey, Listing, Position, make_cursor, page_limit, read_cursor
from app.kernel.runtime import Runtime
from app.onboarding.models import OnboardingCard
from app.onboarding.queries.attention import health_at
from tenants.models import TenantEntry

Moments = InstrumentedAttribute[datetime]
Ids = InstrumentedAttribute[UUID]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page of a list: after which cursor ("" for the first), of how many rows (None for the usual number)."""

    after: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class CardPage:
    """Onboardings with their health in a word; `older` is the cursor of the next page, "" on the last."""

    cards: list[tuple[OnboardingCard, str]]
    older: str


@dataclass(frozen=True, slots=True)
class TenantPage:
    """Customers, each with its newest onboarding and how that goes; `total` counts all pages."""

    tenants: list[tuple[TenantEntry, OnboardingCard | None, str]]
    total: int
    older: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a list is read with: the organisation's session, its clock, the key of the cursors."""

    session: Session
    now: datetime
    key: bytes

    @classmethod
    def of(cls, runtime: Runtime, session: Session, now: datetime) -> Reading:
        """With the key that this installation signs cursors with."""
        return cls(session, now, runtime.service(CursorKey).value)

    def page(
        self,
        query: Select[*tuple[Any, ...]],
        listing: Listing,
        asked: Asked,
        at: Moments,
        row_id: Ids,
    ) -> tuple[list[Any], bool]:
        """One page of the query, newest first by (`at`, `row_id`), and whether more follows.

        Raises LimitOutOfRange, CursorForeign, CursorExpired.
        """
        limit = page_limit(asked.limit)
        if asked.after:
            place = read_cursor(self.key, listing, asked.after, now=self.now)
            query = query.where(tuple_(at, row_id) < tuple_(datetime.fromisoformat(str(place.sort[0])), place.id))
        rows = self.session.execute(query.order_by(at.desc(), row_id.desc()).limit(limit + 1)).all()
        return list(rows[:limit]), len(rows) > limit

    def older(self, listing: Listing, at: datetime, row_id: UUID) -> str:
        """The cursor that goes on behind this row."""
        return make_cursor(self.key, listing, Position((at.isoformat(),), row_id), now=self.now)


def list_cards(reading: Reading, organisation_id: UUID, asked: Asked, *, state: str = "") -> CardPage:
    """The organisation's onboardings, the last changed first; with `state`, those of that health only."""
    health = health_at(reading.now)
    listing = Listing("onboardings", filters=(("organisation", str(organisation_id)), ("state", state)))
    query = select(OnboardingCard, health)
    if state:
        query = query.where(health == state)
    rows, more = reading.page(query, listing, asked, OnboardingCard.changed_at, OnboardingCard.onboarding_id)
    last = rows[-1][0] if more else None
    older = reading.older(listing, last.changed_at, last.onboarding_id) if last else ""
    return CardPage([(card, word) for card, word in rows], older)


def list_customers(reading: Reading, organisation_id: UUID, asked: Asked, *, kind: str = "customer") -> TenantPage:
    """The organisation's customers, the newest first; or its sandboxes (`kind`), which have no onboarding in lists."""
    listing = Listing("customers", filters=(("organisation", str(organisation_id)), ("kind", kind)))
    customers = TenantEntry.kind == kind
    query = select(TenantEntry).where(customers)
    rows, more = reading.page(query, listing, asked, TenantEntry.requested_at, TenantEntry.id)
    tenants = [row[0] for row in rows]
    total = reading.session.scalar(select(func.count()).select_from(TenantEntry).where(customers)) or 0
    older = reading.older(listing, tenants[-1].requested_at, tenants[-1].id) if more else ""
    newest = _newest_cards(reading, [tenant.id for tenant in tenants])
    return TenantPage([(tenant, *newest.get(tenant.id, (None, ""))) for tenant in tenants], total, older)


def _newest_cards(reading: Reading, tenants: Sequence[UUID]) -> dict[UUID, tuple[OnboardingCard, str]]:
    query = (
        select(OnboardingCard, health_at(reading.now))
        .where(OnboardingCard.tenant_id.in_(tenants))
        .order_by(OnboardingCard.started_at)  # the last one of a tenant stays in the answer
    )
    return {card.tenant_id: (card, word) for card, word in reading.session.execute(query)}
