"""What a program reads before it can do anything: a killed worker is back the sooner, the less that is."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each is read where it is used: by what serves, migrates, explains a decision or signs somebody in.
NOT_READ = ("alembic", "authlib", "casbin", "limits", "litestar", "uvicorn")
_READ = "import {module}, sys; from app.bootstrap.wiring import declare_everything; declare_everything()"
_TELL = "; print(' '.join({name.partition('.')[0] for name in sys.modules}))"


@pytest.mark.parametrize("module", ["app.worker", "app.bootstrap.dispatching"])
def test_a_program_without_doors_reads_nothing_that_only_doors_need(module: str):
    said = subprocess.run(
        [sys.executable, "-c", _READ.format(module=module) + _TELL], capture_output=True, text=True, check=True
    )
    assert not set(said.stdout.split()) & set(NOT_READ)
