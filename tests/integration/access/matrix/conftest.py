"""The town of the matrix, once for all its modules' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.factories.installation import Installation
from tests.integration.access.matrix.town import Town


@pytest.fixture(scope="module")
def town(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory, doors_redis: str
) -> Iterator[Town]:
    """Two partners, three customers, and everybody who tries."""
    shared_installation.own_slots()
    made = Town(shared_installation, tmp_path_factory.mktemp("town"), doors_redis)
    yield made
    made.close()
