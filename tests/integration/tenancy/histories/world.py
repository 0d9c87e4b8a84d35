"""What histories work on: an installation of its own, what may be done to its tenants, and what must hold of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from app.bootstrap.seeding import seeder
from app.demo.checks.keys import astray
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.operations.creation import RequestDiffers, Seeder, TenantRequest, create_tenant, resume_requests
from app.tenancy.operations.erasure import NoErasure, carry_out_all
from app.tenancy.operations.leaving import TenantLeaves
from app.tenancy.operations.telling import tell_all
from app.tenancy.rules import WrongState
from app.vault.keepers.wrapping import KeyState
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from app.vault.tenant_keys import TenantKeys, open_dek
from tenants.consistency import Trouble, examine_installation
from tenants.slots import discard_stale
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Partner, make_runtime, person
from tests.factories.peer_house import OWN, PeerHouse, open_house
from tests.factories.vault.files import files_in
from tests.integration.tenancy.lifecycle.steps import staff

TOLD = {"reason": "because", "trace_id": "history"}


@dataclass
class World:
    """What one run of histories works on: two people of the partner, `ann` and `ben`, act in it."""

    house: PeerHouse
    runtime: Runtime
    partner: Partner
    ann: Actor
    ben: Actor

    @property
    def keyring(self) -> Keyring:
        return self.runtime.service(Keyring)

    def request(self) -> TenantRequest:
        return TenantRequest(self.partner.id, kind="customer", name="Acme", key=new_id().hex)

    def create(self, request: TenantRequest) -> Tenant:
        return create_tenant(self.runtime, person(), request, trace_id="history")

    def change(self, operation: Any, actor: Actor, request: TenantRequest) -> bool:
        """Do this to the request's tenant. False where its state does not allow it, or nobody knows of it."""
        tenant_id = self.asked_for(request)
        if tenant_id is None:
            return False
        with suppress(WrongState, NoErasure):
            operation(self.runtime, actor, tenant_id, **TOLD)
            return True
        return False

    def asked_for(self, request: TenantRequest) -> UUID | None:
        """The tenant of the request, once the directory has a line for it."""
        rows = self.house.control("SELECT id FROM control.tenant WHERE request_key = %s", request.key)
        return rows[0].id if rows else None

    def is_leaving(self, request: TenantRequest) -> bool:
        query = (
            "SELECT 1 FROM control.erasure e JOIN control.tenant t ON t.id = e.tenant_id"
            " WHERE t.request_key = %s AND e.state IN ('approved', 'shredded', 'dropped')"
        )
        return self.house.control(query, request.key) != []

    @contextmanager
    def refused_where_it_leaves(self, *requests: TenantRequest) -> Iterator[None]:
        """Of what two people agreed to erase nothing is made anew, and of nothing else is that said."""
        try:
            yield
        except (TenantLeaves, RequestDiffers):
            assert any(self.is_leaving(request) for request in requests)

    def age_the_pool(self, *, newer: bool) -> None:
        """Free slots are of another build: of a newer one they stay and are not claimed, else they are discarded."""
        other = "revision = 'tenant_9999'" if newer else "head_hash = 'other', made_at = now() - interval '1 hour'"
        self.house.cell(f"UPDATE cell.slot SET {other} WHERE state = 'free'")  # noqa: S608 - one of two of our own

    def rounds(self) -> list[int]:
        """Each of the dispatcher's rounds once. Returns how much each had to do."""
        return [
            resume_requests(self.runtime, person(), trace_id="history", seconds=0),
            tell_all(self.runtime, seconds=0),
            carry_out_all(self.runtime, seconds=0),
            discard_stale(self.house.databases, CELL),
        ]

    def troubles(self, *, young: int) -> tuple[Trouble, ...]:
        urls = {CELL: self.house.urls.cell_url}
        control = self.house.urls.control_url
        return examine_installation(self.house.key, control_url=control, cell_urls=urls, young=young).troubles

    def strays(self) -> list[str]:
        """Keys without a tenant, living tenants without a key."""
        return [
            said
            for said in astray(self.keyring.wrapping, self.house.urls.control_url)
            if str(self.partner.home.id) not in said  # the factory makes homes without keys
        ]

    def require_keys(self, entry: Any) -> None:
        """A living tenant's keys open."""
        [row] = self.house.cell(f"SELECT sealed FROM {entry.schema_name}.secret WHERE kind = 'keys'")  # noqa: S608 - our own schema
        assert open_dek(self.keyring, msgspec.json.decode(row.sealed, type=TenantKeys), entry.id)

    def require_gone(self, entry: Any) -> None:
        """Of an erased tenant only its tombstones are left, and one entry in the trail of the partner."""
        assert (entry.name, entry.schema_name, entry.role_name, entry.behind) == ("", None, None, False)
        assert self.keyring.wrapping.states()[entry.id] == KeyState.DESTROYED
        [cell] = self.house.cell("SELECT state FROM cell.tenant WHERE id = %s", entry.id)
        assert cell.state == "dropped"
        assert not self.house.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", entry.id)
        for table in ("outbox", "job", "timer", "inbox"):
            assert not self.house.cell(f"SELECT 1 FROM cell.{table} WHERE tenant_id = %s", entry.id)  # noqa: S608 - one of the tables named above
        for table in ("membership", "onboarding_card", "hook"):
            assert not self.house.control(f"SELECT 1 FROM control.{table} WHERE tenant_id = %s", entry.id)  # noqa: S608 - one of the tables named above
        ended = "SELECT state FROM control.erasure WHERE tenant_id = %s AND state <> 'withdrawn'"
        [last] = self.house.control(ended, entry.id)
        assert last.state == "dropped"
        told = "SELECT 1 FROM {}.trail WHERE subject_id = %s AND action = 'tenancy.tenant.erased'"
        assert len(self.house.rows(self.partner.home, told, entry.id)) == 1


@contextmanager
def open_world(folder: Path) -> Iterator[World]:
    """A house of its own: in clones of one template the roles of each would be orphans to the others."""
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    with open_house(OWN, folder) as house:
        services = {Keyring: keyring, Seeder: seeder(keyring), **files_in(folder)}
        partner = house.partner("History")
        runtime = make_runtime(house.databases, services=services)
        yield World(house, runtime, partner, staff(partner, name="Ann"), staff(partner, name="Ben"))
