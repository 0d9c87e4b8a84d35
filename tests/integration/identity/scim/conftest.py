"""Directories for a whole module; see `directories.py`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.installation import Installation
from tests.integration.identity.scim.directories import Directories


@pytest.fixture(scope="module")
def at_work(shared_installation: Installation, doors_redis: str) -> Iterator[Directories]:
    """Two partners and a customer, each with a directory."""
    shared_installation.own_slots()
    served = Directories(shared_installation, doors_redis)
    yield served
    served.close()
