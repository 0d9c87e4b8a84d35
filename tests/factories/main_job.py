"""The main job's actors and outside world, and the steps a test takes through it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from app.bootstrap.seeding import seeder
from app.bootstrap.services.trails import trail_services
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.catalog.hubspot import stand_in as hubspot
from app.connectors.catalog.product_admin import stand_in as product_admin
from app.connectors.kit.limits.gate import LocalGate
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionSetting, add_connection
from app.identity.operations import ensure_person
from app.intake.models import Workflow
from app.intake.operations import HookMessage, receive_messages
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.paging import CursorKey
from app.kernel.runtime import Runtime
from app.notifications.postroom import Postroom
from app.notifications.sink import MailSink
from app.partners.brand import Brand
from app.partners.operations import NewOrganisation, assign_role, create_organisation, set_brand
from app.partners.queries import SiteDirectory
from app.settings.values import MailServer
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from app.vault.secret import Secret
from app.web.security import Front
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.canaries.marks import marked
from tests.factories.installation import Installation, make_runtime
from tests.factories.vault.files import files_in

TOKEN = marked("pat-test-northwind")
WORKBENCH = marked("wb-test")
STAFF = {
    "dana": ("Dana Weber", ["onboarding_lead", "partner_admin"]),
    "tom": ("Tom Okafor", ["technical"]),
}
ROLES = (
    *("revops", "onboarding_lead", "csm", "cs_leader", "implementation_lead", "finance"),
    *("sales_owner", "sales_manager", "solutions_owner", "service_desk_lead"),
)
MAPPING = {
    "facts": {
        name: f"sw_{name}"
        for name in (
            *("segment", "start_date", "product", "plan", "implementation_type", "region", "seats"),
            *("package", "add_ons"),
        )
    },
    "flags": {"contract_signed": "sw_contract_signed", "payment_ready": "sw_payment_ready"},
    "packet": {
        name: f"sw_{name}"
        for name in [
            "business_outcome",
            "first_value_milestone",
            "key_stakeholders",
            "promised_deliverables",
            "nonstandard_terms",
            "technical_requirements",
            "legal_account_name",
            "customer_owner",
        ]
    },
}
CONTRACT = {
    "stages": ["closedwon"],
    "segments": ["mid-market"],
    "conditions": {"contract_signed": True, "payment_ready": True},
    "exclusions": [{"fact": "implementation_type", "equals": "self-serve", "reason": "Self-serve deals start alone."}],
}
SOLD = {
    "dealname": "Contoso managed services",
    "dealstage": "closedwon",
    "amount": "24000",
    "hubspot_owner_id": "77",
    "sw_segment": "mid-market",
    "sw_start_date": "2026-12-01",
    "sw_product": "Managed services",
    "sw_plan": "team",
    "sw_implementation_type": "guided",
    "sw_region": "eu",
    "sw_seats": "40",
    "sw_contract_signed": "true",
    "sw_payment_ready": "true",
    "sw_business_outcome": "Tickets answered within a day",
    "sw_first_value_milestone": "First ticket solved without a call",
    "sw_key_stakeholders": "Maria Lopez (IT), Ben Ito (finance)",
    "sw_promised_deliverables": "Monitoring, patching, service desk",
    "sw_nonstandard_terms": "None",
    "sw_technical_requirements": "Entra ID",
    "sw_legal_account_name": "Contoso Ltd",
}


class HurriedGate(LocalGate):
    """A gate whose pauses end when the jobs that wait for them are made due."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: set[str] = set()

    def ask(self, key, limits):
        self.keys.add(key)
        return super().ask(key, limits)

    def hurry(self) -> None:
        """End every pause."""
        for key in self.keys:
            self.lift(key)


