"""A partner with a published template and its own adaptation, over HTTP; see `tests.integration.onboarding.house`."""

from __future__ import annotations

import pytest

from app.templates.library import open_shelf
from app.templates.operations import publish
from tests.factories.api import API
from tests.integration.onboarding.house import House


@pytest.fixture(scope="module")
def house(api: API) -> House:
    """Northwind, which has published a template and then its own adaptation of it."""
    made = House(api)
    with made.installation.work(made.home, made.ada) as work:
        publish(work, open_shelf("msp/managed-services").overlays["northwind"])
    made.run()
    return made
