"""A partner, its customer and their people, for a module; delegations are asked for and answered as people would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.access.operations.answering import approve_delegation
from app.access.operations.asking import request_delegation
from app.access.operations.founding import give_default_delegation
from app.access.schemas import DelegationAnswer, DelegationOut, DelegationWish
from app.bootstrap.routes import CONTROLLERS
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.paging import CursorKey
from app.kernel.work import Work
from tenants.tenant import Tenant
from tests.factories.api import Caller
from tests.factories.doors import Browser, Doors
from tests.factories.installation import Installation, Partner

MEMBER = """
    INSERT INTO {}.member (person_id, email, name, role, locale, state, invited_at)
    VALUES (%s, %s, %s, %s, 'en', 'active', now())"""
_GIVEN = """
    INSERT INTO {}.delegation (id, organisation_id, roles, state, reason, starts_at, ends_at, changed_at, kind, version)
    VALUES (%s, %s, %s, 'active', 'Go-live support', now() - interval '1 day', now() + %s::interval, now(), %s, 1)"""
_GROUP = """
    INSERT INTO control.staff_group (id, organisation_id, tenant_id, name, name_key, version, made_at, changed_at)
    VALUES (%s, %s, %s, %s, %s, 1, now(), now())"""
_IN = """
    INSERT INTO control.staff_group_member (id, group_id, organisation_id, person_id, made_at)
    VALUES (%s, %s, %s, %s, now())"""


@dataclass
class Scene:
    """Northwind and its customer Acme: Olga owns Acme, Dana leads onboardings at Northwind."""

    installation: Installation
    partner: Partner
    tenant: Tenant
    olga: Actor
    dana: Actor
    more: dict[str, Any] = field(default_factory=dict)

    def staff(self, name: str, *roles: str, groups: frozenset[UUID] = frozenset(), stepped_up: bool = True) -> Actor:
        """Somebody of Northwind."""
        return Actor(
            "person",
            new_id(),
            name,
            organisation_id=self.partner.id,
            roles=frozenset(roles),
            groups=groups,
            stepped_up=stepped_up,
        )

    def member(self, name: str, role: str, *, stepped_up: bool = True) -> Actor:
        """Somebody of Acme."""
        one = Actor("person", new_id(), name, stepped_up=stepped_up)
        email = f"{name.lower()}-{one.id.hex[-6:]}@acme.example"
        self.installation.rows(self.tenant, MEMBER, one.id, email, name, role)
        return one

    def rights(self, actor: Actor) -> frozenset[str]:
        """What the actor's next request would have."""
        with self.installation.work(self.tenant, actor) as work:
            return frozenset(work.rights)

    def do(self, actor: Actor, operation: Any, *given: Any, **named: Any) -> Any:
        """One operation in Acme's tenant, committed."""
        with self.installation.work(self.tenant, actor) as work:
            return operation(work, *given, **named)

    def now(self) -> datetime:
        """The database's clock."""
        found: datetime = self.installation.cell("SELECT now() AS at")[0].at
        return found

    def ask(self, *roles: str, by: Actor | None = None, days: float = 30, **more: Any) -> DelegationOut:
        """A request of Northwind."""
        wish = DelegationWish(list(roles), "Go-live support", self.now() + timedelta(days=days), **more)
        asked: DelegationOut = self.do(by or self.dana, request_delegation, wish)
        return asked

    def approve(self, asked: DelegationOut, *, by: Actor | None = None, **less: Any) -> DelegationOut:
        """The customer's answer."""
        answer = DelegationAnswer(**less)
        given: DelegationOut = self.do(
            by or self.olga, approve_delegation, asked.id, answer, versions=frozenset({f'"{asked.version}"'})
        )
        return given

    def give(self, *roles: str, days: float = 30, **less: Any) -> DelegationOut:
        """Access that was asked for and agreed to."""
        return self.approve(self.ask(*roles, days=days), **less)

    def entries(self, action: str = "%") -> list[Any]:
        """Acme's trail, oldest first."""
        return self.installation.rows(
            self.tenant, "SELECT * FROM {}.trail WHERE action LIKE %s ORDER BY id", f"access.{action}"
        )

    def late(self, delegation_id: UUID, **columns: str) -> None:
        """Move moments of a delegation; each is SQL."""
        sets = ", ".join(f"{name} = {value}" for name, value in columns.items())
        self.installation.rows(self.tenant, f"UPDATE {{}}.delegation SET {sets} WHERE id = %s", delegation_id)  # noqa: S608 - columns of our own

    def run_due(self) -> None:
        """All jobs that are due, in this thread; letters stay where they wait for the mail server."""
        self.installation.cell("DELETE FROM cell.job WHERE kind = 'notifications.send_letter'")
        self.installation.run_due(SUBSCRIPTIONS)


