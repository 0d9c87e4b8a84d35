"""Directories for every module here; see `directories.py`. Each test minds only the people it names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import cluster
from tests.factories.installation import Installation, open_doors
from tests.integration.identity.scim.directories import Directories


@pytest.fixture(scope="package")
def at_work(installation_template, doors_redis: str) -> Iterator[Directories]:
    """Two partners and a customer, each with a directory, in an installation of their own."""
    template, key = installation_template
    made = cluster.create_databases(template)
    open_doors(made, key)
    installation = Installation(made, key)
    installation.own_slots()
    served = Directories(installation, doors_redis)
    yield served
    served.close()
    installation.close()
    cluster.drop_databases(made)
