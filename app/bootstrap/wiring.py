"""Settings to a running process: pools, keyring, guarded client, runner, wake-up line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from app.access.queries import load_rights
from app.audit.leaf import make_leaf
from app.bootstrap.fleet import FleetBehind, behind
from app.bootstrap.keys import WITH_WORKER_KEY, keyring_of, listen_for_switches
from app.bootstrap.plugins import configure_logging
from app.bootstrap.seeding import seeder
from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.bootstrap.services.ends import end_services
from app.bootstrap.services.links import link_services
from app.bootstrap.services.trails import trail_services
from app.connectors.kit.limits.shared import SharedGate
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.webhooks.sender import Sender
from app.identity.mailer import Mailer
from app.identity.sso.secrets import ClientSecrets
from app.identity.step_up.sealer import PersonSealer
from app.kernel.errors import Invalid
from app.kernel.outbound.client import OutboundClient, dial_address
from app.kernel.outbound.egress import AddressBook
from app.kernel.outbound.proxy import ForwardProxy
from app.kernel.paging import CursorKey
from app.kernel.queue.wake import Doorbell, ValkeyWake
from app.kernel.runtime import Runtime
from app.notifications.postroom import Postroom
from app.settings import MAIN_CELL, Settings, cell_variable
from app.tenancy.folder import BundleFolder
from app.tenancy.operations.creation import Seeder
from app.vault.bundle_keys import BundleSafe, create_bundle_keys
from app.vault.files.folder import FileFolder
from app.vault.keepers.people_keys import PeopleSafe
from app.vault.keyring import Keyring, create_keyring
from app.vault.rules import Program
from app.web.streams import Streams
from tenants.engines import PATIENCE, Databases, InstallationKey
from tenants.fleet.owner import Fleet
from tenants.fleet.tree import compile_tree
from tenants.schema.install import install, read_installation

_SERVING = (Program.WEB, Program.WORKER, Program.DISPATCHER)
_CALL_LIMIT = 12.0  # seconds of one call; an attempt makes two at most, well within its lease
_JOBS_WAIT = 60.0  # seconds for a connection: a worker has more threads than these, and keeps its leases meanwhile
_BELOW = ("audit", "access", "identity", "vault", "tenancy", "connectors")
JOB_MODULES = (*_BELOW, "notifications", "templates", "marketplace", "intake", "onboarding")


class CellWithoutAddress(Invalid):
    """A registered cell has no URL in the settings: this program could not serve the tenants it holds."""


@dataclass
class Running:
    """One running program of the product."""

    settings: Settings
    runtime: Runtime
    root: Path
    wake: ValkeyWake = field(repr=False)
    switches: Doorbell | None = field(default=None, repr=False)

    def close(self) -> None:
        """Give everything back."""
        self.runtime.databases.close()
        self.wake.close()
        if self.switches:
            self.switches.close()


def install_all(settings: Settings) -> InstallationKey:
    """Bring databases and keyring of this installation to the state that this build needs. Repeatable.

    The cells are the first one and those that `slipway cells add` has registered. Raises CellWithoutAddress.
    """
    try:
        registered = read_installation(settings.control_url).cells
    except LookupError:
        registered = frozenset()
    key = install(
        control_url=settings.control_url,
        cell_urls=_addresses(settings, registered | {MAIN_CELL}),
        gateways=settings.gateways,
    )
    create_keyring(settings.keyring, settings.worker_keyring)
    create_bundle_keys(settings.worker_keyring)
    return key


def open_fleet(settings: Settings) -> Fleet:
    """The fleet of this installation, with the owner's logins and the revisions of this build."""
    declare_everything()
    registered = read_installation(settings.control_url).cells
    return Fleet(settings.control_url, _addresses(settings, registered), compile_tree())


def open_program(settings: Settings, program: Program) -> Running:
    """Everything this program needs. Only workers and operators are given the worker's folder.

    Raises FleetBehind for a program that serves while workspaces are too old for it, CellWithoutAddress.
    """
    configure_logging(settings.log_format)
    declare_everything()
    standing = read_installation(settings.control_url)
    databases = Databases(
        control_url=settings.control_url,
        cell_urls=_addresses(settings, standing.cells),
        key=standing.key,
        gateways=standing.gateways,
        patience=patience_of(program),
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
    switches = listen_for_switches(settings, runtime.service(Keyring))
    return Running(settings=settings, runtime=runtime, root=Path.cwd(), wake=wake, switches=switches)


def patience_of(program: Program) -> float:
    """Seconds for which a program waits for a connection of its own: nobody waits for the answer of a worker."""
    return _JOBS_WAIT if program is Program.WORKER else PATIENCE


def _addresses(settings: Settings, cells: Iterable[str]) -> dict[str, str]:
    missing = sorted(set(cells) - set(settings.cell_urls))
    if missing:
        wanted = ", ".join(cell_variable(name) for name in missing)
        raise CellWithoutAddress(
            f"This installation has tenants in {', '.join(missing)}. Set {wanted} and start again."
        )
    return {name: settings.cell_urls[name] for name in sorted(cells)}


def declare_everything() -> None:
    """Import what declares itself: every table, every kind of job."""
    import_module("migrations.records")
    for name in JOB_MODULES:
        import_module(f"app.{name}.jobs")


def services(settings: Settings, program: Program, databases: Databases) -> dict[type, object]:
    """What operations and jobs ask for by type; doors bring more (`app.bootstrap.routes`), which only `serve` reads."""
    keyring = keyring_of(settings, program, prefix=databases.key.prefix)
    postroom = Postroom(server=settings.smtp, sender=settings.mail_from)
    outbound = _outbound(settings)
    return {
        Keyring: keyring,
        CursorKey: CursorKey(keyring.cursor_key.reveal_bytes()),
        Seeder: seeder(keyring),
        Runner: Runner(Registry.load(), outbound, time_limit=_CALL_LIMIT, gate=SharedGate(settings.redis_url)),
        OutboundClient: outbound,
        Sender: Sender(outbound),
        ClientSecrets: SealedClientSecrets(keyring),
        Postroom: postroom,
        Mailer: postroom,
        PersonSealer: PeopleSafe(keyring.people_key),
        Streams: Streams(settings.redis_url),
        **end_services(),
        **trail_services(keyring, databases, settings.public_url),
        **bundle_services(settings, program),
        FileFolder: FileFolder(settings.files, settings.file_mib << 20),
        **link_services(databases, settings),
    }


def _outbound(settings: Settings) -> OutboundClient:
    """The one way out for calls to other companies' systems."""
    book = AddressBook.parse(",".join(str(entry) for entry in settings.address_book))
    return OutboundClient(
        book, dial=ForwardProxy.parse(settings.egress_proxy) if settings.egress_proxy else dial_address
    )


def bundle_services(settings: Settings, program: Program) -> dict[type, object]:
    """The folder of bundles for every program; the keys of bundles only for those that may open secrets."""
    folder = BundleFolder(
        path=settings.bundles,
        most_bytes=settings.bundle_mib << 20,
        kept=timedelta(hours=settings.bundle_hours),
        vouched=frozenset(settings.bundle_recipients),
    )
    keys: dict[type, object] = {BundleSafe: BundleSafe(settings.worker_keyring)}
    return {BundleFolder: folder, **(keys if program in WITH_WORKER_KEY else {})}
