"""From a CRM's deal to the facts a trigger contract speaks of. The partner's mapping names the CRM's properties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from app.connectors.crm.sold_deal import SoldCompany, SoldContact, SoldDeal
from app.web.translations import negotiate

_TRUE = frozenset({"true", "yes", "1", "signed", "ready"})
_FALSE = frozenset({"false", "no", "0"})
_DIGITS = 12  # of a count of seats, at most; more is a mistake


@dataclass(frozen=True, slots=True)
class FactMapping:
    """Which property of the CRM holds which fact, input or packet field. Stored in the connection's configuration."""

    facts: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    packet: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)  # the CRM's owner id to the owner's mail address

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> FactMapping:
        """Read a connection's configuration."""
        stored = config.get("mapping", {})
        return cls(**{name: dict(stored.get(name, {})) for name in ("facts", "flags", "packet", "owners")})

    @property
    def properties(self) -> list[str]:
        """Every property of the CRM that must be asked for."""
        return sorted({*self.facts.values(), *self.flags.values(), *self.packet.values()})


def facts_of(deal: SoldDeal, mapping: FactMapping) -> dict[str, Any]:
    """The deal in our words. A blank is None; a flag that says neither yes nor no is None, which is not yes."""
    company = _account(deal)
    facts: dict[str, Any] = {name: deal.properties.get(source) for name, source in mapping.facts.items()}
    facts |= {name: _flag(deal.properties.get(source)) for name, source in mapping.flags.items()}
    facts |= {
        "stage": deal.stage or None,
        "amount": str(deal.amount) if deal.amount is not None else None,
        "currency": deal.currency or None,
        "owner": mapping.owners.get(deal.owner_id, deal.owner_id) or None,
        "deal_name": deal.name,
        "account_id": company.id if company else None,
        "account_name": company.name if company else None,
        "contacts": _contacts(deal),
        "packet": {name: _packet_value(deal.properties.get(source)) for name, source in mapping.packet.items()},
    }
    if isinstance(facts.get("seats"), str):
        facts["seats"] = _whole(facts["seats"])
    if facts.get("start_date") and not _is_date(str(facts["start_date"])):
        facts["start_date"] = None
    return facts


def _account(deal: SoldDeal) -> SoldCompany | None:
    """The one company the deal belongs to; two without a mark are ambiguous, and nobody guesses."""
    primary = [company for company in deal.companies if company.primary]
    if len(primary) == 1:
        return primary[0]
    return deal.companies[0] if len(deal.companies) == 1 else None


def _contacts(deal: SoldDeal) -> list[dict[str, str]]:
    """Whoever can be written to, each address once: a CRM may hold a person twice."""
    found = {contact.email.lower(): _contact(contact) for contact in reversed(deal.contacts) if contact.email}
    return list(reversed(found.values()))


def _contact(contact: SoldContact) -> dict[str, str]:
    name = f"{contact.first_name} {contact.last_name}".strip() or contact.email
    return {
        "email": contact.email.lower(),
        "name": name,
        "title": contact.job_title,
        "locale": negotiate(contact.language).language,
    }


def _flag(text: str | None) -> bool | None:
    word = (text or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _whole(text: str) -> int | str:
    """A whole number as CRMs write them ("40", "40.0"); anything else stays what it is, for the template to refuse."""
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return text
    fits = number.is_finite() and abs(number.adjusted()) < _DIGITS and number == number.to_integral_value()
    return int(number) if fits else text


def _packet_value(text: str | None) -> str | None:
    return (text or "").strip() or None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
