"""The kill switch where it counts: a run, a deal, a door, another program; and the commands that an operator has."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from app.bootstrap import wiring
from app.bootstrap.commands import keys as keys_command
from app.bootstrap.commands.keys import NoSuchTenant, NotConfirmed, run_keys
from app.connectors.operations import RunRequest, request_run
from app.demo.checks.finding import Patient
from app.demo.checks.keys import keys as check_keys
from app.kernel.queue.wake import Doorbell, ValkeyWake
from app.vault.keepers.local_keys import LocalKeys
from app.vault.keepers.transit_line import VaultAway
from app.vault.keepers.wrapping import KeysDisabled, KeyState
from app.vault.keyring import Keyring
from app.vault.operations import open_door_secrets
from app.vault.operations.switch import KEYS_TOPIC, disable_keys, enable_keys
from app.vault.rules import Program
from app.vault.secret import Secret
from tests.cluster import fresh_redis_url
from tests.factories.main_job import MainJob
from tests.fixtures.vault import Mount
from tests.integration.vault.conftest import DOOR, Place, make_place, with_keyring

Command = Callable[..., str]


def switch(place: Place, turn: Callable[..., None]) -> None:
    with place.shop.installation.work(place.tenant) as work:
        turn(work, place.keyring, reason="a laptop was lost")


class TestDisabled:
    def test_ends_a_run_for_a_person_before_anything_is_sent(self, place: Place):
        calls = len(place.shop.product.requests)
        switch(place, disable_keys)
        run = self._run(place)
        assert (run.state, len(place.shop.product.requests)) == ("failed", calls)
        assert "disabled" in self._reason(place, run.id)
        [attempt] = run.attempts
        assert (attempt["code"], attempt["certain"]) == ("secrets_closed", True)
        switch(place, enable_keys)
        assert "disabled" not in self._reason(place, self._run(place).id)
        assert place.opened() == place.values

    def test_lets_a_run_wait_for_a_vault_that_is_away(self, place: Place, monkeypatch: pytest.MonkeyPatch):
        class Away(LocalKeys):
            def unwrap(self, *_given: Any, **_more: Any) -> Secret:
                raise VaultAway("The key vault cannot be used right now.")

        keyring = replace(place.keyring, wrapping=Away(place.shop.folder / "keys"))
        with monkeypatch.context() as patch:
            patch.setattr(place.shop.installation, "runtime", with_keyring(place.shop, keyring))
            run = self._run(place, finish=False)
        assert run.state == "running"
        assert run.attempts[0]["certain"]
        place.shop.finish()
        assert self._reason(place, run.id) != "The key vault cannot be used right now."

    def test_closes_the_door_and_no_new_secret_is_lost(self, place: Place):
        switch(place, disable_keys)
        with pytest.raises(KeysDisabled) as refusal, place.shop.installation.work(place.tenant) as work:
            open_door_secrets(work, replace(place.keyring, program=Program.WEB), purpose=DOOR)
        assert refusal.value.status == 503
        place.put({"field-0": "set meanwhile"})  # sealed to the public key, which opens nothing
        switch(place, enable_keys)
        assert place.opened()["field-0"] == "set meanwhile"
        assert place.trail() == ["disabled", "enabled"]

    def test_holds_a_deal_with_the_reason(self, shop: MainJob):
        keyring = shop.runtime.service(Keyring)
        keyring.wrapping.disable(shop.home.id)
        try:
            deal = shop.sell(company="Held")
            shop.tell(deal)
            shop.finish()
            [held] = shop.exceptions(shop.deal(deal).id)
            assert "disabled" in str(held)
        finally:
            keyring.wrapping.enable(shop.home.id)

    def test_is_heard_by_other_programs(self, shop: MainJob, mount: Mount, monkeypatch: pytest.MonkeyPatch):
        url, theirs, heard = fresh_redis_url(), mount.keys(), threading.Event()
        runtime = with_keyring(shop, replace(shop.runtime.service(Keyring), wrapping=mount.keys()))
        runtime = replace(runtime, wake=ValkeyWake(url))
        monkeypatch.setattr(shop.installation, "runtime", runtime)
        place = make_place(shop, runtime)
        other = replace(place, runtime=with_keyring(shop, replace(place.keyring, wrapping=theirs)))

        def forget() -> None:
            theirs.forget()
            heard.set()

        bell = Doorbell(url, KEYS_TOPIC, heard=forget)
        try:
            assert heard.wait(10)  # the line is up
            assert other.opened() == place.values
            heard.clear()
            switch(place, disable_keys)
            assert heard.wait(10)
            with pytest.raises(KeysDisabled):
                other.opened()
        finally:
            bell.close()
            runtime.wake.close()  # type: ignore[attr-defined]  # the real line has a connection to give back

    def _run(self, place: Place, *, finish: bool = True) -> Any:
        wanted = {"external_id": str(uuid4()), "name": "Contoso", "plan": "team"}
        with place.shop.installation.work(place.tenant) as work:
            asked = RunRequest(uuid4(), "task.x", "product_admin", "create_workspace", wanted, 1)
            run_id = request_run(work, asked)
        place.shop.finish() if finish else place.shop.run()
        return place.shop.installation.rows(place.tenant, "SELECT * FROM {}.run WHERE id = %s", run_id)[0]

    def _reason(self, place: Place, run_id: Any) -> str:
        ended = "SELECT reason FROM {}.trail WHERE action = 'connectors.run.ended' AND subject_id = %s"
        [entry] = place.shop.installation.rows(place.tenant, ended, run_id)
        return str(entry.reason)


@pytest.fixture
def slipway(shop: MainJob, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """`slipway keys …` over the partner's installation, in this process."""
    monkeypatch.setattr(wiring, "configure_logging", lambda _format: None)
    environment = shop.environment(fresh_redis_url())
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*words: object, ends: int = 0) -> str:
        capsys.readouterr()
        assert run_keys([str(word) for word in words]) == ends
        return capsys.readouterr().out

    return run


