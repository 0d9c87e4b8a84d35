"""Two customers of Northwind with a running onboarding each, and everybody who works on them, over real HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.onboarding.operations import refresh_all_cards
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.tenant import Tenant
from tests.factories.api import API, Caller

GATE = "gate.handoff_quality"


@dataclass(frozen=True)
class Place:
    """A customer's workspace with its onboarding, and where software finds it."""

    tenant: Tenant
    onboarding_id: UUID

    @property
    def folder(self) -> str:
        """Where the tenant's onboardings are."""
        return f"/api/v1/tenants/{self.tenant.id}/onboardings"

    @property
    def path(self) -> str:
        """The onboarding's address."""
        return f"{self.folder}/{self.onboarding_id}"


class House:
    """Northwind's people: Ada leads, Lena leads too, Cleo is a CSM without a role in any onboarding."""

    def __init__(self, api: API) -> None:
        declare_everything()
        self.api, self.installation, self.doors = api, api.installation, api.doors
        self.installation.runtime = api.runtime
        self.ada_id = self.doors.staff("ada@northwind.example", self.doors.northwind, "partner_admin")
        self.lena_id = self.doors.staff("lena@northwind.example", self.doors.northwind, "onboarding_lead")
        self.cleo_id = self.doors.staff("cleo@northwind.example", self.doors.northwind, "csm")
        roles = frozenset({"partner_admin"})
        self.ada = Actor("person", self.ada_id, "Ada", organisation_id=self.doors.northwind, roles=roles)
        home = TenantRequest(self.doors.northwind, kind="home", name="Northwind", key="home")
        self.home = made = create_tenant(self.doors.runtime, self.ada, home, trace_id="set-up")
        shelf = open_shelf("msp/managed-services")
        with self.installation.work(made, self.ada) as work:
            publish(work, shelf.template)
        self.run()
        self.acme, self.globex = self.customer("Acme"), self.customer("Globex")
        self.lead, self.lena, self.cleo = api.admin, self.caller("lena"), self.caller("cleo")
        self.olga, self.gus = self.member("olga", self.acme), self.member("gus", self.globex)
        self.vera = self.member("vera", self.acme, "viewer", named=False)
        for place in (self.acme, self.globex):  # their first cards were a sandbox's: none
            with self.installation.work(place.tenant, self.ada) as work:
                refresh_all_cards(work, new_id())
        self.run()

    def run(self) -> None:
        """Everything that is due, but mail."""
        self.installation.cell("DELETE FROM cell.job WHERE kind = 'notifications.send_letter' AND state = 'ready'")
        self.installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready'")
        self.installation.run_due(SUBSCRIPTIONS)

    def customer(self, name: str) -> Place:
        """A customer whose onboarding has begun, filled as a sandbox is; its partner's roles are Ada's and Lena's."""
        wanted = TenantRequest(self.doors.northwind, kind="sandbox", name=name, key=name)
        made = create_tenant(self.doors.runtime, self.ada, wanted, trace_id="set-up")
        self.run()
        self.installation.control("UPDATE control.tenant SET kind = 'customer' WHERE id = %s", made.id)
        tenant = replace(made, kind="customer")
        self.installation.rows(tenant, "UPDATE {}.onboarding SET name = %s", name)
        [row] = self.installation.rows(tenant, "SELECT id FROM {}.onboarding")
        ours = [self.entry(self.ada_id, "ada", "partner"), self.entry(self.lena_id, "lena", "partner")]
        self.name_people(tenant, "partner", ours)
        return Place(tenant, row.id)

    def entry(self, person_id: UUID, name: str, side: str) -> dict[str, str]:
        """A person as an onboarding names them."""
        email = f"{name}@{'northwind' if side == 'partner' else 'customers'}.example"
        return {"id": str(person_id), "name": name.title(), "email": email, "locale": "en", "side": side}

    def name_people(self, tenant: Tenant, side: str, entries: list[dict[str, str]]) -> None:
        """Give all roles of a side to these people."""
        [row] = self.installation.rows(tenant, "SELECT people FROM {}.onboarding")
        people = {role: entries if held[0]["side"] == side else held for role, held in row.people.items()}
        self.installation.rows(tenant, "UPDATE {}.onboarding SET people = %s::jsonb", json.dumps(people))

    def member(self, name: str, place: Place, role: str = "owner", *, named: bool = True) -> Caller:
        """Somebody of a customer, who holds its roles in the onboarding if `named`."""
        person_id = self.doors.member(f"{name}@customers.example", place.tenant, role)
        if named:
            self.name_people(place.tenant, "customer", [self.entry(person_id, name, "customer")])
        return self.signed_in(f"{name}@customers.example")

    def caller(self, name: str) -> Caller:
        """One of the staff, signed in."""
        return self.signed_in(f"{name}@northwind.example")

    def signed_in(self, email: str) -> Caller:
        """Whoever has that address, on Northwind's host."""
        browser = self.doors.browser()
        assert self.doors.sign_in(browser, email, proved=True).status == 303
        return Caller(browser)

    def etag(self, place: Place) -> str:
        """The version that the onboarding has now."""
        return self.lead.get(place.path).headers["etag"]

    def items(self, place: Place, query: str = "") -> list[Any]:
        """The onboarding's items, as Ada reads them."""
        found: list[Any] = self.lead.get(f"{place.path}/items{query}").body["items"]
        return found
