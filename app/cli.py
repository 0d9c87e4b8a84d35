"""Operator commands: each parses its arguments and calls one function. `slipway --help` lists them."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from app.kernel.errors import SlipwayError
from app.kernel.runtime import Runtime
from tenants.sessions import DatabaseAway

Command = Callable[[list[str]], int]


@contextmanager
def _read_without_collecting() -> Iterator[None]:
    """While a program reads its code nothing of it is garbage, and to look for some is an eighth of its start.

    What is there afterwards stays until the end, so no later collection looks at it either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def serve(_arguments: list[str]) -> int:
    """Serve the portals and the API."""
    with _read_without_collecting():
        from app.asgi import run_web
        from app.bootstrap.wiring import open_program
        from app.settings import Settings
        from app.vault.rules import Program

        running = open_program(Settings.from_environment(), Program.WEB)
    return run_web(running)


def worker(_arguments: list[str]) -> int:
    """Run jobs."""
    with _read_without_collecting():
        from app.bootstrap.wiring import open_program
        from app.settings import Settings
        from app.vault.rules import Program
        from app.worker import run_worker

        running = open_program(Settings.from_environment(), Program.WORKER)
    return run_worker(running)


def dispatcher(arguments: list[str]) -> int:
    """Relay events, fire timers, hand out jobs; drain, resume, status: stop handing out, go on, say how it stands."""
    with _read_without_collecting():
        from app.bootstrap.commands.engine.dispatcher import run_dispatching
        from app.bootstrap.dispatching import make_dispatcher
        from app.bootstrap.wiring import open_program
        from app.settings import Settings
        from app.vault.rules import Program

        running = None if arguments else open_program(Settings.from_environment(), Program.DISPATCHER)
    if running is None:
        return run_dispatching(arguments, Settings.from_environment())
    loop = make_dispatcher(running)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        loop.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    loop.run()
    loop.doorbell.close()
    running.close()
    return 0


def install(_arguments: list[str]) -> int:
    """Make or upgrade the databases and the keyring of this installation."""
    from app.bootstrap.wiring import install_all
    from app.demo.checks.servers import CELL, CONTROL, refuse_unfit
    from app.settings import Settings

    settings = Settings.from_environment()
    refuse_unfit({CONTROL: settings.control_url, CELL: settings.cell_url})  # Redis is not needed for it
    key = install_all(settings)
    print(f"installation {key.id} is ready")
    return 0


def cells(arguments: list[str]) -> int:
    """Add cells, open and close them, show where tenants are."""
    from app.bootstrap.commands.cells import run_cells
    from app.demo.checks.servers import CONTROL, refuse_unfit
    from app.settings import Settings, cell_variable

    settings = Settings.from_environment()
    more = {cell_variable(name): url for name, url in settings.more_cells.items()}
    refuse_unfit({CONTROL: settings.control_url, **more} if arguments[:1] == ["add"] else {})
    return run_cells(arguments, settings)


def keys(arguments: list[str]) -> int:
    """Rotate, switch off or destroy the keys of tenants, and say how far it is."""
    from app.bootstrap.commands.keys import run_keys

    return run_keys(arguments)


def plans(arguments: list[str]) -> int:
    """Make and change plans; show them."""
    from app.bootstrap.commands.plans import run_plans
    from app.settings import Settings

    return run_plans(arguments, Settings.from_environment())


def partners(arguments: list[str]) -> int:
    """Say how many workspaces a partner may have; show what each has."""
    from app.bootstrap.commands.plans import run_partners
    from app.settings import Settings

    return run_partners(arguments, Settings.from_environment())


def people(arguments: list[str]) -> int:
    """Help somebody who has lost the authenticator and every recovery code."""
    from app.bootstrap.commands.people import run_people
    from app.settings import Settings

    return run_people(arguments, Settings.from_environment())


def openapi(_arguments: list[str]) -> int:
    """Print the API's own document."""
    from app.bootstrap.commands.openapi import run_openapi

    return run_openapi()


