"""What only a vault can do to us: forget, refuse, be away, be somebody else; and what is remembered of it."""

from __future__ import annotations

import builtins
import logging
from typing import Any
from uuid import uuid4

import pytest

from app.vault.envelope import SecretUnreadable
from app.vault.keepers.opened_keys import OpenedKeys
from app.vault.keepers.transit_line import TransitLine, TransitVault, VaultAway, VaultRefusesUs
from app.vault.keepers.wrapping import KeyMissing, KeyringUnsafe, KeysDisabled, KeyState
from app.vault.secret import Secret
from tests.fixtures.vault import PREFIX, Mount, make_mount

KEY = Secret(b"canary-transit-8d1f-0123456789ab")


@pytest.fixture
def acme(mount: Mount):
    tenant = uuid4()
    mount.keys().create(tenant)
    return tenant


def name_of(tenant) -> str:
    return f"{PREFIX}_{tenant}"


class TestTheVaultItself:
    def test_refuses_a_disabled_key_to_its_own_root(self, mount, acme):
        wrapped = mount.keys().wrap(acme, KEY, purpose="dek:1")
        mount.keys().disable(acme)
        import hvac

        with pytest.raises(hvac.exceptions.InvalidRequest, match="too old"):
            mount.bao.client.secrets.transit.decrypt_data(
                name_of(acme), wrapped.decode(), context="YQ==", mount_point=mount.vault.mount
            )

    def test_has_no_key_that_can_be_read_out(self, mount, acme):
        key = mount.bao.client.secrets.transit.read_key(name_of(acme), mount_point=mount.vault.mount)["data"]
        assert (key["derived"], key["exportable"], key["allow_plaintext_backup"]) == (True, False, False)

    def test_does_not_let_our_token_touch_keys_of_another_installation(self, mount, acme):
        with pytest.raises(VaultRefusesUs):
            mount.keys(prefix="slw_ffffffff").create(acme)

    def test_keeps_two_installations_apart(self, mount, acme):
        root = mount.vault.token_file.with_name("root.token")
        root.touch(0o600)
        root.write_text(mount.bao.token)
        both = TransitVault(mount.vault.url, mount.vault.mount, root)
        theirs = Mount(mount.bao, both).keys(prefix="slw_ffffffff")
        wrapped = mount.keys().wrap(acme, KEY, purpose="dek:1")
        theirs.create(acme)
        with pytest.raises(SecretUnreadable):
            theirs.unwrap(acme, wrapped, purpose="dek:1")
        assert list(mount.keys().states()) == [acme]
        theirs.destroy(acme)
        assert mount.keys().unwrap(acme, wrapped, purpose="dek:1") == KEY

    def test_shows_a_key_that_came_back_after_its_destruction(self, mount, acme):
        wrapped = mount.keys().wrap(acme, KEY, purpose="dek:1")
        mount.keys().destroy(acme)
        mount.bao.client.secrets.transit.create_key(name_of(acme), derived=True, mount_point=mount.vault.mount)
        assert mount.keys().states()[acme] is KeyState.RETURNED
        with pytest.raises(KeyMissing, match="destroyed"):
            mount.keys().unwrap(acme, wrapped, purpose="dek:1")
        mount.keys().destroy(acme)
        assert mount.keys().states()[acme] is KeyState.DESTROYED


class TestInterrupted:
    """Each call of the switch and of the destruction is lost in turn: repeated, it ends where it was to end."""

    @pytest.mark.parametrize(
        ("verb", "lost"),
        [(verb, n) for verb, calls in (("disable", 7), ("enable", 6), ("destroy", 5)) for n in range(calls)],
    )
    def test_is_finished_by_the_next_call(self, mount, acme, verb, lost, monkeypatch):
        wrapped = mount.keys().wrap(acme, KEY, purpose="dek:1")
        if verb == "enable":
            mount.keys().disable(acme)
        keys = mount.keys()
        calls = {"left": lost}
        real = TransitLine._answer

        def cut(line, call):
            calls["left"] -= 1
            if calls["left"] < 0:
                raise VaultAway("cut")
            return real(line, call)

        monkeypatch.setattr(TransitLine, "_answer", cut)
        with pytest.raises(VaultAway):
            getattr(keys, verb)(acme)
        monkeypatch.undo()
        getattr(mount.keys(), verb)(acme)
        if verb == "enable":
            assert mount.keys().unwrap(acme, wrapped, purpose="dek:1") == KEY
        else:
            with pytest.raises(KeysDisabled if verb == "disable" else KeyMissing):
                mount.keys().unwrap(acme, wrapped, purpose="dek:1")

    def test_between_wrapping_and_looking_again_gives_nothing_away(self, mount, acme, monkeypatch):
        keys, real = mount.keys(), TransitLine.write

        def and_then_switched_off(line, path, **body):
            answer = real(line, path, **body)
            if path.startswith("encrypt/"):
                mount.keys().disable(acme)
            return answer

        monkeypatch.setattr(TransitLine, "write", and_then_switched_off)
        with pytest.raises(KeysDisabled):
            keys.wrap(acme, KEY, purpose="dek:1")

    def test_by_a_destruction_while_wrapping_leaves_no_key_behind(self, mount, acme, monkeypatch):
        keys, real = mount.keys(), TransitLine.write

        def destroyed_first(line, path, **body):
            if path.startswith("encrypt/"):
                monkeypatch.undo()
                mount.keys().destroy(acme)
                root = mount.bao.client  # a token that may create would bring the key back
                root.secrets.transit.create_key(name_of(acme), derived=True, mount_point=mount.vault.mount)
            return real(line, path, **body)

        monkeypatch.setattr(TransitLine, "write", destroyed_first)
        with pytest.raises(KeyMissing, match="destroyed"):
            keys.wrap(acme, KEY, purpose="dek:1")
        assert mount.keys().states()[acme] is KeyState.DESTROYED


