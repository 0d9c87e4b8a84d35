"""Northwind Managed Services: an MSP that takes over support for mid-market customers under its own brand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.demo.world.shapes import Colleague, Contact, DemoPartner, Lane, Sale
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


# What it sells upon the template for the mid-market; what the CRM calls the product or the package says which.
PACKAGES: tuple[Mapping[str, Any], ...] = (
    {
        "package": "managed-workplace",
        "template": "msp-midmarket-services",
        "title": {"en": "Managed Workplace", "de": "Managed Workplace", "ar": "إدارة محطات العمل"},
        "description": {
            "en": "Service desk on working days, monitoring and patching.",
            "de": "Service Desk an Werktagen, Überwachung und Aktualisierung.",
            "ar": "مكتب خدمة في أيام العمل، مع المراقبة والتحديثات.",
        },
        "prices": [{"interval": "monthly", "text": {"en": "£32 a workplace"}}],
    },
    {
        "package": "managed-workplace-gold",
        "template": "msp-midmarket-services",
        "title": {"en": "Managed Workplace Gold", "de": "Managed Workplace Gold", "ar": "إدارة محطات العمل الذهبية"},
        "description": {
            "en": "The same with faster answers and, if wanted, backup.",
            "de": "Dasselbe mit schnelleren Antworten und auf Wunsch mit Datensicherung.",
            "ar": "الخدمة نفسها مع استجابة أسرع، ومع النسخ الاحتياطي عند الرغبة.",
        },
        "excluded": {
            "en": "Projects, and anything outside of working days.",
            "de": "Projekte und alles außerhalb der Werktage.",
            "ar": "المشاريع، وكل ما هو خارج أيام العمل.",
        },
        "tier": {
            "title": {"en": "Gold", "de": "Gold", "ar": "ذهبي"},
            "timers": {"kickoff_scheduled": [{"business_hours": 8}, {"business_hours": 4}]},
        },
        "add_ons": [
            {
                "id": "backup",
                "title": {"en": "Backup", "de": "Datensicherung", "ar": "النسخ الاحتياطي"},
                "prices": [{"interval": "monthly", "text": {"en": "£6 a workplace"}}],
                "adds": [
                    {
                        "id": "restore",
                        "place": "milestone.baseline",
                        "task": {
                            "title": {
                                "en": "Prove a restore",
                                "de": "Wiederherstellung nachweisen",
                                "ar": "إثبات الاستعادة",
                            },
                            "kind": "check",
                            "owner": "service_desk_lead",
                        },
                    }
                ],
            }
        ],
        "quotas": {"members": 25},
        "prices": [{"interval": "monthly", "text": {"en": "£49 a workplace"}}],
    },
)
NORTHWIND = DemoPartner(
    slug="northwind",
    name="Northwind Managed Services",
    brand=Brand("Northwind Services", "#2f5bd7", radius=8, font="inter"),
    legal=Legal("Northwind Managed Services Ltd", "12 Quay Street, Bristol BS1 4DB"),
    help=HelpContact("Priya Raman", "priya.raman@northwind.example", "Customer success manager", "+44 117 496 0123"),
    answers={
        "engineer": "Tom Okafor",
        "fallback": "Oskar Lindqvist",
        "engineer_fallback": "Oskar Lindqvist",
        "contact": "priya.raman@northwind.example",
        "attended": "Both teams",
        "identity": "entra",
        "legacy_monitoring": False,
        "notes": "",
        "ticket": "SD-1042",
        "minutes": 38,
    },
    proofs={
        "task.kickoff": "Goals, plan and owners were agreed; the notes are in the project folder.",
        "task.deploy_agents": "Every workplace reports to monitoring; the coverage report is filed.",
        "task.test_alert": "The test alert reached the desk after four minutes.",
        "task.solve_first_ticket": "SD-1042 was solved after 38 minutes; four hours were agreed.",
        "milestone.first_ticket_solved": "SD-1042 was solved within the SLA, and the customer says that it helped.",
    },
    lanes=(
        Lane("Mid-market managed workplace", "midmarket", "Europe/London", "GB", "msp/midmarket-services"),
        Lane("Small offices", "small", "Europe/London", "GB", "msp/managed-services"),
    ),
    packages=PACKAGES,
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
            packet=_packet(
                "Greyfriars Housing Association Ltd", "business_outcome", "nonstandard_terms", "success_criteria"
            ),
            seats=140,
            stalls=("gate.handoff_quality",),
            answers={"workplaces": 140, "covered": 140, "people": 137},
        ),
        Sale(
            key="tidewell",
            account="Tidewell Logistics",
            domain="tidewell.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Imran", "Shah", "Operations director", "imran.shah@tidewell.example"),
            closed=9,
            packet=_packet("Tidewell Logistics Ltd"),
            seats=90,
            stalls=("task.describe_environment",),
        ),
        Sale(
            key="alwaha",
            account="مجموعة الواحة للتجارة",
            domain="alwaha.example",
            country="United Arab Emirates",
            segment="midmarket",
            contact=Contact("ليلى", "المنصوري", "مديرة تقنية المعلومات", "layla.almansoori@alwaha.example", "ar"),
            closed=7,
            packet=_packet("Al Waha Trading LLC"),
            package="Managed Workplace Gold",
            add_ons=("Backup",),
            seats=75,
            stalls=("task.documentation",),
            answers={
                "workplaces": 72,
                "sites": "أبوظبي\nدبي",
                "people": "ليلى المنصوري\nنور الحربي",
                "has_previous": True,
                "previous_name": "شركة الخدمات السابقة",
                "notes": "نعمل من الاثنين إلى الجمعة.",
            },
        ),
        Sale(
            key="pennant",
            account="Pennant Architects",
            domain="pennant.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Sara", "Conti", "Practice manager", "sara.conti@pennant.example"),
            closed=11,
            packet=_packet("Pennant Architects LLP"),
            plan="starter",
            seats=40,
            stalls=("gate.launch_approval",),
            answers={"workplaces": 38, "sites": "Bath\nBristol", "has_previous": False},
        ),
        Sale(
            key="oakfield",
            account="Oakfield Dental Group",
            domain="oakfield.example",
            country="United Kingdom",
            segment="small",
            contact=Contact("Ruth", "Adeyemi", "Group manager", "ruth.adeyemi@oakfield.example"),
            closed=12,
            packet=_packet("Oakfield Dental Group Ltd") | {"product_package": "Small Office Care"},
            seats=24,
            answers={"workplaces": 22, "covered": 22, "people": 21, "sites": 1},
        ),
        Sale(
            key="marlow",
            account="Marlow & Finch Solicitors",
            domain="marlowfinch.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Joan", "Finch", "Practice director", "joan.finch@marlowfinch.example"),
            closed=2,
            packet=_packet("Marlow & Finch LLP"),
            seats=55,
            stalls=("task.kickoff_meet",),
        ),
        Sale(
            key="lowmoor",
            account="Lowmoor Foods",
            domain="lowmoor.example",
            country="United Kingdom",
            segment="midmarket",
            contact=Contact("Neil", "Barton", "IT manager", "neil.barton@lowmoor.example"),
            closed=2,
            packet=_packet("Lowmoor Foods plc"),
            changes={"contract_signed": "no"},
            seats=60,
            answers={"workplaces": 52, "covered": 52, "people": 49},
        ),
    ),
)