def events(arguments: list[str]) -> int:
    """What may happen and what each event says: list, schema, catalogue."""
    from app.bootstrap.commands.events import run_events

    return run_events(arguments)


def fleet(arguments: list[str]) -> int:
    """Upgrade the schemas of all workspaces: compile, plan, apply, status, verify, resume."""
    from app.bootstrap.commands.fleet import run_fleet
    from app.bootstrap.wiring import open_fleet
    from app.settings import Settings

    return run_fleet(arguments, lambda: open_fleet(Settings.from_environment()))


def doctor(arguments: list[str]) -> int:
    """Say what is wrong with this machine or installation, and the mend."""
    from app.demo.doctor import run_doctor

    return run_doctor(arguments)


def demo(arguments: list[str]) -> int:
    """Boot everything embedded with demo data; --once drives the main job and exits."""
    from app.demo.main import run

    return run(arguments)


def tenants(arguments: list[str]) -> int:
    """Move tenants between installations: key, export, cancel-export, verify, import."""
    from app.bootstrap.commands.tenants import tenants as run

    return run(arguments)


def templates(arguments: list[str]) -> int:
    """The tools of template authors: lint, test, simulate, graph, pack, verify, keygen, schema."""
    from app.bootstrap.commands.templates.actions import run_templates

    return run_templates(arguments)


def connectors(arguments: list[str]) -> int:
    """The tools of connector authors: lint, test, record, sandbox, diff."""
    from app.bootstrap.commands.connectors.actions import run_connectors

    return run_connectors(arguments)


def marketplace(arguments: list[str]) -> int:
    """Offer the templates of the library to all partners: stock."""
    from app.bootstrap.commands.marketplace import run_marketplace
    from app.settings import Settings

    return run_marketplace(arguments, Settings.from_environment())


def trail(arguments: list[str]) -> int:
    """Export a workspace's trail; verify an exported one, with neither database nor network."""
    from app.bootstrap.commands.trail import run_trail

    return run_trail(arguments)


def onboardings(arguments: list[str]) -> int:
    """Show one onboarding from the inside: inspect; have its failed work done again: retry."""
    from app.bootstrap.commands.engine.onboardings import run_onboardings

    return _with_runtime(run_onboardings, arguments)


def history(arguments: list[str]) -> int:
    """Replay every journal and compare it with what is stored: verify."""
    from app.bootstrap.commands.engine.onboardings import run_history

    return _with_runtime(run_history, arguments)


def _with_runtime(command: Callable[[list[str], Runtime], int], arguments: list[str]) -> int:
    from app.bootstrap.wiring import open_program
    from app.settings import Settings
    from app.vault.rules import Program

    running = open_program(Settings.from_environment(), Program.OPERATOR)
    try:
        return command(arguments, running.runtime)
    finally:
        running.close()


COMMANDS: dict[str, Command] = {
    "demo": demo,
    "serve": serve,
    "worker": worker,
    "dispatcher": dispatcher,
    "install": install,
    "cells": cells,
    "plans": plans,
    "partners": partners,
    "people": people,
    "openapi": openapi,
    "events": events,
    "keys": keys,
    "doctor": doctor,
    "tenants": tenants,
    "templates": templates,
    "connectors": connectors,
    "marketplace": marketplace,
    "trail": trail,
    "onboardings": onboardings,
    "history": history,
    "fleet": fleet,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Expected trouble is one sentence and exit 1, never a traceback."""
    parser = argparse.ArgumentParser(
        prog="slipway",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {name:<12}{(command.__doc__ or '').strip()}" for name, command in COMMANDS.items()),
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args(argv)
    try:
        return COMMANDS[given.command](given.arguments)
    except (SlipwayError, LookupError, DatabaseAway) as error:
        print(f"slipway: {error}", file=sys.stderr)
        for place, sentence in getattr(error, "errors", []):
            print(f"  {place} {sentence}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
