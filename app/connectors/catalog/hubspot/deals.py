"""Reads a deal with its companies and contacts from HubSpot into a `SoldDeal`. Judges nothing about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from app.connectors.crm.sold_deal import DealAnswer, SoldCompany, SoldContact, SoldDeal
from app.connectors.kit.contract import ActionCall, SignedIn
from app.connectors.kit.runner import Runner
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain

PROPERTIES = (
    *("dealname", "amount", "deal_currency_code", "dealstage", "pipeline", "closedate", "hubspot_owner_id"),
    *("hs_is_closed_won", "dealtype", "description"),
)
# HubSpot's label of the one company that a deal belongs to.
PRIMARY = "deal_to_company"
BATCH = 100

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DealRef:
    """Which deal to read, for which attempt of which job; `properties` are those that a workflow maps besides ours."""

    deal_id: str
    properties: Iterable[str] = ()
    attempt: int = 1


def read_deal(runner: Runner, ref: DealRef, signed: SignedIn) -> DealAnswer:
    """Read a deal, then its companies and contacts. Holds no session."""
    wanted = ",".join(dict.fromkeys([*PROPERTIES, *ref.properties]))
    deal = _call(runner, "read_deal", {"deal_id": ref.deal_id, "properties": wanted}, ref, signed)
    if not isinstance(deal, dict):
        return deal
    links = deal.get("associations", {})
    companies = _read_linked(runner, "read_companies", links.get("companies"), ref, signed)
    if isinstance(companies, TryAgain | GiveUp | NeedsPerson):
        return companies
    contacts = _read_linked(runner, "read_contacts", links.get("contacts"), ref, signed)
    if isinstance(contacts, TryAgain | GiveUp | NeedsPerson):
        return contacts
    return _sold_deal(deal, companies, contacts)


def _call(
    runner: Runner, action: str, given: Mapping[str, object], ref: DealRef, signed: SignedIn
) -> dict[str, Any] | TryAgain | GiveUp | NeedsPerson:
    call = ActionCall(
        provider="hubspot",
        action=action,
        input=given,
        idempotency_key=f"hubspot:{ref.deal_id}",
        secrets=signed.secrets,
        auth=signed.auth,
        renew=signed.renew,
        connection=signed.connection,
        config=signed.config,
        attempt=ref.attempt,
    )
    outcome = runner.call(call).outcome
    return (outcome.result or {}) if isinstance(outcome, Done) else outcome


def _read_linked(
    runner: Runner, action: str, links: Mapping[str, Any] | None, ref: DealRef, signed: SignedIn
) -> dict[str, Fields] | TryAgain | GiveUp | NeedsPerson:
    """The linked objects by id, in the order of the links; one that was deleted meanwhile is left out."""
    ids = list(dict.fromkeys(link["id"] for link in (links or {}).get("results", [])))
    found: dict[str, Fields] = {}
    for start in range(0, len(ids), BATCH):
        inputs = [{"id": object_id} for object_id in ids[start : start + BATCH]]
        answer = _call(runner, action, {"inputs": inputs}, ref, signed)
        if not isinstance(answer, dict):
            return answer
        found |= {item["id"]: _texts(item["properties"]) for item in answer.get("results", [])}
    return {object_id: found[object_id] for object_id in ids if object_id in found}


def _sold_deal(deal: dict[str, Any], companies: Mapping[str, Fields], contacts: Mapping[str, Fields]) -> SoldDeal:
    fields = _texts(deal["properties"])
    links = deal.get("associations", {})
    primary = {link["id"] for link in links.get("companies", {}).get("results", []) if link["type"] == PRIMARY}
    return SoldDeal(
        source="hubspot",
        deal_id=deal["id"],
        name=fields.get("dealname", ""),
        pipeline=fields.get("pipeline", ""),
        stage=fields.get("dealstage", ""),
        won=fields.get("hs_is_closed_won", "") == "true" or fields.get("dealstage") == "closedwon",
        amount=_amount(fields.get("amount", "")),
        currency=fields.get("deal_currency_code", ""),
        closed_at=_moment(fields.get("closedate", "")),
        owner_id=fields.get("hubspot_owner_id", ""),
        companies=tuple(_company(key, found, primary=key in primary) for key, found in companies.items()),
        contacts=tuple(_contact(key, found) for key, found in contacts.items()),
        partial=any("paging" in linked for linked in links.values()),
        properties=fields,
    )


def _company(key: str, found: Fields, *, primary: bool) -> SoldCompany:
    return SoldCompany(key, found.get("name", ""), found.get("domain", ""), found.get("country", ""), primary)


def _contact(key: str, found: Fields) -> SoldContact:
    names = ("email", "firstname", "lastname", "phone", "jobtitle", "hs_language")
    return SoldContact(key, *(found.get(name, "") for name in names))


def _texts(properties: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value.strip() for name, value in properties.items() if value and value.strip()}


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _moment(text: str) -> datetime | None:
    """HubSpot writes ISO 8601 in UTC, in older accounts milliseconds since 1970."""
    try:
        if text.isdecimal() and len(text) > 8:  # noqa: PLR2004  eight digits are an ISO date without hyphens
            return datetime.fromtimestamp(int(text) / 1000, tz=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