class TestCommand:
    def test_rotates_one_and_says_how_far_it_is(self, place: Place, slipway: Command):
        assert "6 secrets by v1 (wrapped by 1)" in slipway("status", "--tenant", place.tenant.id)
        assert slipway("rotate", "--tenant", place.tenant.id).startswith("1 asked, 0 refused")
        said = slipway("status")
        assert f"{place.tenant.id}  {place.tenant.name}: key active" in said
        assert "rotate wrapping key ready" in said
        assert "rotate tenant keys ready" in said
        place.shop.finish()
        assert "6 secrets by v2 (wrapped by 2)" in slipway("status", "--tenant", place.tenant.id)
        assert str(place.tenant.id) not in slipway("status")
        assert place.opened() == place.values

    def test_rotates_all_though_one_is_refused(self, shop: MainJob, place: Place, slipway: Command, monkeypatch):
        monkeypatch.setattr(keys_command, "_PROGRESS", 1)
        off = make_place(shop)
        slipway("disable", "--tenant", off.tenant.id, "--reason", "lost laptop")
        said = slipway("rotate", "--all", "--kek", ends=1)
        assert f"{off.tenant.id}  {off.tenant.name}: The keys of this workspace are disabled" in said
        assert "1 asked\n" in said
        assert ", 0 refused" not in said
        assert "disabled" in slipway("status")
        shop.finish()
        slipway("enable", "--tenant", off.tenant.id, "--reason", "found")
        assert place.keyring.wrapping.newest(place.tenant.id) == 2
        assert place.versions() == [("connection", 1), ("door", 1), ("keys", 1)]
        assert off.opened() == off.values

    def test_destroys_only_what_is_named_twice(self, place: Place, slipway: Command):
        words = ("destroy", "--tenant", place.tenant.id, "--reason", "left")
        with pytest.raises(NotConfirmed):
            slipway(*words)
        assert place.opened() == place.values
        assert "destroyed; unreadable in every backup from" in slipway(*words, "--confirm", place.tenant.id)
        assert place.trail() == ["destroyed"]
        stranger = uuid4()
        place.keyring.wrapping.create(stranger)
        left_over = ("destroy", "--tenant", stranger, "--reason", "left over", "--confirm", stranger)
        assert "no workspace has this id" in slipway(*left_over)
        assert place.keyring.wrapping.states()[stranger] is KeyState.DESTROYED
        place.shop.installation.set_state(place.tenant, "dropped")
        assert "no workspace has this id" in slipway(*words, "--confirm", place.tenant.id)
        with pytest.raises(NoSuchTenant):
            slipway("disable", "--tenant", uuid4(), "--reason", "x")

    def test_runs_with_a_vault_as_the_settings_name_it(
        self, shop: MainJob, mount: Mount, slipway: Command, monkeypatch: pytest.MonkeyPatch
    ):
        for name, value in mount.settings().items():
            monkeypatch.setenv(name, value)
        mount.vault.token_file.write_text(mount.bao.token)  # this installation has a prefix of its own
        prefix = shop.installation.key.prefix
        vault = mount.keys(prefix=prefix)
        runtime = with_keyring(shop, replace(shop.runtime.service(Keyring), wrapping=vault))
        with monkeypatch.context() as patch:
            patch.setattr(shop.installation, "runtime", runtime)
            place = make_place(shop, runtime)
            assert "key active; 6 secrets by v1 (wrapped by 1)" in slipway("status", "--tenant", place.tenant.id)
            slipway("disable", "--tenant", place.tenant.id, "--reason", "lost laptop")
            vault.forget()  # as the wake-up line has it do
            with pytest.raises(KeysDisabled):
                place.opened()
            slipway("destroy", "--tenant", place.tenant.id, "--reason", "left", "--confirm", place.tenant.id)
            assert mount.keys(prefix=prefix).states() == {place.tenant.id: KeyState.DESTROYED}


