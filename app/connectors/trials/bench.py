"""A connector under trial: its stand-in serves, and runners reach it through the address book."""

from __future__ import annotations

import importlib.util
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from app.connectors.catalog.stand_in import Fault, StandInServer
from app.connectors.kit.contract import ActionCall, CallReport, Connector
from app.connectors.kit.manifest import Action, ManifestWrong
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import host_filled
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.vault.secret import Secret

TOKEN: Final = "canary-7f3a9c1e"  # noqa: S105  no secret: what is looked for where no secret may be
ACCOUNT: Final = "acme"
PATIENT: Final = 5.0  # seconds of a request that is answered
HASTY: Final = 0.3  # of one that will not be
_HTTPS: Final = 443


class NotKept(Exception):
    """The connector does not keep what is promised; the text says what happened instead."""


def expect(kept: object, said: object) -> None:
    """Go on only where it is kept. Raises NotKept."""
    if not kept:
        raise NotKept(str(said))


@dataclass
class Bench:
    """A connector, its running stand-in, and what the checks do with them."""

    connector: Connector
    stand_in: Any  # Any: each stand-in has more of its own
    seeded: bool = False
    patience: float = PATIENT
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @cached_property
    def host(self) -> str:
        """The host that the example connection calls."""
        address = host_filled(self.connector.manifest.address, self.connector.example().settings)
        return address.removeprefix("https://").partition(":")[0]

    @cached_property
    def runner(self) -> Runner:
        """Reaches the stand-in."""
        return self.runner_to(self.stand_in.port, self.patience)

    @cached_property
    def hasty(self) -> Runner:
        """Reaches the stand-in and waits only a moment for an answer."""
        return self.runner_to(self.stand_in.port, HASTY)

    def runner_to(self, port: int, seconds: float) -> Runner:
        """A runner that finds the peer at a port of this machine."""
        registry = Registry({self.connector.manifest.provider: self.connector})
        book = AddressBook({(self.host, _HTTPS): port})
        return Runner(registry, OutboundClient(book, tls=self.tls), time_limit=seconds)

    def action(self, name: str) -> Action:
        """One of its actions."""
        return self.connector.manifest.actions[name]

    def ask(self, action: str, *, token: str = TOKEN, **changes: Any) -> ActionCall:
        """A call as the fixture of the action has it."""
        manifest = self.connector.manifest
        call = ActionCall(
            provider=manifest.provider,
            action=action,
            input=changes["input"] if "input" in changes else self.connector.fixture(action)["input"],
            idempotency_key="run-1",
            secrets={name: Secret(token) for name in manifest.secrets},
            config=self.connector.example(),
        )
        return replace(call, **changes)

    def call(self, action: str, *, hasty: bool = False, **changes: Any) -> CallReport:
        """Make that call."""
        return (self.hasty if hasty else self.runner).call(self.ask(action, **changes))

    def broken(self, action: str, fault: Fault, **changes: Any) -> CallReport:
        """Make it while the next answer is spoiled."""
        self.calm()
        if fault.kind == "oversize":  # larger than this connector allows, whatever that is
            fault = replace(fault, size=self.connector.manifest.limits.max_response_bytes)
        self.stand_in.break_next(fault)
        hasty = fault.kind in {"silent_after_effect", "slow"}
        return self.call(action, hasty=hasty, **changes)

    def calm(self) -> None:
        """Forget faults and requests."""
        self.stand_in.faults.clear()
        self.stand_in.requests.clear()

    @property
    def effects(self) -> int:
        """How often something has really happened at the peer."""
        return len(getattr(self.stand_in, "effects", ()))


@contextmanager
def bench_of(connector: Connector, tls: ssl.SSLContext | None = None, *, seeded: bool = True) -> Iterator[Bench]:
    """Start the connector's stand-in, with what its fixtures speak of where it says how. Raises ManifestWrong."""
    module = stand_in_of(connector.folder)
    try:
        stand_in: StandInServer = module.start(0, {TOKEN: ACCOUNT})
    except Exception as error:  # an author's own program, of any kind
        raise ManifestWrong(f"{connector.folder}: stand_in.py: start: {type(error).__name__}: {error}") from error
    seed = getattr(module, "seed", None) if seeded else None
    try:
        if seed is not None:
            seed(stand_in)
        bench = Bench(connector, stand_in, seeded=seed is not None)
        yield replace(bench, tls=tls) if tls else bench
    finally:
        stand_in.stop()


def stand_in_of(folder: Path) -> ModuleType:
    """The stand-in of a folder, wherever that is: an author's connector stands in no catalogue yet."""
    name = f"connector_{folder.name}_stand_in"
    spec = importlib.util.spec_from_file_location(name, folder / "stand_in.py")
    if spec is None or spec.loader is None:
        raise ManifestWrong(f"{folder}: stand_in.py cannot be read")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # an author's own program, of any kind
        raise ManifestWrong(f"{folder}: stand_in.py: {type(error).__name__}: {error}") from error
    if not callable(getattr(module, "start", None)):
        raise ManifestWrong(f"{folder}: stand_in.py has no start(port, tokens)")
    return module


def nobodys_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
