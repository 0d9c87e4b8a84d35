"""`slipway demo`: boots the servers, prepares, supervises. What is prepared and what is run comes from the caller."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.demo.checks.servers import refuse_unfit
from app.demo.log import Log
from app.demo.ports import listen_on
from app.demo.readiness import Question
from app.demo.servers import EmbeddedServers
from app.demo.signals import Stopped, StopSignals
from app.demo.supervisor import OURSELVES, Child, Run, Supervisor
from app.kernel.errors import SlipwayError
from app.settings import BadSettings, Settings
from tenants.schema.install import WrongDatabase
from tenants.sessions import DatabaseAway

Prepare = Callable[[Settings], Settings]
Children = Callable[[Settings], Sequence[Child]]
Links = Callable[[Settings], Iterable[tuple[str, str]]]

OWN_SERVERS = ("SLIPWAY_CONTROL_URL", "SLIPWAY_CELL_URL")
ONCE = Child(name="once", argv=(sys.executable, "-m", "app.demo.once"), waits=True, final=True)


def product_children(settings: Settings) -> list[Child]:
    """The three programs of Slipway. Web inherits the listening socket, so a restart loses no connection."""
    web = Child(
        name="web",
        argv=(sys.executable, "-m", "app.cli", "serve"),
        environment={"SLIPWAY_HTTP_SOCKET": str(settings.http_socket)},
        sockets=() if settings.http_socket is None else (settings.http_socket,),
    )
    others = [Child(name=name, argv=(sys.executable, "-m", "app.cli", name)) for name in ("worker", "dispatcher")]
    return [web, *others]


def platform_link(settings: Settings) -> list[tuple[str, str]]:
    """The platform's own address."""
    return [("Platform", settings.public_url)]


def run_demo(
    args: list[str],
    *,
    prepare: Sequence[Prepare] = (),
    children: Children = product_children,
    links: Links = platform_link,
    once: Child = ONCE,
) -> int:
    """Boot, prepare, serve until Ctrl-C; the exit code.

    Each of `prepare` gets the settings so far and gives those to go on with. With `--once`, `once` is started when all
    is ready, and its end is the end. Expected trouble is printed and gives 1.
    """
    chosen = _parse(args)
    try:
        with StopSignals() as stop, contextlib.ExitStack() as closing:
            began = time.monotonic()
            try:
                with stop.raising():
                    servers, settings = _boot(chosen.folder.absolute(), closing)
                    for step in prepare:
                        settings = step(settings)
            except Stopped:
                return 0
            wanted = [*children(settings), *([once] if chosen.once else [])]
            log = Log(sys.stdout.buffer, [OURSELVES, *(child.name for child in wanted)])
            run = Run(
                children=wanted,
                environment={**os.environ, **replace(settings, http_socket=None).environment()},
                servers=servers,
                log=log,
                is_ready=question(settings).answered,
                on_ready=lambda: log.write(_greeting(links(settings), time.monotonic() - began)),
            )
            return Supervisor(run, stop).run()
    except (SlipwayError, DatabaseAway, WrongDatabase) as error:
        print(f"slipway demo: {error}", file=sys.stderr)
        return 1


def question(settings: Settings) -> Question:
    """The question whether the web program is ready, asked under the platform's own name."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to ask, not where to listen
    address = everywhere.get(settings.http_host, settings.http_host), settings.http_port
    return Question(address, f"{settings.public_host}:{settings.http_port}")


def _parse(args: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slipway demo", description="Run everything on this machine.")
    parser.add_argument("--once", action="store_true", help="drive the main job headless, print its trace, exit")
    parser.add_argument("--folder", type=Path, default=Path(".slipway"), help="where its data lives (.slipway)")
    return parser.parse_args(args)


def _boot(folder: Path, closing: contextlib.ExitStack) -> tuple[EmbeddedServers, Settings]:
    own = [name for name in OWN_SERVERS if os.environ.get(name)]
    if len(own) == 1:
        missing = next(name for name in OWN_SERVERS if name not in own)
        raise BadSettings(f"{own[0]} is set but {missing} is not. Set both to use a server of your own, or neither.")
    servers = EmbeddedServers(folder, postgres=not own, valkey=not os.environ.get("SLIPWAY_REDIS_URL"))
    closing.callback(servers.stop)
    servers.start()
    listener = closing.enter_context(_listener(os.environ))
    given: dict[str, str] = {
        "SLIPWAY_KEYRING": str(folder / "keyring"),
        **os.environ,
        "SLIPWAY_HTTP_PORT": str(listener.getsockname()[1]),
        "SLIPWAY_HTTP_SOCKET": str(listener.fileno()),
    }
    if not own:
        given |= {"SLIPWAY_CONTROL_URL": servers.control_url, "SLIPWAY_CELL_URL": servers.cell_url}
    if not os.environ.get("SLIPWAY_REDIS_URL"):
        given["SLIPWAY_REDIS_URL"] = servers.redis_url
    settings = Settings.from_environment(given)
    refuse_unfit(os.environ)
    return servers, settings


def _listener(environ: Mapping[str, str]) -> socket.socket:
    """The web socket. Host and port are read alone: the rest follows from the port that was free."""
    return listen_on(*Settings.address_to_serve(environ))


def _greeting(links: Iterable[tuple[str, str]], seconds: float) -> bytes:
    rows = list(links)
    width = max((len(name) for name, _ in rows), default=0)
    lines = [f"  {name:<{width}}  {url}" for name, url in rows]
    return "\n".join(["", f"Slipway is ready after {seconds:.1f} s. Ctrl-C stops it.", *lines, "", ""]).encode()
