"""Fills an installation with the demo's world, once; started again it looks at its mark and does nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import open_program
from app.demo.world.clock import BusinessClock
from app.demo.world.harbor import HARBOR
from app.demo.world.history import PRODUCT, Bookmark, Tools, tell
from app.demo.world.house import open_marketplace, set_up_house, set_up_platform
from app.demo.world.lumen import LUMEN
from app.demo.world.northwind import NORTHWIND
from app.demo.world.shapes import DemoPartner
from app.demo.world.tokens import Tokens
from app.kernel.queue.dispatcher import look_at, release_worker
from app.kernel.queue.drain import drain
from app.settings import Settings
from app.vault.rules import Program
from tenants.engines import Databases
from tenants.slots import count_free, make_slots

PARTNERS: tuple[DemoPartner, ...] = (NORTHWIND, LUMEN, HARBOR)
_MARK = "seeded"
_BOOKMARK = "told"
_STOCKED = "stocked"
_LONGEST_LEASE = 40.0  # seconds; what a killed run has left under way comes back within it
WORKER = "demo"
_EDITION = "1"  # of the demo's world: raised when a new world shall be told beside an old one


def is_seeded(folder: Path) -> bool:
    """Whether the whole world has been told in this installation."""
    mark = folder / _MARK
    return mark.exists() and mark.read_text() == _EDITION


def make_tokens(folder: Path) -> Tokens:
    """Every token that a stand-in must know before the first deal closes."""
    tokens = Tokens(folder)
    tokens.make(f"{partner.slug}/hubspot" for partner in PARTNERS)
    tokens.make(f"{sale.key}/{PRODUCT}" for partner in PARTNERS for sale in partner.sales)
    return tokens


def seed(settings: Settings, folder: Path, *, crm_port: int) -> None:
    """Tell the world into the installation. Stand-ins and mail sink must run. Killed, the next call goes on."""
    with _quiet():
        opened = open_program(settings, Program.WORKER)
        logging.getLogger().setLevel(logging.ERROR)
        runtime, clock = opened.runtime, BusinessClock(settings.cell_urls.values())
        try:
            tokens = make_tokens(folder)
            _make_room(runtime.databases, sum(len(partner.sales) + 1 for partner in PARTNERS) + 1)
            platform = set_up_platform(runtime)
            houses = [set_up_house(runtime, platform, partner, tokens) for partner in PARTNERS]
            tools = Tools(
                runtime=runtime,
                crm_port=crm_port,
                clock=clock,
                tokens=tokens,
                settle=lambda: drain(runtime, SUBSCRIPTIONS, worker=WORKER),
            )
            _finish_killed_jobs(tools)
            tell(tools, houses, datetime.now(UTC).date(), bookmark=Bookmark(folder / _BOOKMARK))
            if not (folder / _STOCKED).exists():
                open_marketplace(runtime, platform, houses[PARTNERS.index(LUMEN)])
                tools.settle()
                (folder / _STOCKED).touch()
        finally:
            clock.close()
            opened.close()
    (folder / _MARK).write_text(_EDITION)


def _finish_killed_jobs(tools: Tools) -> None:
    """Do what is due, and wait for what a killed run held under a lease: the story goes on from it."""
    databases = tools.runtime.databases
    for cell in databases.cells:
        release_worker(databases, cell, WORKER)
    until = time.monotonic() + _LONGEST_LEASE
    tools.settle()
    while any(look_at(databases, cell).in_flight for cell in databases.cells) and time.monotonic() < until:
        time.sleep(0.2)
        tools.settle()


def _make_room(databases: Databases, tenants: int) -> None:
    """As many free slots as tenants will come, in one batch: one by one each waits for its own DDL."""
    for cell in databases.cells:
        missing = tenants - count_free(databases, cell)
        if missing > 0:
            make_slots(databases, cell, missing)


@contextmanager
def _quiet() -> Iterator[None]:
    """Jobs log each of their ends; a first start is no place for a thousand lines."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers, root.level = before, level
