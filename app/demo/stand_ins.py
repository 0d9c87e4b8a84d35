"""The outside world of the demo: CRM, product and mail sink as small programs of their own, on ports of this machine.

python -m app.demo.stand_ins hubspot|product_admin --port 9101 --folder DIR
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

from app.connectors.catalog.stand_in import OWN_PATHS, Answer, Call, StandInServer, Wire
from app.demo.embedded.folder import write_private
from app.demo.supervisor import Child
from app.demo.world.tokens import Tokens
from app.kernel.errors import Unavailable
from app.notifications.sink import MailSink
from app.settings import Settings
from app.settings.values import AddressBookEntry

HOSTS = {"hubspot": "api.hubapi.com", "product_admin": "admin.workbench.example"}
MAIL = "mail"
_NOTE = "outside.json"
_HTTPS = 443
_REMEMBERED = {"POST", "PATCH", "PUT", "DELETE"}


class NotRunning(Unavailable):
    """There is no demo whose outside world could be used."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Where the outside world is: its folder, the stand-ins' ports by provider, and the sink's (0: a server is set)."""

    folder: Path
    ports: Mapping[str, int]
    mail_port: int

    def note(self, place: Path) -> None:
        """Write down where it is, for a program that is started later."""
        text = json.dumps({"folder": str(self.folder), "ports": dict(self.ports), "mail_port": self.mail_port})
        write_private(place / _NOTE, text)

    @classmethod
    def read(cls, place: Path) -> Outside:
        """What the running demo has noted. Raises NotRunning where none has."""
        try:
            noted = json.loads((place / _NOTE).read_text())
        except FileNotFoundError:
            raise NotRunning(f"No demo has run in {place}. Start one: slipway demo --once") from None
        return cls(folder=Path(noted["folder"]), ports=noted["ports"], mail_port=noted["mail_port"])

    @property
    def mail_folder(self) -> Path:
        """Where the sink keeps the mails."""
        return self.folder / MAIL

    def children(self) -> list[Child]:
        """The programs, for the supervisor."""
        own = ("--folder", str(self.folder))
        found = [
            Child(name=name, argv=(sys.executable, "-m", __spec__.name, name, "--port", str(port), *own))
            for name, port in self.ports.items()
        ]
        if self.mail_port:
            sink = (sys.executable, "-m", "app.notifications.sink", "--port", str(self.mail_port))
            found.append(Child(name=MAIL, argv=(*sink, "--folder", str(self.mail_folder))))
        return found

    @contextmanager
    def running(self) -> Iterator[None]:
        """The same in this process, for as long as the set-up takes."""
        with ExitStack() as closing:
            for name, port in self.ports.items():
                closing.callback(start(name, self.folder, port).stop)
            if self.mail_port:
                sink = MailSink(self.mail_folder)
                sink.start(self.mail_port)
                closing.callback(sink.stop)
            yield


def find_ports(folder: Path) -> Outside:
    """Free ports for everything outside; where a mail server of one's own is set, no sink."""
    wanted = [*HOSTS, *([] if os.environ.get("SLIPWAY_SMTP_URL") else [MAIL])]
    with ExitStack() as closing:
        found = {name: closing.enter_context(_bound()).getsockname()[1] for name in wanted}
    mail_port = found.pop(MAIL, 0)
    return Outside(folder=folder, ports=found, mail_port=mail_port)


def lead_outside(settings: Settings, outside: Outside) -> Settings:
    """The settings with their outgoing calls and mails led to this machine. Raises BadSettings on a public host."""
    known = {(entry.host, entry.port) for entry in settings.address_book}
    own = tuple(
        AddressBookEntry(HOSTS[name], _HTTPS, port)
        for name, port in outside.ports.items()
        if (HOSTS[name], _HTTPS) not in known
    )
    smtp_url = f"smtp://127.0.0.1:{outside.mail_port}" if outside.mail_port else settings.smtp_url
    inbox = outside.mail_folder if outside.mail_port else settings.inbox
    led = replace(settings, address_book=(*settings.address_book, *own), smtp_url=smtp_url, inbox=inbox)
    led.check()
    return led


def start(name: str, folder: Path, port: int) -> StandInServer:
    """A stand-in that knows the demo's tokens and remembers, across restarts, what was done to it."""
    module = import_module(f"app.connectors.catalog.{name}.stand_in")
    server: StandInServer = module.start(port, Tokens(folder).of(name))
    server.wire = Remembering(server.wire, folder / f"{name}.jsonl")
    return server


class Remembering:
    """A wire that writes down each change that it accepted, and begins by doing again what stands there."""

    def __init__(self, wire: Wire, path: Path) -> None:
        self._wire = wire
        self._path = path
        self._lock = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                self._wire(Call(raw=b"", **json.loads(line)))

    def __call__(self, call: Call) -> Answer:
        """Answer, and remember what changed something."""
        if call.method not in _REMEMBERED or call.path.startswith(OWN_PATHS):
            return self._wire(call)
        with self._lock:
            answer = self._wire(call)
            if answer.status < 400:  # noqa: PLR2004  the first status that says that nothing was done
                kept = {name: getattr(call, name) for name in ("method", "path", "query", "body", "account")}
                kept["headers"] = {"idempotency-key": call.headers.get("idempotency-key", "")}
                with self._path.open("a") as file:
                    file.write(json.dumps(kept) + "\n")
            return answer


def _bound() -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", 0))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """One stand-in until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m app.demo.stand_ins", description="A stand-in of the demo.")
    parser.add_argument("name", choices=HOSTS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    chosen = parser.parse_args(arguments)
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # before the server's threads start, so that they inherit it
    server = start(chosen.name, chosen.folder, chosen.port)
    print(f"listening on http://127.0.0.1:{server.port}", flush=True)
    signal.sigwait(signals)
    server.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