class TestDoctor:
    def test_finds_what_does_not_belong_together(self, shop: MainJob, tmp_path):
        keys, made = shop.runtime.service(Keyring).wrapping, [make_place(shop) for _ in range(3)]
        here = [tenant for tenant, state in keys.states().items() if state is not KeyState.DESTROYED]
        shop.installation.control("UPDATE control.tenant SET state = 'dropped' WHERE NOT id = ANY(%s)", here)
        patient = Patient(tmp_path, shop.environment(fresh_redis_url()))
        path = shop.folder / "keys" / f"{made[0].tenant.id}.key"
        content, stranger = path.read_bytes(), uuid4()
        assert check_keys(patient).ok
        keys.create(stranger)
        keys.destroy(made[0].tenant.id)
        path.write_bytes(content)
        path.chmod(0o600)
        path.with_name(f"{made[1].tenant.id}.key").rename(tmp_path / "away")
        shop.installation.set_state(made[2].tenant, "shredded")
        found = check_keys(patient)
        assert not found.ok
        for id_ in (stranger, made[0].tenant.id, made[1].tenant.id, made[2].tenant.id):
            assert str(id_) in found.found
        assert "2 wrapping keys without a tenant" in found.found
        (tmp_path / "away").rename(path.with_name(f"{made[1].tenant.id}.key"))
        for id_ in (stranger, made[2].tenant.id):
            keys.destroy(id_)

    def test_says_that_it_cannot_look(self, shop: MainJob, tmp_path):
        environment = shop.environment(fresh_redis_url())
        assert check_keys(Patient(tmp_path, {})).ok
        for name, value, said in (
            ("SLIPWAY_CONTROL_URL", "postgresql://a:b@127.0.0.1:1/c", "does not answer"),
            ("SLIPWAY_KEYRING", str(tmp_path / "nowhere"), "is not there"),
            ("SLIPWAY_TRANSIT_URL", "http://vault.example.com", "must be https"),
        ):
            found = check_keys(Patient(tmp_path, {**environment, name: value}))
            assert (found.ok, found.required) == (False, False)
            assert said in found.found

    def test_looks_into_a_vault(self, shop: MainJob, mount: Mount, tmp_path):
        environment = shop.environment(fresh_redis_url()) | mount.settings()
        mount.vault.token_file.write_text(mount.bao.token)  # this installation has a prefix of its own
        found = check_keys(Patient(tmp_path, environment))
        assert not found.ok
        assert "tenants without a wrapping key" in found.found