class TestTrouble:
    def test_says_that_the_vault_is_away(self, mount, acme):
        line = TransitLine(TransitVault("http://127.0.0.1:1", "transit", mount.vault.token_file))
        with pytest.raises(VaultAway, match="Try again"):
            line.names()

    def test_leaves_a_vault_alone_that_has_just_not_answered(self, mount, monkeypatch):
        now, calls = [0.0], list[str]()
        line = TransitLine(TransitVault("http://127.0.0.1:1", "transit", mount.vault.token_file), clock=lambda: now[0])
        real = line._client.adapter.list

        def counted(url: str) -> Any:
            calls.append(url)
            return real(url)

        monkeypatch.setattr(line._client.adapter, "list", counted)
        for moment, expected in ((0.0, 1), (2.9, 1), (3.1, 2)):
            now[0] = moment
            with pytest.raises(VaultAway):
                line.names()
            assert len(calls) == expected

    def test_says_that_the_mount_is_not_there(self, mount):
        mount.vault.token_file.write_text(mount.bao.token)
        line = TransitLine(TransitVault(mount.vault.url, "nowhere", mount.vault.token_file))
        with pytest.raises(VaultAway, match="no transit engine at nowhere"):
            line.read("keys/x")

    def test_reads_the_token_again_when_it_is_refused(self, mount, acme, tmp_path):
        keys = mount.keys()
        old = mount.vault.token_file.read_text().strip()
        mount.bao.client.auth.token.revoke(old)
        with pytest.raises(VaultRefusesUs, match=r"Renew it"):
            keys.newest(acme)
        policy = mount.vault.mount
        fresh = mount.bao.client.auth.token.create(policies=[policy])["auth"]["client_token"]
        mount.vault.token_file.write_text(fresh)
        assert keys.newest(acme) == 1

    def test_refuses_a_token_file_that_others_may_read_or_that_is_empty_or_gone(self, mount):
        mount.vault.token_file.chmod(0o644)
        with pytest.raises(KeyringUnsafe, match="chmod 640"):
            mount.keys()
        mount.vault.token_file.chmod(0o640)
        mount.vault.token_file.write_text("\n")
        with pytest.raises(VaultRefusesUs, match="empty"):
            mount.keys()
        mount.vault.token_file.unlink()
        with pytest.raises(VaultRefusesUs, match="cannot be read"):
            mount.keys()

    def test_names_the_extra_that_is_missing(self, mount, monkeypatch):
        real = builtins.__import__

        def without(name, *rest):
            if name == "hvac":
                raise ImportError(name)
            return real(name, *rest)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(KeyringUnsafe, match=r"pip install slipway\[vault\]"):
            mount.keys()

    def test_writes_neither_key_nor_token_into_a_log(self, mount, acme, caplog):
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, logger="urllib3")  # a program of ours, run before in this process, quietens it
        keys = mount.keys()
        assert keys.unwrap(acme, keys.wrap(acme, KEY, purpose="dek:1"), purpose="dek:1") == KEY
        with pytest.raises(SecretUnreadable):
            keys.unwrap(acme, keys.wrap(acme, KEY, purpose="dek:1"), purpose="dek:2")
        said = caplog.text
        assert said
        assert KEY.reveal() not in said
        assert mount.vault.token_file.read_text().strip() not in said


class TestRemembering:
    def test_asks_the_vault_once_and_forgets_at_a_word(self, mount, acme):
        wrapped = mount.keys().wrap(acme, KEY, purpose="dek:1")
        program, operator = mount.keys(), mount.keys()
        assert program.unwrap(acme, wrapped, purpose="dek:1") == KEY
        operator.disable(acme)
        assert program.unwrap(acme, wrapped, purpose="dek:1") == KEY  # no word has come yet
        program.forget()
        with pytest.raises(KeysDisabled):
            program.unwrap(acme, wrapped, purpose="dek:1")
        operator.enable(acme)
        with pytest.raises(KeysDisabled):
            program.unwrap(acme, wrapped, purpose="dek:1")
        program.forget()
        assert program.unwrap(acme, wrapped, purpose="dek:1") == KEY

    def test_forgets_by_itself_in_time(self, mount, acme):
        wrapped, now = mount.keys().wrap(acme, KEY, purpose="dek:1"), [0.0]
        program = mount.keys(opened=OpenedKeys(clock=lambda: now[0]))
        assert program.unwrap(acme, wrapped, purpose="dek:1") == KEY
        mount.keys().destroy(acme)
        now[0] = 299.0
        assert program.unwrap(acme, wrapped, purpose="dek:1") == KEY
        now[0] = 301.0
        with pytest.raises(KeyMissing):
            program.unwrap(acme, wrapped, purpose="dek:1")

    def test_is_of_one_tenant_and_purpose(self, mount, acme):
        keys = mount.keys()
        wrapped = keys.wrap(acme, KEY, purpose="dek:1")
        assert keys.unwrap(acme, wrapped, purpose="dek:1") == KEY
        other = uuid4()
        keys.create(other)
        for tenant, purpose in ((other, "dek:1"), (acme, "dek:2")):
            with pytest.raises(SecretUnreadable):
                keys.unwrap(tenant, wrapped, purpose=purpose)


def test_two_mounts_share_nothing(bao, tmp_path):
    one, other = make_mount(bao, tmp_path), make_mount(bao, tmp_path)
    tenant = uuid4()
    one.keys().create(tenant)
    assert other.keys().states() == {}
