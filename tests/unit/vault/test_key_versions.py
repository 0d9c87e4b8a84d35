"""Versions in a key file: every history of rotations reads back, nothing else does; a killed change leaves no key."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.vault.envelope import SecretUnreadable
from app.vault.keepers.local_keys import LocalKeys, read_key, read_keys, write_file
from app.vault.keepers.wrapping import KeyMissing, KeyringUnsafe, KeysDisabled, KeyState
from app.vault.secret import Secret

ACME = UUID("0192d000-0000-7000-8000-00000000acde")
STEPS = st.lists(st.sampled_from(["wrap", "rotate", "rewrap", "retire", "disable", "enable"]), max_size=14)


@given(STEPS)
@settings(max_examples=60)
def test_every_history_opens_what_it_has_not_retired(steps):
    with tempfile.TemporaryDirectory() as top:
        keys = LocalKeys(Path(top))
        keys.create(ACME)
        held, disabled = {1: keys.wrap(ACME, Secret("1"), purpose="p")}, False
        oldest = newest = 1
        for step in steps:
            if step in {"disable", "enable"}:
                getattr(keys, step)(ACME)
                disabled = step == "disable"
            elif disabled:
                with pytest.raises(KeysDisabled):
                    keys.wrap(ACME, Secret("x"), purpose="p")
            elif step == "wrap":
                held[newest] = keys.wrap(ACME, Secret(str(newest)), purpose="p")
            elif step == "rotate":
                newest = keys.rotate(ACME, beyond=newest)
            elif step == "rewrap" and oldest <= max(held) < newest:
                held[newest] = keys.rewrap(ACME, held.pop(max(held)), purpose="p")
            elif step == "retire":
                keys.retire(ACME, below=newest)
                oldest = newest
        keys.enable(ACME)
        assert sorted(read_keys(Path(top) / f"{ACME}.key")) == list(range(oldest, newest + 1))
        for version, wrapped in held.items():
            assert keys.version_of(wrapped) == version
            if version >= oldest:
                assert keys.unwrap(ACME, wrapped, purpose="p").reveal() in {str(n) for n in range(1, version + 1)}
            else:
                with pytest.raises(KeyMissing, match="older than the last rotation"):
                    keys.unwrap(ACME, wrapped, purpose="p")


@given(st.binary(max_size=200))
def test_a_file_of_anything_else_is_damaged(content):
    with tempfile.TemporaryDirectory() as top:
        write_file(Path(top) / "x.key", content)
        with pytest.raises(KeyringUnsafe, match="damaged"):
            read_keys(Path(top) / "x.key")


HEX = "0" * 64


@pytest.mark.parametrize(
    "content",
    [
        f"v2:2:{HEX}\nv2:2:{HEX}\n",
        f"v2:3:{HEX}\nv2:2:{HEX}\n",
        f"v2:2:{HEX}\nv1:{HEX}\n",
        f"v2:0:{HEX}\n",
        f"v2:02:{HEX}\n",
        f"v1:{HEX}\n\n",
        f"v1:{HEX}\nv2:2:{HEX}",
        f"v1:{HEX}\r\n",
    ],
)
def test_versions_out_of_order_twice_or_cut_are_damaged(tmp_path, content):
    write_file(tmp_path / "x.key", content.encode())
    with pytest.raises(KeyringUnsafe, match="damaged"):
        read_keys(tmp_path / "x.key")


def test_the_first_version_is_written_as_it_always_was(web, folders):
    web.wrapping.create(ACME)
    assert (folders[0] / f"{ACME}.key").read_text().startswith("v1:")
    web.wrapping.rotate(ACME, beyond=1)
    with pytest.raises(KeyringUnsafe):  # a file for one key holds one key
        read_key(folders[0] / f"{ACME}.key")


def test_a_version_that_is_yet_to_come_opens_nothing(web):
    web.wrapping.create(ACME)
    wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="p")
    later = wrapped[:4] + bytes([9]) + wrapped[5:]
    with pytest.raises(SecretUnreadable):
        web.wrapping.unwrap(ACME, later, purpose="p")


_ROTATE_AND_DIE = """
import os, sys
from pathlib import Path
from uuid import UUID
from app.vault.keepers import local_keys
real = local_keys.write_file
def write_and_die(path, content):
    real(path, content)
    os.kill(os.getpid(), 9)
local_keys.write_file = write_and_die
local_keys.LocalKeys(Path(sys.argv[1])).rotate(UUID(sys.argv[2]), beyond=1)
"""


class TestAFolderOfManyKeys:
    def test_is_not_read_through_for_one_of_them(self, web, monkeypatch):
        """A partner's ten-thousandth tenant is made as fast as its first."""

        def refuse(*_args):
            raise AssertionError("somebody read the whole folder")

        for name in ("scandir", "listdir"):
            monkeypatch.setattr(os, name, refuse)
        web.wrapping.create(ACME)
        assert web.wrapping.rotate(ACME, beyond=1) == 2
        web.wrapping.retire(ACME, below=2)
        web.wrapping.destroy(ACME)


class TestAKilledChange:
    @pytest.fixture
    def left(self, web, folders):
        """What a process leaves that is killed after writing a key and before putting it in its place."""
        web.wrapping.create(ACME)
        command = [sys.executable, "-c", _ROTATE_AND_DIE, str(folders[0]), str(ACME)]
        assert subprocess.run(command, check=False, timeout=60).returncode == -9
        [found] = folders[0].glob(f".{ACME}.key.*")
        return found

    def test_leaves_the_old_key_in_force(self, web, left):
        assert web.wrapping.newest(ACME) == 1
        assert web.wrapping.states() == {ACME: KeyState.ACTIVE}
        assert web.wrapping.rotate(ACME, beyond=1) == 2
        assert not left.exists()

    @pytest.mark.parametrize("change", ["destroy", "retire"])
    def test_leaves_no_copy_that_outlives_the_key(self, web, left, change):
        web.wrapping.destroy(ACME) if change == "destroy" else web.wrapping.retire(ACME, below=1)
        assert not left.exists()


def test_rotations_at_once_add_one_version(web):
    web.wrapping.create(ACME)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _n: web.wrapping.rotate(ACME, beyond=1), range(24))) == {2}
    assert read_keys(web.wrapping._path(ACME)).keys() == {1, 2}
