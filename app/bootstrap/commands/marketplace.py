"""`slipway marketplace stock`: the templates of the library as the operator's own listings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from uuid import UUID, uuid5

from app.bootstrap.wiring import open_program
from app.kernel.actor import Actor
from app.kernel.errors import Missing
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.marketplace.operations.stocking import stock
from app.marketplace.queries.offers import states_of
from app.partners.rules import PLATFORM
from app.settings import Settings
from app.templates.library import list_shelves, open_shelf
from app.tenancy.operations.creation import TenantRequest, create_tenant
from app.vault.rules import Program
from tenants.registry import find_host
from tenants.sessions import lookup_session, partner_session

_TRACE = "marketplace-stock"


class NoOperator(Missing):
    """No organisation runs this installation yet."""


def run_marketplace(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked. Returns the exit code. Raises NoOperator."""
    parser = argparse.ArgumentParser(prog="slipway marketplace", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("stock", help="offer every template of the library to all partners; what is on offer stays")
    parser.parse_args(arguments)
    running = open_program(settings, Program.OPERATOR)
    try:
        new = stock_library(running.runtime, _operator(running.runtime, settings.public_host))
    finally:
        running.close()
    print(f"{new} templates were submitted; a worker checks, signs and lists them.")
    return 0


def stock_library(runtime: Runtime, organisation_id: UUID, name: str = "Operator") -> int:
    """Offer all templates of the library from the operator's home, which is made if need be. How many are new."""
    roles = frozenset({"partner_admin"})
    actor = Actor("service", uuid5(organisation_id, "library"), "library", organisation_id, roles=roles)
    request = TenantRequest(organisation_id, kind="home", name=name, key="home")
    home, new = create_tenant(runtime, actor, request, trace_id=_TRACE), 0
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        states = states_of(session, organisation_id)
    for shelf in list_shelves():
        template = open_shelf(shelf).template
        with open_work(runtime, home, actor, trace_id=_TRACE) as work:
            new += stock(work, template, states)
    return new


def _operator(runtime: Runtime, host: str) -> UUID:
    with lookup_session(runtime.databases) as (session, _now):
        found = find_host(session, host)
    if found is None or found.kind != PLATFORM:
        raise NoOperator(f"No organisation answers as the operator on {host}. Set the installation up first.")
    return found.organisation_id
