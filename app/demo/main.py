"""`slipway demo`: servers, installation, demo world, programs, and the links to look at it with; `--once` drives it."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.bootstrap.fleet import upgrade_at_once
from app.bootstrap.wiring import install_all, open_fleet, open_program
from app.demo.command import product_children, run_demo
from app.demo.stand_ins import Outside, find_ports, lead_outside
from app.demo.supervisor import Child
from app.demo.world.seeding import PARTNERS, is_seeded, make_tokens, seed
from app.demo.world.shapes import DemoPartner
from app.identity.operations import create_link, ensure_person
from app.kernel.runtime import Runtime
from app.partners.queries import SiteDirectory
from app.partners.rules import default_host
from app.settings import Settings
from app.vault.rules import Program
from app.web.security import Front
from tenants.schema.install import NewCell, add_cell

PORT = "SLIPWAY_HTTP_PORT"
_LOGIN = 12  # characters of the installation's id in the folder's name


class Demo:
    """One run of the demo: what its steps hand on to each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._outside: Outside | None = None

    def prepare(self, settings: Settings) -> Settings:
        """Install, lead outgoing calls to this machine, fill the installation where it is empty."""
        key = install_all(settings)
        for name, url in settings.more_cells.items():
            add_cell(control_url=settings.control_url, url=url, cell=NewCell(name), gateways=settings.gateways)
        if (plan := upgrade_at_once(open_fleet(settings))) is not None:
            print(f"The workspaces of an earlier release are now at revision {plan.target}.", flush=True)
        place = self._folder / "demo" / key.id.hex[:_LOGIN]
        make_tokens(place)
        outside = self._outside = find_ports(place)
        outside.note(self._folder)
        led = lead_outside(settings, outside)
        if not is_seeded(place):
            print("Making three partners and their customers; this happens once.", flush=True)
            with outside.running():
                seed(replace(led, http_socket=None), place, crm_port=outside.ports["hubspot"])
        return led

    def children(self, settings: Settings) -> list[Child]:
        """The product's programs and the world outside them."""
        return [*product_children(settings), *self._reached().children()]

    def once(self) -> Child:
        """The program that drives the main job; where the world outside is, `prepare` has noted by then."""
        argv = (sys.executable, "-m", "app.demo.once", "--folder", str(self._folder))
        return Child(name="once", argv=argv, waits=True, final=True)

    def links(self, settings: Settings) -> list[tuple[str, str]]:
        """Where to look: each portal with a fresh link for one of its staff and one of a customer's people."""
        level = logging.getLogger().level
        running = open_program(replace(settings, http_socket=None), Program.OPERATOR)
        logging.getLogger().setLevel(level)
        try:
            rows = [("Platform", settings.public_url)]
            for partner in PARTNERS:
                rows += _links_of(running.runtime, partner)
            outside = self._reached()
            if outside.mail_port:
                rows.append(("Inbox", f"{settings.public_url}/inbox"))
            return rows
        finally:
            running.close()

    def _reached(self) -> Outside:
        if self._outside is None:
            raise RuntimeError("the demo was not prepared")
        return self._outside


def run(arguments: Sequence[str]) -> int:
    """Run the demo until Ctrl-C, or with `--once` until the main job has come to its end. Returns the exit code."""
    parser = ArgumentParser(prog="slipway demo", add_help=False)
    parser.add_argument("--port", type=int, help="port of the web program (8000, or the next free one)")
    parser.add_argument("--folder", type=Path, default=Path(".slipway"))
    chosen, _rest = parser.parse_known_args(arguments)
    if chosen.port is not None:
        os.environ[PORT] = str(chosen.port)
    demo = Demo(chosen.folder.absolute())
    return run_demo(
        _without_port(arguments),
        prepare=[demo.prepare],
        children=demo.children,
        links=demo.links,
        once=demo.once(),
    )


def _links_of(runtime: Runtime, partner: DemoPartner) -> list[tuple[str, str]]:
    host = default_host("partner", partner.slug)
    site = runtime.service(SiteDirectory).find_site(host)
    if site is None:
        return []
    colleague = partner.player("onboarding_lead")
    asked = [sale.contact for sale in partner.sales if sale.stalls and not sale.stalls[0].startswith("gate.")]
    customers = {contact.language: contact for contact in reversed(asked)}  # the first of each language
    people = [(colleague.name, colleague.email, colleague.locale, "staff")]
    people += [(f"{each.first} {each.last}", each.email, each.language, "customer") for each in customers.values()]
    rows = [(partner.name, runtime.service(Front).url(host, "/"))]
    for name, email, locale, role in people:
        person = ensure_person(runtime.databases, email=email, name=name, locale=locale)
        rows.append((f"  {name} ({role})", create_link(runtime, site, person_id=person, next_path="/")))
    return rows


def _without_port(arguments: Sequence[str]) -> list[str]:
    """What `run_demo` understands: the port is in the environment by now."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        if not skip and not argument.startswith("--port"):
            kept.append(argument)
        skip = argument == "--port"
    return kept
