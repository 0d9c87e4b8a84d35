"""Harbor ERP: an implementation partner that joins CRM, delivery and billing for manufacturers. Works in German."""

from __future__ import annotations

from app.demo.world.shapes import Colleague, Contact, DemoPartner, Lane, Sale
from app.partners.brand import Brand
from app.web.frame import HelpContact, Legal

_COMPLETE = {
    "business_outcome": "Aufträge ohne Medienbruch vom Angebot bis zur Rechnung.",
    "first_value_milestone": "Die erste Anfrage aus der Fertigung ist innerhalb des SLA gelöst.",
    "key_stakeholders": "Käufer: Geschäftsführung. Fürsprecher und Technik: IT-Leitung. Rechnung: Buchhaltung.",
    "promised_deliverables": "Einführung, Schulung, Betreuung im ersten Jahr.",
    "nonstandard_terms": "keine",
    "customer_owner": "IT-Leitung",
    "technical_requirements": "Anbindung der Betriebsdatenerfassung.",
    "product_package": "Harbor Fertigung",
    "contracted_services": "Einführung, Schnittstellen, Support",
    "success_criteria": "Durchlaufzeit vom Auftrag zur Rechnung halbiert.",
    "promised_use_cases": "Auftragserfassung, Materialplanung.",
    "promised_timeline": "Echtbetrieb zum Quartalswechsel.",
    "economic_buyer": "Geschäftsführung",
    "integrations_and_migration": "Artikel- und Kundenstamm aus dem Altsystem.",
    "risks_and_objections": "Schlüsselperson im Einkauf geht in Elternzeit.",
    "commercial_context": "Bestellung liegt vor, Auftragsverarbeitung vereinbart.",
    "billing_details": "Nach Meilensteinen, 30 Tage netto.",
    "customer_dependencies": "Export der Stammdaten.",
    "kickoff_expectation": "Vor Ort, in der zweiten Woche.",
}


def _packet(account: str, *missing: str) -> dict[str, str]:
    known = _COMPLETE | {"legal_account_name": account}
    return {name: text for name, text in known.items() if name not in missing}


HARBOR = DemoPartner(
    slug="harbor",
    name="Harbor ERP",
    brand=Brand("Harbor ERP", "#e8a317", surface="#faf7f0", radius=2, font="source-sans"),
    legal=Legal("Harbor ERP GmbH", "Am Sandtorkai 41, 20457 Hamburg"),
    help=HelpContact("Jana Petersen", "jana.petersen@harbor.example", "Kundenbetreuung", "+49 40 5550 1180"),
    noted="Gesehen, geprüft und im Projektordner vermerkt.",
    answers={
        "project_manager": "Malte Hansen",
        "data_lead": "Arne Fischer",
        "entities": 2,
        "old_system": "other_erp",
        "records": 48210,
        "rejected": 37,
        "attendees": 16,
    },
    proofs={
        "task.workshop": "Protokoll und Prozesslandkarte liegen im Projektordner.",
        "task.load_data": "Ladeprotokoll: 48 210 Sätze, 37 abgewiesen und geklärt.",
        "milestone.first_close": "Der erste Monat ist im neuen System abgeschlossen; Bericht liegt vor.",
    },
    lanes=(Lane("Fertigung, Mittelstand", "manufacturing", "Europe/Berlin", "DE", "erp/rollout-across-vendors"),),
    staff=(
        Colleague(
            "Katrin Behrens", "katrin.behrens@harbor.example", ("partner_admin",), ("cs_leader", "sales_manager"), "de"
        ),
        Colleague(
            "Malte Hansen", "malte.hansen@harbor.example", ("onboarding_lead",), ("revops", "onboarding_lead"), "de"
        ),
        Colleague("Jana Petersen", "jana.petersen@harbor.example", ("csm",), ("csm", "sales_owner"), "de"),
        Colleague(
            "Arne Fischer",
            "arne.fischer@harbor.example",
            ("technical", "onboarding_lead"),
            (
                *("implementation_lead", "solutions_owner", "process_consultant", "data_lead"),
                *("integration_lead", "service_desk_lead"),
            ),
            "de",
        ),
        Colleague("Sibel Aydin", "sibel.aydin@harbor.example", ("finance",), ("finance",), "de"),
    ),
    sales=(
        Sale(
            key="ostermann",
            account="Ostermann Metallbau",
            domain="ostermann.example",
            country="Germany",
            segment="manufacturing",
            contact=Contact("Birgit", "Ostermann", "Geschäftsführerin", "birgit@ostermann.example", "de"),
            closed=1,
            packet=_packet("Ostermann Metallbau GmbH", "promised_deliverables", "nonstandard_terms", "renewal_signal"),
            amount="98000",
            seats=80,
            stalls=("gate.handoff_quality",),
        ),
        Sale(
            key="voss",
            account="Voss Antriebstechnik",
            domain="voss.example",
            country="Germany",
            segment="manufacturing",
            contact=Contact("Henning", "Voss", "IT-Leiter", "henning.voss@voss.example", "de"),
            closed=8,
            packet=_packet("Voss Antriebstechnik GmbH & Co. KG"),
            plan="enterprise",
            amount="175000",
            seats=210,
            stalls=("task.describe_landscape",),
        ),
        Sale(
            key="alpenglas",
            account="Alpenglas Manufaktur",
            domain="alpenglas.example",
            country="Austria",
            segment="manufacturing",
            contact=Contact("Lena", "Hofer", "Produktionsleiterin", "lena.hofer@alpenglas.example", "de"),
            closed=14,
            packet=_packet("Alpenglas Manufaktur GmbH"),
            amount="64000",
            seats=50,
            stalls=("gate.go_no_go",),
            answers={"entities": 1, "vendors": "CRM\nRechnungsdienst", "audited": False},
        ),
        Sale(
            key="kruse",
            account="Kruse Verpackung",
            domain="kruse.example",
            country="Germany",
            segment="manufacturing",
            contact=Contact("Olaf", "Kruse", "Geschäftsführer", "olaf.kruse@kruse.example", "de"),
            closed=4,
            packet=_packet("Kruse Verpackung KG"),
            amount="71000",
            companies=2,
            seats=60,
        ),
    ),
)
