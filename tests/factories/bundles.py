"""Two installations that know nothing of each other, and tenants that move between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from app.bootstrap.seeding import seeder
from app.kernel.actor import Actor, job_actor
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.bundles.documents import DIRECTORY, KEYS, read_name
from app.tenancy.bundles.export import Exported, ExportRequest, export_tenant
from app.tenancy.bundles.importing import Imported, ImportRequest, import_tenant
from app.tenancy.bundles.sealing import open_part
from app.tenancy.bundles.verification import verify_file
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.bundle_keys import BundleKeys, create_bundle_keys, fingerprint_of, open_bundle_keys
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.canaries.listening import hear
from tests.factories.installation import Installation, Partner, make_runtime, person
from tests.factories.vault.files import files_in

MOVER = job_actor(UUID(int=0), "tenants.test")


@dataclass
class Site:
    """One installation with its keys, as an operator sits before it."""

    installation: Installation
    folder: Path
    runtime: Runtime = field(init=False)
    keys: BundleKeys = field(init=False)

    def __post_init__(self) -> None:
        create_keyring(self.folder / "keys", self.folder / "worker")
        create_bundle_keys(self.folder / "worker")
        self.keys = open_bundle_keys(self.folder / "worker")
        self.runtime = self.program(Program.OPERATOR)

    def program(self, program: Program) -> Runtime:
        """The runtime of a program of this installation."""
        worker = None if program is Program.WEB else self.folder / "worker"
        keyring = open_keyring(program, self.folder / "keys", worker)
        return make_runtime(
            self.installation.databases, services={Keyring: keyring, Seeder: seeder(keyring), **files_in(self.folder)}
        )

    @property
    def fingerprint(self) -> str:
        """What others trust."""
        return fingerprint_of(self.keys.signer)

    @cached_property
    def partner(self) -> Partner:
        """Some partner here."""
        return self.installation.partner()

    def customer(self, name: str = "Acme") -> Tenant:
        """A tenant as the product makes it."""
        request = TenantRequest(self.partner.id, kind="customer", name=name, key=new_id().hex)
        return create_tenant(self.runtime, person(), request, trace_id="made")

    def export(self, tenant: Tenant, path: Path, recipient: Site, **more: Any) -> Exported:
        """Export the tenant for another installation."""
        kept = {name: more.pop(name) for name in ("secrets", "stays") if name in more}
        request = ExportRequest(tenant, recipient.keys.public_key, **({"secrets": True} | kept))
        actor: Actor = more.pop("actor", MOVER)
        return export_tenant(self.runtime, actor, self.keys, request, path, trace_id="export", **more)

    def receive(self, path: Path, sender: Site, **more: Any) -> Imported:
        """Import a bundle of another installation under this one's partner."""
        organisation_id = more.pop("organisation_id", self.partner.id)
        request = ImportRequest(path, organisation_id, sender.fingerprint, **more.pop("said", {}))
        actor: Actor = more.pop("actor", MOVER)
        runtime = more.pop("runtime", self.runtime)
        return import_tenant(runtime, actor, self.keys, request, trace_id="import", **more)

    def state(self, tenant: Tenant) -> tuple[str, str]:
        """What the cell and the directory say of the tenant."""
        [cell] = self.installation.cell("SELECT state FROM cell.tenant WHERE id = %s", tenant.id)
        [control] = self.installation.control("SELECT state FROM control.tenant WHERE id = %s", tenant.id)
        return cell.state, control.state

    def opened(self, path: Path) -> dict[str, list[bytes]]:
        """The lines of every table of a bundle that is sealed for this installation."""
        checked = verify_file(path)
        lines: dict[str, list[bytes]] = {table.path: [] for table in checked.manifest.tables}
        lines |= {DIRECTORY: [], KEYS: []}
        raw = path.read_bytes()
        for part in checked.manifest.parts:
            member = checked.members[part.name]
            sealed = raw[member.offset : member.offset + member.size]
            name = read_name(part.name)
            assert name is not None
            lines[name.path] += open_part(checked.header, part, sealed, self.keys.opening)
        for table, rows in lines.items():
            hear("bundle", table, b"\n".join(rows))
        return lines
