"""Trails under test: entries, a signer with real keys, a sequencer run by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import text

import app.audit.jobs
from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.audit.gate import Gate
from app.audit.operations.sequence import Sequenced, sequence_trail
from app.audit.signing import Signers
from app.kernel.actor import Actor, job_actor
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.paging import CursorKey
from app.kernel.work import Work, open_work
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.operations import make_keys
from app.vault.rules import Program
from app.vault.trail_keys import TrailKeys
from tenants.tenant import Tenant
from tests.factories.installation import Installation, make_runtime, person
from tests.factories.vault.files import files_in

HOST = "slipway.example"
assert app.audit.jobs.__name__


class Noted(Event, frozen=True, kw_only=True):
    """Something that happened, with a value that is personal."""

    type: ClassVar[str] = "test.noted"
    subject_kind: ClassVar[str] = "test"
    personal: ClassVar[frozenset[str]] = frozenset({"email"})

    number: int
    email: str = "jean@example.com"


class Trails:
    """An installation whose tenants have keys, and whose trails are sequenced when a test says so."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation = installation
        create_keyring(folder / "keys", folder / "worker")
        self.keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker")
        services: dict[type, Any] = {
            Keyring: self.keyring,
            **files_in(folder),
            CursorKey: CursorKey(self.keyring.cursor_key.reveal_bytes()),
            Signers: Signers(TrailKeys(self.keyring, lambda _tenant: HOST)),
            Gate: Gate(
                lambda work, permission: require(work, Permission(permission)),
                lambda work, permission: can(work.rights, permission),
            ),
        }
        self.runtime = make_runtime(installation.databases, services=services)

    def tenant(self, name: str = "Acme") -> Tenant:
        """A customer's tenant with keys of its own."""
        tenant = self.installation.customer(self.installation.partner(f"P{new_id().hex[:8]}"), name)
        self.give_keys(tenant)
        return tenant

    def give_keys(self, tenant: Tenant) -> None:
        """What the seeder gives every new tenant."""
        with self.work(tenant, job_actor(new_id(), "seed")) as work:
            make_keys(work, self.keyring)

    def work(self, tenant: Tenant, actor: Actor | None = None) -> Any:
        """One unit of work with every service."""
        return open_work(self.runtime, tenant, actor or person(), trace_id=new_id().hex)

    def note(self, tenant: Tenant, count: int, *, each: bool = False, actor: Actor | None = None) -> None:
        """So many entries, in one transaction or one each."""
        if not each:
            with self.work(tenant, actor) as work:
                for number in range(count):
                    work.record(Noted(subject_id=new_id(), number=number, reason=f"because {number}"))
            return
        for number in range(count):
            with self.work(tenant, actor) as work:
                work.record(Noted(subject_id=new_id(), number=number))

    def sequence(self, tenant: Tenant) -> Sequenced:
        """One run of the sequencer."""
        with self.work(tenant, job_actor(new_id(), "audit.sequence")) as work:
            return sequence_trail(work)

    def settle(self, tenant: Tenant) -> None:
        """Runs of the sequencer until nothing is left: its own first key is an entry too."""
        while self.sequence(tenant).added:
            continue

    def head(self, tenant: Tenant) -> Any:
        """The row of the head."""
        return self.installation.cell("SELECT * FROM cell.trail_head WHERE tenant_id = %s", tenant.id)[0]

    def leaves(self, tenant: Tenant) -> list[Any]:
        """The leaves in their order."""
        return self.installation.rows(tenant, "SELECT * FROM {}.leaf ORDER BY place")


def join(work: Work, actor: Actor, role: str) -> None:
    """Make the actor a member of the tenant."""
    row = {"person": actor.id, "name": actor.name, "role": role, "at": work.now}
    work.session.execute(_JOIN, row)


_JOIN = text(
    "INSERT INTO member (person_id, email, name, role, locale, state, invited_at)"
    " VALUES (:person, 'ann@example.com', :name, :role, 'en', 'active', :at)"
)
