"""Three organisations in a line with one beside them, and the operator, each with a home; see `Market`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.bootstrap.wiring import declare_everything
from app.kernel.paging import CursorKey
from app.marketplace.operations import following
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tests.factories.installation import Installation
from tests.integration.marketplace.market import Market


@pytest.fixture(scope="module")
def market(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """For a whole module, whose tests each mind their own templates; of each two histories are walked, not twenty."""
    declare_everything()
    folder: Path = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    services: dict[type, object] = {Keyring: keyring, CursorKey: CursorKey(b"x" * 32)}
    shared_installation.runtime = replace(shared_installation.runtime, services=services)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "HISTORIES", 2)
        yield Market(shared_installation, keyring)
