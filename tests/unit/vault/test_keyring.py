"""The keyring on disk: private, whole or absent, one key however many create it, gone when destroyed."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from app.vault.envelope import SecretUnreadable
from app.vault.keepers.local_keys import LocalKeys
from app.vault.keepers.wrapping import KeyMissing, KeyringUnsafe
from app.vault.keyring import create_keyring, open_keyring
from app.vault.rules import Program
from app.vault.secret import Secret

ACME = UUID("0192d000-0000-7000-8000-00000000acde")
NORTHWIND = UUID("0192d000-0000-7000-8000-0000000000ff")

_CREATE_MANY = """
import sys
from pathlib import Path
from uuid import UUID
from app.vault.keyring import create_keyring, open_keyring
from app.vault.rules import Program
top = Path(sys.argv[1])
sys.stdin.read(1)
create_keyring(top / "keyring", top / "worker")
keys = open_keyring(Program.WORKER, top / "keyring", top / "worker").wrapping
for number in range(40):
    keys.create(UUID(int=number))
"""


class TestCreate:
    def test_is_private_from_the_first_moment(self, folders):
        LocalKeys(folders[0]).create(ACME)
        assert {oct(folder.stat().st_mode & 0o777) for folder in folders} == {"0o700"}
        files = [path for folder in folders for path in folder.iterdir()]
        assert sorted(path.name for path in files) == [
            f"{ACME}.key",
            "cursor.key",
            "people.key",
            "worker.key",
            "worker.pub",
        ]
        assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}

    def test_is_private_whatever_the_umask(self, tmp_path):
        before = os.umask(0)
        try:
            create_keyring(tmp_path / "k", tmp_path / "w")
            LocalKeys(tmp_path / "k").create(ACME)
        finally:
            os.umask(before)
        assert not [path for path in (tmp_path / "k").iterdir() if path.stat().st_mode & 0o077]

    def test_twice_keeps_the_first_key(self, web, folders):
        web.wrapping.create(ACME)
        wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="dek")
        web.wrapping.create(ACME)
        create_keyring(*folders)
        assert open_keyring(Program.WEB, folders[0]).wrapping.unwrap(ACME, wrapped, purpose="dek") == Secret("k")

    def test_by_many_threads_makes_one_key(self, web):
        def create_and_wrap(_number):
            web.wrapping.create(ACME)
            return web.wrapping.wrap(ACME, Secret("k"), purpose="dek")

        with ThreadPoolExecutor(8) as pool:
            wrapped = list(pool.map(create_and_wrap, range(64)))
        assert all(web.wrapping.unwrap(ACME, one, purpose="dek") == Secret("k") for one in wrapped)

    def test_by_several_programs_at_once_makes_one_of_each(self, tmp_path):
        command = [sys.executable, "-c", _CREATE_MANY, str(tmp_path)]
        waiting, gate = os.pipe()
        programs = [subprocess.Popen(command, stdin=waiting, stderr=subprocess.PIPE) for _ in range(3)]
        os.close(waiting)
        os.close(gate)  # the end of their input is the starting gun for all of them
        results = [program.communicate(timeout=60) for program in programs]
        assert [program.returncode for program in programs] == [0, 0, 0], results
        names = sorted(path.name for path in (tmp_path / "keyring").iterdir())
        assert names == sorted(
            ["cursor.key", "people.key", "worker.pub", *(f"{UUID(int=number)}.key" for number in range(40))]
        )
        open_keyring(Program.WORKER, tmp_path / "keyring", tmp_path / "worker")


class TestWrap:
    def test_is_bound_to_tenant_and_purpose(self, web):
        for tenant in (ACME, NORTHWIND):
            web.wrapping.create(tenant)
        wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="dek:1")
        for tenant, purpose in ((NORTHWIND, "dek:1"), (ACME, "dek:2")):
            with pytest.raises(SecretUnreadable):
                web.wrapping.unwrap(tenant, wrapped, purpose=purpose)

    def test_says_when_there_is_no_key(self, web):
        with pytest.raises(KeyMissing, match="no key"):
            web.wrapping.wrap(uuid4(), Secret("k"), purpose="dek")

    def test_refuses_a_key_copied_from_another_tenant(self, web, folders):
        web.wrapping.create(ACME)
        wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="dek")
        (folders[0] / f"{NORTHWIND}.key").write_bytes((folders[0] / f"{ACME}.key").read_bytes())
        (folders[0] / f"{NORTHWIND}.key").chmod(0o600)
        with pytest.raises(SecretUnreadable):
            web.wrapping.unwrap(NORTHWIND, wrapped, purpose="dek")


class TestDestroy:
    def test_is_for_good_and_repeatable(self, web, folders):
        web.wrapping.create(ACME)
        wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="dek")
        web.wrapping.destroy(ACME)
        web.wrapping.destroy(ACME)
        assert not (folders[0] / f"{ACME}.key").exists()
        for attempt in (
            lambda: web.wrapping.unwrap(ACME, wrapped, purpose="dek"),
            lambda: web.wrapping.wrap(ACME, Secret("k"), purpose="dek"),
            lambda: web.wrapping.create(ACME),
        ):
            with pytest.raises(KeyMissing, match="destroyed"):
                attempt()

    def test_wins_against_a_key_put_back_from_a_backup(self, web, folders):
        web.wrapping.create(ACME)
        wrapped = web.wrapping.wrap(ACME, Secret("k"), purpose="dek")
        backup = (folders[0] / f"{ACME}.key").read_bytes()
        web.wrapping.destroy(ACME)
        (folders[0] / f"{ACME}.key").write_bytes(backup)
        (folders[0] / f"{ACME}.key").chmod(0o600)
        with pytest.raises(KeyMissing):
            web.wrapping.unwrap(ACME, wrapped, purpose="dek")

    def test_wins_against_a_creator_at_the_same_time(self, web):
        tenants = [UUID(int=number) for number in range(30)]

        def create(tenant):
            try:
                web.wrapping.create(tenant)
            except KeyMissing:
                return

        with ThreadPoolExecutor(4) as pool:
            for tenant in tenants:
                done = [pool.submit(create, tenant), pool.submit(web.wrapping.destroy, tenant)]
                assert [one.result() for one in done] == [None, None]
        for tenant in tenants:
            with pytest.raises(KeyMissing):
                web.wrapping.wrap(tenant, Secret("k"), purpose="dek")


class TestUnsafe:
    @pytest.mark.parametrize("mode", [0o750, 0o701, 0o777, 0o740])
    def test_refuses_a_folder_that_others_may_enter(self, folders, mode):
        folders[0].chmod(mode)
        with pytest.raises(KeyringUnsafe, match="chmod 700"):
            open_keyring(Program.WEB, folders[0])
        with pytest.raises(KeyringUnsafe):
            create_keyring(*folders)
        folders[0].chmod(0o700)
        folders[1].chmod(mode)
        with pytest.raises(KeyringUnsafe):
            open_keyring(Program.WORKER, *folders)

    def test_notices_a_folder_that_was_opened_later(self, web, folders):
        web.wrapping.create(ACME)
        folders[0].chmod(0o755)
        with pytest.raises(KeyringUnsafe):
            web.wrapping.wrap(ACME, Secret("k"), purpose="dek")

    def test_refuses_a_key_file_that_others_may_read(self, web, folders):
        web.wrapping.create(ACME)
        (folders[0] / f"{ACME}.key").chmod(0o640)
        with pytest.raises(KeyringUnsafe, match="chmod 600"):
            web.wrapping.wrap(ACME, Secret("k"), purpose="dek")

    def test_refuses_links(self, web, folders, tmp_path):
        web.wrapping.create(ACME)
        (folders[0] / f"{NORTHWIND}.key").symlink_to(folders[0] / f"{ACME}.key")
        with pytest.raises(KeyringUnsafe):
            web.wrapping.wrap(NORTHWIND, Secret("k"), purpose="dek")
        (tmp_path / "link").symlink_to(folders[0])
        with pytest.raises(KeyringUnsafe, match="not a folder"):
            LocalKeys(tmp_path / "link")

    @pytest.mark.parametrize("content", [b"", b"v1:", b"v1:" + b"0" * 63 + b"\n", b"v2:" + b"0" * 64 + b"\n", b"\xff"])
    def test_refuses_a_damaged_key(self, web, folders, content):
        web.wrapping.create(ACME)
        (folders[0] / f"{ACME}.key").write_bytes(content)
        with pytest.raises(KeyringUnsafe, match="damaged"):
            web.wrapping.wrap(ACME, Secret("k"), purpose="dek")
        (folders[0] / "worker.pub").write_bytes(content)
        with pytest.raises(KeyringUnsafe, match="damaged"):
            open_keyring(Program.WEB, folders[0])

    def test_says_what_is_not_there(self, tmp_path, folders):
        with pytest.raises(KeyringUnsafe, match="doctor"):
            open_keyring(Program.WEB, tmp_path / "nowhere")
        (folders[0] / "worker.pub").unlink()
        with pytest.raises(KeyMissing, match="not set up"):
            open_keyring(Program.WEB, folders[0])

    def test_does_not_mix_two_installations(self, tmp_path, folders):
        create_keyring(tmp_path / "k2", tmp_path / "w2")
        for attempt in (
            lambda: open_keyring(Program.WORKER, folders[0], tmp_path / "w2"),
            lambda: create_keyring(folders[0], tmp_path / "w2"),
        ):
            with pytest.raises(KeyringUnsafe, match="two installations"):
                attempt()

    def test_does_not_replace_a_lost_worker_key_in_silence(self, folders):
        (folders[1] / "worker.key").unlink()
        with pytest.raises(KeyringUnsafe, match="Restore it"):
            create_keyring(*folders)
