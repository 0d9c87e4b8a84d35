"""One installation for a module, whose workspaces retire after each test; revisions beside the product's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.fleet import Revisions
from tests.factories.installation import Installation


@pytest.fixture
def installation(shared_installation: Installation) -> Iterator[Installation]:
    """No workspace and no plan; two databases a test would cost more than most of these tests."""
    yield shared_installation
    shared_installation.cell("UPDATE cell.slot SET state = 'retired' WHERE state = 'claimed'")
    shared_installation.cell("DELETE FROM cell.fleet_step")
    shared_installation.control("DELETE FROM control.fleet_plan")


@pytest.fixture
def revisions(tmp_path: Path) -> Revisions:
    """The product's tenant tree, to be gone on with."""
    return Revisions(tmp_path / "versions")
