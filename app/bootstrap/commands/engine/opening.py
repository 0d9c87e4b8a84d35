"""What commands about running work open: the pools of every registered cell, without keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from app.settings import Settings
from tenants.engines import Databases
from tenants.schema.install import read_installation


@contextmanager
def open_databases(settings: Settings) -> Iterator[Databases]:
    """The databases of this installation, closed afterwards; cells without an address are left out."""
    standing = read_installation(settings.control_url)
    known = {name: url for name, url in settings.cell_urls.items() if name in standing.cells}
    databases = Databases(
        control_url=settings.control_url, cell_urls=known, key=standing.key, gateways=standing.gateways
    )
    try:
        yield databases
    finally:
        databases.close()
