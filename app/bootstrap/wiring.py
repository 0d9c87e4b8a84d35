"""Settings to a running process: pools, keyring, guarded client, runner, wake-up line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from app.access.queries import load_rights
from app.audit.leaf import make_leaf
from app.bootstrap.plugins import configure_logging
from app.bootstrap.seeding import seeder
from app.connectors.registry import Registry
from app.connectors.runner import Runner
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.queue.wake import ValkeyWake
from app.kernel.runtime import Runtime
from app.notifications.postroom import Postroom
from app.settings import Settings
from app.tenancy.operations import Seeder
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.engines import Databases, InstallationKey
from tenants.install import install, read_key

MAIN_CELL = "main"
JOB_MODULES = ("connectors", "intake", "notifications", "onboarding", "templates")


@dataclass
class Process:
    """One running process of the product."""

    settings: Settings
    runtime: Runtime
    root: Path
    wake: ValkeyWake = field(repr=False)

    def close(self) -> None:
        """Give everything back."""
        self.runtime.databases.close()
        self.wake.close()


def install_all(settings: Settings) -> InstallationKey:
    """Bring databases and keyring of this installation to the state that this build needs. Repeatable."""
    create_keyring(settings.keyring, settings.worker_keyring)
    return install(
        control_url=settings.control_url,
        cell_urls={MAIN_CELL: settings.cell_url},
        gateways=settings.gateways,
    )


def open_process(settings: Settings, program: Program) -> Process:
    """Everything a process of this program needs. Only workers are given the folder that opens connection secrets."""
    configure_logging(settings.log_format)
    import_module("migrations.records")
    for name in JOB_MODULES:
        import_module(f"app.{name}.jobs")
    databases = Databases(
        control_url=settings.control_url,
        cell_urls={MAIN_CELL: settings.cell_url},
        key=read_key(settings.control_url),
        gateways=settings.gateways,
    )
    wake = ValkeyWake(settings.redis_url)
    runtime = Runtime(
        databases=databases,
        load_rights=load_rights,
        make_leaf=make_leaf,
        wake=wake,
        services=services(settings, program),
    )
    return Process(settings=settings, runtime=runtime, root=Path.cwd(), wake=wake)


def services(settings: Settings, program: Program) -> dict[type, object]:
    """What operations, doors and jobs ask for by type."""
    worker_folder = settings.worker_keyring if program is Program.WORKER else None
    keyring = open_keyring(program, settings.keyring, worker_folder)
    book = AddressBook.parse(",".join(str(entry) for entry in settings.address_book))
    found: Mapping[type, object] = {
        Keyring: keyring,
        Seeder: seeder(keyring),
        Runner: Runner(Registry.load(), OutboundClient(book)),
        Postroom: Postroom(server=settings.smtp, sender=settings.mail_from, public_url=settings.public_url),
    }
    return dict(found)
