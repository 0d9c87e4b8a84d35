"""Northwind Managed Services: an MSP that takes over support for mid-market customers under its own brand."""

from __future__ import annotations

from app.demo.world.shapes import Colleague, Contact, DemoPartner, Environment, Lane, Sale
from app.partners.brand import Brand
from app.web.frame import HelpContact, Legal

_COMPLETE = {
    "business_outcome": "Cut the time to a working laptop for new staff from nine days to two.",
    "first_value_milestone": "The first request of a real user is solved within the SLA.",
    "key_stakeholders": "Buyer: finance director. Champion and admin: head of IT. Billing: accounts payable.",
    "promised_deliverables": "Service desk on weekdays, monitoring and patching of all workplaces.",
    "nonstandard_terms": "none",
    "customer_owner": "Head of IT",
    "technical_requirements": "Windows 11 and macOS, Entra ID, no on-site servers.",
    "legal_account_name": "",
    "product_package": "Managed Workplace",
    "contracted_services": "Service desk, monitoring, patching",
    "success_criteria": "Nine of ten requests solved within the SLA in the first quarter.",
    "promised_use_cases": "New starters, password resets, patching without downtime.",
    "promised_timeline": "Live within four weeks of signing.",
    "economic_buyer": "Finance director",
    "integrations_and_migration": "Directory sync with Entra ID; no data is migrated.",
    "risks_and_objections": "The old provider's contract ends in six weeks.",
    "commercial_context": "Purchase order is out; security questionnaire answered.",
    "billing_details": "Monthly, by invoice to accounts payable.",
    "customer_dependencies": "Admin consent for the agent in Entra ID.",
    "kickoff_expectation": "Within a week of signing, by video.",
}


def _packet(account: str, *missing: str) -> dict[str, str]:
    known = _COMPLETE | {"legal_account_name": account}
    return {name: text for name, text in known.items() if name not in missing}


NORTHWIND = DemoPartner(
    slug="northwind",
    name="Northwind Managed Services",
    brand=Brand("Northwind Services", "#2f5bd7", radius=8, font="inter"),
    legal=Legal("Northwind Managed Services Ltd", "12 Quay Street, Bristol BS1 4DB"),
    help=HelpContact("Priya Raman", "priya.raman@northwind.example", "Customer success manager", "+44 117 496 0123"),
    template="msp/managed-services",
    patch={
        "texts": {
            "provider": {"en": "Northwind Services", "de": "Northwind Services"},
            "support_hours": {"en": "Monday to Friday, 8:00 to 18:00", "de": "Montag bis Freitag, 8:00 bis 18:00 Uhr"},
            "support_contact": {"en": "the Northwind service desk", "de": "den Service Desk von Northwind"},
        }
    },
    lanes=(Lane("Mid-market managed workplace", "midmarket", "Europe/London"),),
    staff=(
        Colleague("Dana Weber", "dana.weber@northwind.example", ("partner_admin",), ("cs_leader", "sales_manager")),
        Colleague(
            "Oskar Lindqvist", "oskar.lindqvist@northwind.example", ("onboarding_lead",), ("revops", "onboarding_lead")
        ),
        Colleague("Priya Raman", "priya.raman@northwind.example", ("csm",), ("csm", "sales_owner")),
        Colleague(
            "Tom Okafor",
            "tom.okafor@northwind.example",
            ("technical", "onboarding_lead"),
            ("implementation_lead", "solutions_owner", "service_desk_lead"),
        ),
        Colleague("Lucía Ferrer", "lucia.ferrer@northwind.example", ("finance",), ("finance",)),
    ),
    sales=(
        Sale(
            key="greyfriars",
            account="Greyfriars Housing Association",
            domain="greyfriars.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Helen", "Marsh", "Head of IT", "helen.marsh@greyfriars.example"),
            closed=1,
            until="sold",
            environment=Environment(140, sites=6),
            packet=_packet("Greyfriars Housing Association Ltd", "business_outcome", "nonstandard_terms", "success_criteria"),
        ),
        Sale(
            key="tidewell",
            account="Tidewell Logistics",
            domain="tidewell.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Imran", "Shah", "Operations director", "imran.shah@tidewell.example"),
            closed=9,
            until="kickoff",
            environment=Environment(85, sites=3),
            packet=_packet("Tidewell Logistics Ltd"),
        ),
        Sale(
            key="pennant",
            account="Pennant Architects",
            domain="pennant.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Sara", "Conti", "Practice manager", "sara.conti@pennant.example"),
            closed=11,
            until="launched",
            environment=Environment(38, identity="google"),
            packet=_packet("Pennant Architects LLP"),
            plan="starter",
        ),
        Sale(
            key="oakfield",
            account="Oakfield Dental Group",
            domain="oakfield.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Ruth", "Adeyemi", "Group manager", "ruth.adeyemi@oakfield.example"),
            closed=22,
            until="value",
            environment=Environment(64, sites=9),
            packet=_packet("Oakfield Dental Group Ltd"),
        ),
        Sale(
            key="lowmoor",
            account="Lowmoor Foods",
            domain="lowmoor.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Neil", "Barton", "IT manager", "neil.barton@lowmoor.example"),
            closed=2,
            until="sold",
            environment=Environment(52),
            packet=_packet("Lowmoor Foods plc"),
            changes={"contract_signed": "no"},
        ),
    ),
)
