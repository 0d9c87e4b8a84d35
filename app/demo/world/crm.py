"""The demo partners' CRM: what a deal holds there, and how it is mapped to facts. Speaks the CRM's own API."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.demo.world.shapes import DemoPartner, Sale
from app.intake.rules import DEFAULT_REQUIRED

SOURCE = "hubspot"
OWNER_ID = "71500021"  # the seller, as the CRM numbers its users
_FACTS = {
    "segment": "onboarding_segment",
    "start_date": "contract_start",
    "product": "product_line",
    "plan": "plan",
    "implementation_type": "implementation_type",
    "region": "service_region",
    "seats": "seats",
    "package": "service_package",
    "add_ons": "service_add_ons",
}
_FLAGS = {"contract_signed": "contract_signed", "payment_ready": "billing_ready"}
_PACKET_PREFIX = "handoff_"
_DEAL_TO_COMPANY, _DEAL_TO_CONTACT, _UNLABELLED = 5, 3, 341


class CrmTrouble(RuntimeError):
    """The CRM answered with an error."""


def mapping(partner: DemoPartner) -> dict[str, Any]:
    """The connection's mapping: which of the CRM's properties holds which fact."""
    fields = sorted({name for sale in partner.sales for name in sale.packet} | {"renewal_signal"})
    return {
        "facts": dict(_FACTS),
        "flags": dict(_FLAGS),
        "packet": {name: f"{_PACKET_PREFIX}{name}" for name in fields},
        "owners": {OWNER_ID: partner.player("sales_owner").email},
    }


def contract(segment: str) -> dict[str, Any]:
    """The trigger contract of a demo lane."""
    return {
        "stages": ["closedwon"],
        "segments": [segment],
        "required": [*DEFAULT_REQUIRED, "account_id", "account_name"],
        "conditions": {"contract_signed": True, "payment_ready": True},
        "exclusions": [
            {
                "fact": "implementation_type",
                "equals": "none",
                "reason": "Renewals and licences only need no onboarding.",
            }
        ],
    }


def deal_properties(sale: Sale, closed_on: date) -> dict[str, str]:
    """A won deal as the CRM holds it."""
    clean: dict[str, str | None] = {
        "dealname": f"{sale.account}, {sale.packet.get('product_package', 'onboarding')}",
        "dealstage": "closedwon",
        "pipeline": "default",
        "amount": sale.amount,
        "deal_currency_code": "EUR" if sale.region == "eu" else "USD",
        "closedate": closed_on.isoformat(),
        "hubspot_owner_id": OWNER_ID,
        "onboarding_segment": sale.segment,
        "contract_start": closed_on.isoformat(),
        "product_line": sale.packet.get("product_package"),
        "plan": sale.plan,
        "implementation_type": "full",
        "service_region": sale.region,
        "seats": str(sale.seats),
        "service_package": sale.package,
        "service_add_ons": ";".join(sale.add_ons) or None,
        "contract_signed": "yes",
        "billing_ready": "yes",
    }
    clean |= {f"{_PACKET_PREFIX}{name}": text for name, text in sale.packet.items()}
    clean |= dict(sale.changes)
    return {name: value for name, value in clean.items() if value is not None}


@dataclass(frozen=True, slots=True)
class CrmClient:
    """Makes deals in the CRM through its objects API, as the partner's sellers would. `port` is the stand-in's."""

    port: int
    token: str

    def find_deal(self, name: str) -> str | None:
        """The id of the deal of that name."""
        after = ""
        while True:
            page = self._ask("GET", f"/crm/v3/objects/deals?limit=100&properties=dealname{after}")
            for deal in page["results"]:
                if deal["properties"].get("dealname") == name:
                    return str(deal["id"])
            if "paging" not in page:
                return None
            after = f"&after={page['paging']['next']['after']}"

    def create_deal(self, sale: Sale, closed_on: date, *, stage: str = "closedwon") -> str:
        """Make the deal with its company and person. Returns its id."""
        companies = [
            self._create("companies", {"name": name, "domain": sale.domain, "country": sale.country})
            for name in [sale.account, *(f"{sale.account} Holding {n}" for n in range(1, sale.companies))]
        ]
        who = sale.contact
        person = {"email": who.email, "firstname": who.first, "lastname": who.last}
        person |= {"jobtitle": who.title, "hs_language": who.language}
        kind = _DEAL_TO_COMPANY if sale.companies == 1 else _UNLABELLED
        links = [_link(company, kind) for company in companies]
        links.append(_link(self._create("contacts", person), _DEAL_TO_CONTACT))
        return self._create("deals", deal_properties(sale, closed_on) | {"dealstage": stage}, links)

    def change_deal(self, deal_id: str, changes: Mapping[str, str]) -> None:
        """Change properties of a deal, as a seller does when it is won."""
        self._ask("PATCH", f"/crm/v3/objects/deals/{deal_id}", {"properties": dict(changes)})

    def _create(self, kind: str, properties: Mapping[str, str], links: list[dict[str, Any]] | None = None) -> str:
        made = self._ask(
            "POST", f"/crm/v3/objects/{kind}", {"properties": dict(properties), "associations": links or []}
        )
        return str(made["id"])

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # JSON of the CRM's own shape
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request(method, path, body=sent, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise CrmTrouble(f"{method} {path} answered {answer.status}: {text[:300]}")
        return json.loads(text) if text else None


def _link(object_id: str, kind: int) -> dict[str, Any]:
    return {"to": {"id": object_id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind}]}
