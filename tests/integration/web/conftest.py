"""The doors of the product, and beside them a few that are only there for the tests of the furniture."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.doors import FRONT_DOORS, Doors
from tests.factories.installation import Installation
from tests.integration.web.rooms import Rooms


@pytest.fixture
def rooms(installation: Installation, doors_redis: str) -> Iterator[Doors]:
    served = Doors(installation, redis_url=doors_redis, controllers=[*FRONT_DOORS, Rooms])
    yield served
    served.close()


@pytest.fixture(scope="module")
def shared_rooms(shared_installation: Installation, doors_redis: str) -> Iterator[Doors]:
    """The same for a whole module whose tests leave nothing behind that another would mind."""
    served = Doors(shared_installation, redis_url=doors_redis, controllers=[*FRONT_DOORS, Rooms])
    yield served
    served.close()