@dataclass
class Street:
    """Northwind's host with its customer Acme, and people of both in their browsers."""

    doors: Doors
    acme: Tenant
    olga: Browser
    dana: Browser
    ada: Browser
    eve: Browser

    @property
    def page(self) -> str:
        return f"/t/{self.acme.id}/access"

    @property
    def api(self) -> str:
        return f"/api/v1/tenants/{self.acme.id}"

    def send(self, who: Browser, path: str, **fields: Any) -> Any:
        """A form; a list is a name that comes several times."""
        pairs = {"command_key": str(new_id()), **fields}
        return who.post(path, pairs)

    def given(self, *roles: str, days: int = 60, kind: str = "standard") -> str:
        """Access that was asked for and agreed to; all there was before is over."""
        self.doors.installation.rows(self.acme, "UPDATE {}.delegation SET state = 'ended' WHERE state <> 'ended'")
        made = new_id()
        self.doors.installation.rows(
            self.acme, _GIVEN, made, self.acme.organisation_id, json.dumps(roles), f"{days} days", kind
        )
        return str(made)

    def group(self, name: str, *people: UUID, of: UUID | None = None, tenant: UUID | None = None) -> str:
        """A group of Northwind's staff, or of another organisation, or of a customer's people."""
        made, whose = new_id(), of or self.doors.northwind
        self.doors.installation.control(_GROUP, made, whose, tenant, name, name.lower())
        for person in people:
            self.doors.installation.control(_IN, new_id(), made, whose, person)
        return str(made)

    def listed(self, who: Browser) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = Caller(who).get(f"{self.api}/delegations").body["items"]
        return items


def founded(work: Work) -> UUID:
    """The default delegation of a tenant."""
    return give_default_delegation(work)


@pytest.fixture(scope="module")
def northwind(shared_installation: Installation) -> Partner:
    """The partner of a module's scenes."""
    declare_everything()
    return shared_installation.partner("Northwind")


@pytest.fixture
def scene(shared_installation: Installation, northwind: Partner) -> Scene:
    """A customer of its own for each test."""
    for table in ("outbox", "job"):  # what other tests left to be done is theirs
        shared_installation.cell(f"DELETE FROM cell.{table}")  # noqa: S608 - names of our own
    tenant = shared_installation.customer(northwind, f"Acme {new_id().hex[-4:]}")
    nobody = Actor("person", new_id(), "Nobody")
    made = Scene(shared_installation, northwind, tenant, nobody, nobody)
    return replace(made, olga=made.member("Olga", "owner"), dana=made.staff("Dana", "onboarding_lead"))


@pytest.fixture(scope="module")
def street(shared_installation: Installation, doors_redis: str) -> Iterator[Street]:
    services: dict[type, object] = {CursorKey: CursorKey(b"k" * 32)}
    doors = Doors(shared_installation, redis_url=doors_redis, controllers=CONTROLLERS, services=services)
    doors.installation.own_slots()
    acme = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    doors.installation.tenant(doors.northwind, "Northwind", kind="home")
    doors.member("olga@acme.example", acme, "owner")
    doors.staff("dana@northwind.example", doors.northwind, "onboarding_lead")
    doors.staff("ada@northwind.example", doors.northwind, "partner_admin")
    doors.staff("eve@contoso.example", doors.contoso, "partner_owner")

    def browser(email: str, host: str = "northwind.localhost") -> Browser:
        one = doors.browser(host)
        doors.sign_in(one, email, proved=True)
        return one

    yield Street(
        doors,
        acme,
        olga=browser("olga@acme.example"),
        dana=browser("dana@northwind.example"),
        ada=browser("ada@northwind.example"),
        eve=browser("eve@contoso.example", "contoso.localhost"),
    )
    doors.close()
