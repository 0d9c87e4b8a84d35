"""Keyrings in folders of their own: what the web program is given, and what a worker is given."""

from uuid import UUID

import pytest

from app.vault.keyring import create_keyring, open_keyring
from app.vault.rules import Program

ACME = UUID("0192d000-0000-7000-8000-00000000acde")
NORTHWIND = UUID("0192d000-0000-7000-8000-0000000000ff")


@pytest.fixture
def folders(tmp_path):
    """The folder of wrapping keys and the workers' own."""
    pair = tmp_path / "keyring", tmp_path / "worker"
    create_keyring(*pair)
    return pair


@pytest.fixture
def web(folders):
    """What the web program holds."""
    return open_keyring(Program.WEB, folders[0])


@pytest.fixture
def worker(folders):
    """What a worker holds."""
    return open_keyring(Program.WORKER, *folders)
