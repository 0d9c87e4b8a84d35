"""What a CRM says was sold, in our words; every CRM connector reads into this. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from app.kernel.outcomes import GiveUp, NeedsPerson, TryAgain


@dataclass(frozen=True, slots=True)
class SoldCompany:
    """A company on the deal. `primary` is the CRM's own mark; more than one company, or none marked, is for intake."""

    id: str
    name: str
    domain: str
    country: str
    primary: bool


@dataclass(frozen=True, slots=True)
class SoldContact:
    """A person on the deal, as the CRM has them; any text may be empty."""

    id: str
    email: str
    first_name: str
    last_name: str
    phone: str
    job_title: str
    language: str = ""  # a language tag such as "de" or "de-at"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldDeal:
    """One deal with its companies and people.

    `properties` are the CRM's own names and texts, empty ones left out, for a workflow's trigger contract to map.
    `partial` says that the CRM had more companies or contacts than it gave at once.
    """

    source: str
    deal_id: str
    name: str
    pipeline: str
    stage: str
    won: bool
    amount: Decimal | None
    currency: str
    closed_at: datetime | None
    owner_id: str
    companies: tuple[SoldCompany, ...]
    contacts: tuple[SoldContact, ...]
    partial: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)


# A deal, or why it could not be read: later, never, or only with a person's help.
DealAnswer = SoldDeal | TryAgain | GiveUp | NeedsPerson
