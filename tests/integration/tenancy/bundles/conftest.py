"""Small parts, so that little data makes many."""

from __future__ import annotations

import pytest

from app.tenancy.bundles import packing


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is full at 20 rows, so that little data makes many."""
    monkeypatch.setattr(packing, "PART_ROWS", 20)