@dataclass
class MainJob:
    """One partner, its CRM and its product, and what a test does with them."""

    installation: Installation
    runtime: Runtime
    organisation_id: UUID
    staff: dict[str, Actor]
    crm: hubspot.HubSpotStandIn
    product: product_admin.ProductAdminStandIn
    mail: MailSink
    folder: Path
    home: Tenant = field(init=False)

    def run(self) -> list[Any]:
        """Do everything that is due."""
        return self.installation.run_due(SUBSCRIPTIONS)

    def hurry(self) -> None:
        """Make every job that waits for a later try due now."""
        gate = self.runtime.service(Runner).gate
        assert isinstance(gate, HurriedGate)
        gate.hurry()
        self.installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready' AND run_at > now()")

    def finish(self) -> None:
        """Do everything that is due, and every later try at once, until nothing is left to do."""
        self.run()
        while self.installation.cell("SELECT 1 FROM cell.job WHERE state = 'ready' LIMIT 1"):
            self.hurry()
            self.run()

    def sell(self, *, company: str = "Contoso", email: str = "maria@contoso.example", **more: str | None) -> str:
        """A closed-won deal in the CRM, with its company and contact. Returns the deal's id."""
        deal = self.sold_properties(**more)
        company_id = self.create("companies", {"name": company})
        contact_id = self.create("contacts", {"email": email, "firstname": "Maria", "lastname": "Lopez"})
        return self.create("deals", deal, {company_id: 5, contact_id: 3})

    def environment(self, redis_url: str) -> dict[str, str]:
        """The settings of a program of its own over this installation."""
        return {
            "SLIPWAY_CONTROL_URL": self.installation.urls.control_url,
            "SLIPWAY_CELL_URL": self.installation.urls.cell_url,
            "SLIPWAY_REDIS_URL": redis_url,
            "SLIPWAY_KEYRING": str(self.folder / "keys"),
            "SLIPWAY_WORKER_KEYRING": str(self.folder / "worker-keys"),
            "SLIPWAY_SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "SLIPWAY_ADDRESS_BOOK": self.address_book,
            "SLIPWAY_WORKER_THREADS": "4",
            "SLIPWAY_LOG_FORMAT": "json",
        }

    @property
    def address_book(self) -> str:
        """Where the outside world really is."""
        return f"api.hubapi.com:443={self.crm.port},admin.workbench.example:443={self.product.port}"

    def sold_properties(self, **more: str | None) -> dict[str, str]:
        """What a sold deal holds in the CRM; a property set to None is left out."""
        return {name: value for name, value in (SOLD | more).items() if value is not None}

    def create(self, kind: str, properties: dict[str, str], links: dict[str, int] | None = None) -> str:
        """Make an object in the CRM through its own API. Returns its id."""
        linked = [
            {"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind_of}]}
            for to, kind_of in (links or {}).items()
        ]
        return str(
            self._ask("POST", f"/crm/v3/objects/{kind}", {"properties": properties, "associations": linked})["id"]
        )

    def change_deal(self, deal_id: str, **properties: str) -> None:
        """Correct the deal in the CRM."""
        self._ask("PATCH", f"/crm/v3/objects/deals/{deal_id}", {"properties": properties})

    def _ask(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.crm.port}{path}"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        answer = httpx2.request(method, url, json=body, headers=headers, trust_env=False)
        assert answer.is_success, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def tell(self, deal_id: str, *, message: str | None = None) -> int:
        """The CRM's webhook about the deal, already verified. Returns how many messages were new."""
        told = HookMessage(message or f"event-{new_id()}", deal_id, starts=True, body={})
        actor = Actor(kind="service", id=self.home.id, name="hubspot")
        with self.installation.work(self.home, actor, trace_id="sold") as work:
            return receive_messages(work, source="hubspot", messages=[told])

    def deals(self) -> list[Any]:
        """The home's deals, oldest first."""
        return self.installation.rows(self.home, "SELECT * FROM {}.deal ORDER BY received_at, id")

    def deal(self, deal_id: str) -> Any:
        """The home's row of a deal."""
        return next(row for row in self.deals() if row.external_id == deal_id)

    def exceptions(self, subject_id: UUID, tenant: Tenant | None = None) -> list[Any]:
        """Every exception about a deal, or an onboarding of that tenant, oldest first."""
        query = "SELECT * FROM {}.exception WHERE subject_id = %s ORDER BY opened_at, id"
        return self.installation.rows(tenant or self.home, query, subject_id)

    def started(self, deal_id: str) -> tuple[Tenant, UUID]:
        """The tenant and onboarding that a deal has become."""
        row = self.deal(deal_id)
        with lookup_session(self.runtime.databases) as (session, _now):
            tenant = find_tenant(session, row.tenant_id)
        assert tenant is not None
        return tenant, row.onboarding_id

    @cached_property
    def lead(self) -> Actor:
        """Who leads onboardings."""
        return self.staff["dana"]


def open_main_job(installation: Installation, folder: Path, stack: ExitStack) -> MainJob:
    """Start the outside world and set the partner up, as its people would."""
    declare_everything()
    crm = hubspot.start(tokens={TOKEN: "northwind"})
    stack.callback(crm.stop)
    product = product_admin.start(tokens={WORKBENCH: "contoso"})
    stack.callback(product.stop)
    mail = stack.enter_context(MailSink(folder / "mail"))
    book = AddressBook.parse(f"api.hubapi.com:443={crm.port},admin.workbench.example:443={product.port}")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    databases = installation.databases
    runtime = make_runtime(
        databases,
        services={
            Keyring: keyring,
            **files_in(folder),
            Seeder: seeder(keyring),
            **trail_services(keyring, databases, "http://localhost:8000"),
            Runner: Runner(Registry.load(), OutboundClient(book), time_limit=2.0, gate=HurriedGate()),
            SiteDirectory: SiteDirectory(databases),
            CursorKey: CursorKey(keyring.cursor_key.reveal_bytes()),
            Front: Front.of("http://localhost:8000", installation.key.id),
            Postroom: Postroom(
                MailServer("127.0.0.1", mail.port, tls=False, user=None, password=None), "no-reply@localhost"
            ),
        },
    )
    installation.runtime = runtime
    job = _partner(installation, runtime, crm, product, mail, folder)
    _set_up(job)
    return job


def _partner(
    installation: Installation, runtime: Runtime, crm: Any, product: Any, mail: MailSink, folder: Path
) -> MainJob:
    setter = Actor(kind="service", id=new_id(), name="set-up")
    databases = runtime.databases
    wanted = NewOrganisation(slug="northwind", name="Northwind Managed Services", parent_id=installation.platform)
    organisation = create_organisation(databases, setter, wanted)
    set_brand(databases, setter, organisation, Brand("Northwind", "#0f766e"))
    staff = {}
    for key, (name, roles) in STAFF.items():
        person_id = ensure_person(databases, email=f"{key}@northwind.example", name=name, locale="en")
        for role in roles:
            assign_role(databases, setter, person_id=person_id, organisation_id=organisation, role=role)
        staff[key] = Actor("person", person_id, name, organisation_id=organisation, roles=frozenset(roles))
    return MainJob(installation, runtime, organisation, staff, crm, product, mail, folder)


def _set_up(job: MainJob) -> None:
    request = TenantRequest(job.organisation_id, kind="home", name="Northwind", key="home")
    job.home = create_tenant(job.runtime, job.lead, request, trace_id="set-up")
    shelf = open_shelf("msp/managed-services")
    with job.installation.work(job.home, job.lead) as work:
        template = publish(work, shelf.template)
        overlay = publish(work, shelf.overlays["northwind"])
        secrets = {"access_token": Secret(TOKEN)}
        setting = ConnectionSetting("hubspot", "HubSpot", {"mapping": MAPPING}, secrets)
        connection = add_connection(work, setting)
        work.session.flush()
        people = [{"name": job.lead.name, "email": "dana@northwind.example", "locale": "en"}]
        work.session.add(
            Workflow(
                id=new_id(),
                name="Managed services",
                segment="mid-market",
                state="live",
                contract=CONTRACT,
                owners={"handoff_role": "onboarding_lead", "people": dict.fromkeys(ROLES, people)},
                template_digest=template,
                overlay_digest=overlay,
                connection_id=connection,
                changed_at=work.now,
            )
        )
    job.run()
