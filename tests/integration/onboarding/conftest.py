"""Two running onboardings with their people for a whole module; see `tests.integration.onboarding.house`."""

from __future__ import annotations

import pytest

from tests.factories.api import API
from tests.integration.onboarding.house import House


@pytest.fixture(scope="module")
def house(api: API) -> House:
    """Northwind with Acme and Globex."""
    return House(api)
