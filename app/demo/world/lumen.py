"""Lumen Cloud: a SaaS vendor with enterprise customers in two regions, each with a lane of its own."""

from __future__ import annotations

from app.demo.world.shapes import Colleague, Contact, DemoPartner, Lane, Sale
from app.partners.brand import Brand
from app.web.frame import HelpContact, Legal

_COMPLETE = {
    "business_outcome": "One place for all planning figures, closed on the third working day of the month.",
    "first_value_milestone": "A planner's first question is answered by the product team within the SLA.",
    "key_stakeholders": "Buyer: CFO. Champion: head of planning. Admin and technical owner: platform team.",
    "promised_deliverables": "Workspace in the agreed region, single sign-on, training of planners.",
    "nonstandard_terms": "Data stays in the contracted region.",
    "customer_owner": "Head of planning",
    "technical_requirements": "SAML single sign-on, allow-listed addresses.",
    "product_package": "Lumen Enterprise",
    "contracted_services": "Subscription, onboarding, premium support",
    "success_criteria": "Forty planners active in the second month.",
    "promised_use_cases": "Monthly close, rolling forecast.",
    "promised_timeline": "First close in the product next quarter.",
    "economic_buyer": "CFO",
    "integrations_and_migration": "Two years of figures from the old planning sheets.",
    "risks_and_objections": "Security review of the new region.",
    "commercial_context": "Framework agreement signed; data processing agreement attached.",
    "billing_details": "Yearly in advance, purchase order required.",
    "customer_dependencies": "Metadata of their identity provider.",
    "kickoff_expectation": "Two weeks after signing.",
}


def _packet(account: str, *missing: str) -> dict[str, str]:
    known = _COMPLETE | {"legal_account_name": account}
    return {name: text for name, text in known.items() if name not in missing}


LUMEN = DemoPartner(
    slug="lumen",
    name="Lumen Cloud",
    brand=Brand("Lumen Cloud", "#7a3ff2", surface="#f8f7fc", radius=14, font="figtree"),
    legal=Legal("Lumen Cloud B.V.", "Herengracht 182, 1016 BR Amsterdam"),
    help=HelpContact("Maya Lindgren", "maya.lindgren@lumen.example", "Customer success", "+31 20 555 0142"),
    answers={
        "personal_data": "contact",
        "sso": True,
        "second_region": False,
        "domain": "login.lumen.example",
        "attendees": 24,
    },
    proofs={"milestone.first_workflow": "The planning team closed its first month in Lumen without our help."},
    lanes=(
        Lane("Enterprise, Europe", "enterprise-eu", "Europe/Amsterdam", "NL", "saas/enterprise-launch"),
        Lane("Enterprise, North America", "enterprise-us", "America/New_York", "US", "saas/enterprise-launch"),
        Lane("Custom integrations", "integration", "Europe/Amsterdam", "NL", "integrator/custom-integration"),
    ),
    staff=(
        Colleague("Ines Duarte", "ines.duarte@lumen.example", ("partner_owner",), ("cs_leader", "sales_manager")),
        Colleague("Caleb Stone", "caleb.stone@lumen.example", ("onboarding_lead",), ("revops", "onboarding_lead")),
        Colleague("Maya Lindgren", "maya.lindgren@lumen.example", ("csm",), ("csm", "sales_owner")),
        Colleague(
            "Jonas Vermeer",
            "jonas.vermeer@lumen.example",
            ("technical", "onboarding_lead"),
            (
                *("implementation_lead", "solutions_owner", "security_lead", "support_lead"),
                *("integration_engineer", "privacy_officer"),
            ),
        ),
        Colleague("Aiko Tanaka", "aiko.tanaka@lumen.example", ("finance",), ("finance",)),
    ),
    sales=(
        Sale(
            key="brightwater",
            account="Brightwater Analytics",
            domain="brightwater.example",
            country="Netherlands",
            segment="enterprise-eu",
            contact=Contact("Femke", "de Wit", "Head of planning", "femke.dewit@brightwater.example"),
            closed=2,
            packet=_packet("Brightwater Analytics N.V.", "first_value_milestone", "customer_owner"),
            plan="enterprise",
            amount="186000",
            seats=420,
            stalls=("gate.handoff_quality",),
            answers={"residency": "eu"},
        ),
        Sale(
            key="casaverde",
            account="Casa Verde Retail",
            domain="casaverde.example",
            country="United States",
            segment="enterprise-us",
            contact=Contact("Rosa", "Delgado", "VP Finance", "rosa.delgado@casaverde.example"),
            closed=10,
            packet=_packet("Casa Verde Retail, Inc."),
            plan="enterprise",
            region="us",
            amount="240000",
            seats=610,
            stalls=("task.security_questions",),
            answers={"residency": "us"},
        ),
        Sale(
            key="fjordbank",
            account="Fjordbank",
            domain="fjordbank.example",
            country="Norway",
            segment="integration",
            contact=Contact("Ingrid", "Solheim", "Head of platforms", "ingrid.solheim@fjordbank.example"),
            closed=14,
            packet=_packet("Fjordbank ASA")
            | {
                "integration_scenarios": "Payments from the ledger to Lumen\nPlans from Lumen to the ledger",
                "data_processing_agreement": "Signed with the framework agreement.",
            },
            plan="enterprise",
            amount="98000",
            seats=160,
            stalls=("gate.live_data",),
        ),
        Sale(
            key="nordlys",
            account="Nordlys Energi",
            domain="nordlys.example",
            country="Norway",
            segment="enterprise-eu",
            contact=Contact("Eirik", "Haugen", "Platform owner", "eirik.haugen@nordlys.example"),
            closed=13,
            packet=_packet("Nordlys Energi AS"),
            plan="enterprise",
            amount="152000",
            seats=330,
            stalls=("task.agree_scope",),
            answers={"residency": "eu", "systems": "Ledger", "regions": "Norway"},
        ),
        Sale(
            key="halcyon",
            account="Halcyon Health",
            domain="halcyon.example",
            country="United States",
            segment="enterprise-us",
            contact=Contact("Grace", "Whitfield", "Director of planning", "grace.whitfield@halcyon.example"),
            closed=3,
            packet=_packet("Halcyon Health, Inc."),
            plan="enterprise",
            region="us",
            amount="131000",
            changes={"plan": None, "contract_start": None},
            seats=280,
            answers={"residency": "us"},
        ),
    ),
)
