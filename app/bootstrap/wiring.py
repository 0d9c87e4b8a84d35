"""Settings to a running process: pools, keyring, guarded client, runner, wake-up line."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from app.access.queries import load_rights
from app.audit.leaf import make_leaf
from app.bootstrap.fleet import FleetBehind, behind
from app.bootstrap.plugins import configure_logging
from app.bootstrap.routes import door_services
from app.bootstrap.seeding import seeder
from app.connectors.registry import Registry
from app.connectors.runner import Runner
from app.identity.mailer import Mailer
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.paging import CursorKey
from app.kernel.queue.wake import ValkeyWake
from app.kernel.runtime import Runtime
from app.notifications.postroom import Postroom
from app.settings import Settings
from app.tenancy.operations import Seeder
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from app.web.streams import Streams
from tenants.engines import Databases, InstallationKey
from tenants.fleet.owner import Fleet
from tenants.fleet.tree import compile_tree
from tenants.install import install, read_key

MAIN_CELL = "main"
_SERVING = (Program.WEB, Program.WORKER, Program.DISPATCHER)
_CALL_LIMIT = 12.0  # seconds of one call; an attempt makes two at most, well within its lease
JOB_MODULES = ("connectors", "intake", "notifications", "onboarding", "templates")


@dataclass
class Running:
    """One running program of the product."""

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
    key = install(
        control_url=settings.control_url,
        cell_urls={MAIN_CELL: settings.cell_url},
        gateways=settings.gateways,
    )
    create_keyring(settings.keyring, settings.worker_keyring)
    return key


def open_fleet(settings: Settings) -> Fleet:
    """The fleet of this installation, with the owner's logins and the revisions of this build."""
    declare_everything()
    return Fleet(settings.control_url, {MAIN_CELL: settings.cell_url}, compile_tree())


def open_program(settings: Settings, program: Program) -> Running:
    """Everything this program needs. Only workers are given the folder that opens connection secrets.

    Raises FleetBehind for a program that serves while workspaces are too old for it.
    """
    configure_logging(settings.log_format)
    declare_everything()
    databases = Databases(
        control_url=settings.control_url,
        cell_urls={MAIN_CELL: settings.cell_url},
        key=read_key(settings.control_url),
        gateways=settings.gateways,
    )
    if program in _SERVING and (sentence := behind(databases)):
        databases.close()
        raise FleetBehind(sentence)
    wake = ValkeyWake(settings.redis_url)
    runtime = Runtime(
        databases=databases,
        load_rights=load_rights,
        make_leaf=make_leaf,
        wake=wake,
        services=services(settings, program, databases),
    )
    return Running(settings=settings, runtime=runtime, root=Path.cwd(), wake=wake)


def declare_everything() -> None:
    """Import what declares itself: every table, every kind of job."""
    import_module("migrations.records")
    for name in JOB_MODULES:
        import_module(f"app.{name}.jobs")


def services(settings: Settings, program: Program, databases: Databases) -> dict[type, object]:
    """What operations, doors and jobs ask for by type."""
    worker_folder = settings.worker_keyring if program is Program.WORKER else None
    keyring = open_keyring(program, settings.keyring, worker_folder)
    postroom = Postroom(server=settings.smtp, sender=settings.mail_from)
    book = AddressBook.parse(",".join(str(entry) for entry in settings.address_book))
    return {
        Keyring: keyring,
        CursorKey: CursorKey(keyring.cursor_key.reveal_bytes()),
        Seeder: seeder(keyring),
        Runner: Runner(Registry.load(), OutboundClient(book), time_limit=_CALL_LIMIT),
        Postroom: postroom,
        Mailer: postroom,
        Streams: Streams(settings.redis_url),
        **door_services(databases, settings),
    }
