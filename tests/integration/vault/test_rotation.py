"""Keys change while work goes on: nothing is lost or unreadable at any moment, wherever the rotation is killed."""

from __future__ import annotations

import random
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from app.kernel.queue import jobs as queue_jobs
from app.kernel.queue.dispatcher import release_worker
from app.kernel.queue.fair import handing
from app.kernel.work import open_work
from app.vault import jobs
from app.vault.keepers.local_keys import LocalKeys
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import Keyring
from app.vault.operations import put_connection_secret
from app.vault.queries import keys_in_use
from app.vault.secret import Secret
from tests.cluster import cluster
from tests.factories.installation import CELL
from tests.factories.main_job import MainJob
from tests.fixtures.vault import Mount
from tests.integration.connectors.test_killed_workers import Line
from tests.integration.vault.conftest import Place, make_place, with_keyring

BEFORE = [("connection", 1), ("door", 1), ("keys", 1)]
AFTER = [("connection", 2), ("door", 2), ("keys", 2)]


class Killed(BaseException):
    """The process is gone: no handler runs."""


class TestRotation:
    def test_of_the_tenants_keys_moves_every_secret(self, place: Place):
        assert place.versions() == BEFORE
        place.rotate(wrapping=False)
        place.shop.finish()
        assert place.versions() == AFTER
        assert place.opened() == place.values
        assert place.trail() == ["rotation_asked tenant", "rotation_finished tenant"]

    def test_of_the_wrapping_key_destroys_the_older_one(self, place: Place):
        with place.shop.installation.work(place.tenant) as work:
            before = keys_in_use(work).newest
        place.rotate(keys=False)
        place.shop.run()
        assert place.opened() == place.values
        assert "rotation_finished wrapping" not in place.trail()  # a run may still hold keys from before
        place.shop.finish()
        assert place.opened() == place.values
        assert place.versions() == BEFORE
        assert place.trail() == ["rotation_asked wrapping", "rotation_finished wrapping"]
        with pytest.raises(KeyMissing, match="older than the last rotation"):
            place.keyring.wrapping.unwrap(place.tenant.id, before.wrapped_dek, purpose="dek:1")

    def test_of_both_asked_twice_is_done_once(self, place: Place):
        place.rotate()
        place.rotate()
        place.shop.finish()
        assert place.versions() == AFTER
        assert place.keyring.wrapping.newest(place.tenant.id) == 2
        assert place.opened() == place.values

    def test_again_and_again_leaves_one_version(self, place: Place):
        for version in (2, 3, 4):
            place.rotate()
            place.shop.finish()
            assert place.versions() == [("connection", version), ("door", version), ("keys", version)]
        assert place.opened() == place.values

    def test_keeps_who_set_a_secret_and_when(self, place: Place):
        query = "SELECT id, set_by, set_at, field, purpose FROM {}.secret WHERE kind <> 'keys' ORDER BY id"
        before = place.shop.installation.rows(place.tenant, query)
        place.rotate()
        place.shop.finish()
        assert place.shop.installation.rows(place.tenant, query) == before

    def test_stops_for_a_person_at_what_cannot_be_opened(self, place: Place):
        spoil = "UPDATE {}.secret SET sealed = set_byte(sealed, 40, 255 - get_byte(sealed, 40)) WHERE field = 'field-0'"
        place.shop.installation.rows(place.tenant, spoil)
        place.rotate(wrapping=False)
        place.shop.finish()
        assert place.trail()[-1] == "rotation_stopped tenant"
        assert place.versions() == [("connection", 1), *AFTER[:2], ("keys", 1), ("keys", 2)]
        place.put({"field-0": "entered again"})
        assert place.opened() == place.values | {"field-0": "entered again"}
        place.rotate(wrapping=False)
        place.shop.finish()
        assert place.versions() == [("connection", 3), ("door", 3), ("keys", 3)]

    def test_waits_while_the_keys_are_disabled(self, place: Place):
        place.rotate()
        place.keyring.wrapping.disable(place.tenant.id)
        place.shop.run()
        assert place.versions() == BEFORE
        place.keyring.wrapping.enable(place.tenant.id)
        place.shop.finish()
        assert place.versions() == AFTER
        assert place.opened() == place.values

    def test_in_a_vault_is_the_same(self, shop: MainJob, mount: Mount, monkeypatch: pytest.MonkeyPatch):
        runtime = with_keyring(shop, replace(shop.runtime.service(Keyring), wrapping=mount.keys()))
        monkeypatch.setattr(shop.installation, "runtime", runtime)
        place = make_place(shop, runtime)
        place.rotate()
        shop.run()
        assert place.opened() == place.values
        shop.finish()
        assert place.versions() == AFTER
        assert place.opened() == place.values
        key = mount.bao.client.secrets.transit.read_key(
            f"slw_0a1b2c3d_{place.tenant.id}", mount_point=mount.vault.mount
        )["data"]
        assert list(key["keys"]) == ["2"]


class TestKilled:
    """At each commit of the job in turn, just before and just after it; and around what the keeper does."""

    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize(("which", "points"), [("wrapping", 8), ("keys", 12)])
    def test_somewhere_goes_on_and_loses_nothing(
        self, shop: MainJob, monkeypatch: pytest.MonkeyPatch, which: str, points: int, moment: str
    ):
        monkeypatch.setattr(jobs, "BATCH", 2)
        for point in sorted(random.sample(range(points), 2)):
            print(f"{which}: killed {moment} point {point}")  # noqa: T201 - shown where it fails
            assert _killed_at(make_place(shop), which, moment, point, monkeypatch)

    @pytest.mark.soak
    @pytest.mark.parametrize("moment", ["before", "after"])
    @pytest.mark.parametrize(("which", "points"), [("wrapping", 8), ("keys", 12)])
    def test_anywhere_goes_on_and_loses_nothing(
        self, shop: MainJob, monkeypatch: pytest.MonkeyPatch, which: str, points: int, moment: str
    ):
        monkeypatch.setattr(jobs, "BATCH", 2)
        killed = [_killed_at(make_place(shop), which, moment, point, monkeypatch) for point in range(points + 1)]
        assert killed == [*[True] * points, False]

    def test_as_a_real_process_goes_on_in_the_next(self, shop: MainJob, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(handing, "_DISPATCH_LEASE", 1)  # seconds instead of ten, so that the test need not wait
        place, line = make_place(shop, secrets=120), Line(shop, cluster().fresh_redis_url())
        table, columns = (
            f"{place.tenant.schema}.secret",
            "id, kind, purpose, field, key_version, sealed, set_by, set_at",
        )
        moved = columns.replace("id,", "gen_random_uuid(),", 1).replace("key_version", "2")
        # Somebody who has not committed has taken the last row's new place: it waits when its turn comes.
        place_taken = f"INSERT INTO {table} ({columns}) SELECT {moved} FROM {table} WHERE kind = 'connection'"  # noqa: S608 - our own schema
        place_taken += " ORDER BY id DESC LIMIT 1"
        with psycopg.connect(shop.installation.urls.cell_url) as holder, line.worker() as worker:
            holder.execute(place_taken.encode())
            place.rotate(wrapping=False)
            line.wait(lambda: shop.installation.cell("SELECT 1 FROM pg_locks WHERE NOT granted"))
            _kill(worker)
            assert place.versions()[:2] == [("connection", 1), ("connection", 2)]
            assert place.opened() == place.values
            holder.rollback()
        with line.worker():
            line.wait(lambda: place.versions() == AFTER)
            line.wait(lambda: place.trail()[-1] == "rotation_finished tenant")
        line.broker.close()
        assert place.opened() == place.values


class TestInFlight:
    def test_who_sets_several_at_once_is_neither_waited_for_nor_lost(self, place: Place):
        """Two rows held in the other order than the rotation goes: with waiting, one of the two would be thrown out."""
        first, *_middle, last = sorted(set(place.values) - {"door"})
        with (
            place.elsewhere() as writer,
            open_work(writer.runtime, place.tenant, place.shop.lead, trace_id="x") as work,
        ):
            for field in (last, first):
                put_connection_secret(work, connection_id=place.connection, field=field, value=Secret("set meanwhile"))
                work.session.flush()
                place.rotate(wrapping=False)
                _run_jobs(place, rounds=1)
        place.shop.finish()
        assert place.opened() == place.values | dict.fromkeys((first, last), "set meanwhile")
        assert len({version for _kind, version in place.versions()}) == 1
        assert "rotation_stopped tenant" not in place.trail()

    def test_writers_and_readers_notice_nothing(self, place: Place):
        """Two programs set secrets again and again, one opens all of them, while every key changes twice."""
        done, troubles = threading.Event(), list[BaseException]()
        fields = sorted(set(place.values) - {"door"})
        said: dict[str, set[str]] = {field: {place.values[field]} for field in fields}
        turns = {"write": 0, "read": 0}

        def write(program: Place, field: str) -> None:
            turns["write"] += 1
            value = f"{field}-{turns['write']}"
            said[field].add(value)
            program.put({field: value})

        def read(program: Place) -> None:
            turns["read"] += 1
            found = program.opened()
            assert set(found) == {*fields, "door"}
            assert all(found[field] in said[field] for field in fields)

        with place.elsewhere() as writer, place.elsewhere() as other, place.elsewhere() as reader:
            work = (lambda: write(writer, fields[0]), lambda: write(other, fields[0]), lambda: read(reader))
            threads = [threading.Thread(target=_until(done, one, troubles)) for one in work]
            for thread in threads:
                thread.start()
            try:
                for _turn in range(2):
                    place.rotate()
                    _run_jobs(place)
            finally:
                done.set()
                for thread in threads:
                    thread.join(30)
        place.shop.finish()
        assert troubles == []
        assert min(turns.values()) > 1
        assert place.versions() == [("connection", 3), ("door", 3), ("keys", 3)]
        found = place.opened()
        assert all(found[field] in said[field] for field in fields)


class Gun:
    """Kills the job at its n-th commit or call of the keeper."""

    def __init__(self, number: int, moment: str) -> None:
        self.number, self.moment = number, moment

    def pull(self, moment: str) -> None:
        """Die, if it is time."""
        if moment == self.moment:
            self.number -= 1
            if self.number == -1:
                raise Killed

    def load(self, patch: pytest.MonkeyPatch, keeper: Any) -> None:
        """Stand at every commit of a job, and at each change that the keeper makes."""
        real, gun = open_work, self

        @contextmanager
        def watched_work(*given: Any, **more: Any) -> Iterator[Any]:
            with real(*given, **more) as work:
                yield work
                gun.pull("before")
            gun.pull("after")

        def watched(verb: str) -> Callable[..., Any]:
            change = getattr(LocalKeys, verb)

            def call(*given: Any, **more: Any) -> Any:
                gun.pull("before")
                answer = change(*given, **more)
                gun.pull("after")
                return answer

            return call

        assert isinstance(keeper, LocalKeys)
        patch.setattr(queue_jobs, "open_work", watched_work)
        for verb in ("rotate", "retire", "rewrap", "wrap"):
            patch.setattr(LocalKeys, verb, watched(verb))


def _killed_at(place: Place, which: str, moment: str, point: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Kill the rotation there, look, let it go on, and look again. False when it has no such point."""
    place.shop.finish()  # whatever a new workspace has to do is done: only the rotation's own commits are counted
    place.rotate(wrapping=which == "wrapping", keys=which == "keys")
    with monkeypatch.context() as patch:
        Gun(point, moment).load(patch, place.keyring.wrapping)
        killed = _run_until_killed(place)
    assert place.opened() == place.values
    place.shop.finish()
    assert place.opened() == place.values
    assert place.trail()[-1] == f"rotation_finished {'tenant' if which == 'keys' else 'wrapping'}"
    assert place.versions() == (AFTER if which == "keys" else BEFORE)
    return killed


def _run_until_killed(place: Place) -> bool:
    """Run the tenant's jobs to their end, or until the gun goes off: then its leases are freed, as a restart does."""
    try:
        place.shop.finish()
    except Killed:
        release_worker(place.shop.installation.databases, CELL, "worker-1")
        return True
    return False


def _run_jobs(place: Place, *, rounds: int = 200) -> None:
    """Run the tenant's rotations and nothing else, while events go on and on; every later try at once.

    Only the end of older wrapping keys keeps its time: whoever reads in between relies on it.
    """
    own = "kind IN ('vault.rotate_wrapping_key', 'vault.rotate_tenant_keys') AND finished_at IS NULL AND tenant_id = %s"
    hurry = f"UPDATE cell.job SET run_at = now() WHERE state = 'ready' AND {own}"  # noqa: S608 - constants
    for _round in range(rounds):
        place.shop.installation.cell(hurry, place.tenant.id)
        for item in place.shop.installation.take():
            place.shop.installation.run_one(item)
        if not place.shop.installation.cell(f"SELECT 1 FROM cell.job WHERE {own}", place.tenant.id):  # noqa: S608 - constants
            return


def _kill(worker: subprocess.Popen[bytes]) -> None:
    worker.kill()
    worker.wait(10)


def _until(done: threading.Event, function: Callable[[], None], troubles: list[BaseException]) -> Callable[[], None]:
    def run() -> None:
        try:
            while not done.is_set():
                function()
        except BaseException as trouble:  # noqa: BLE001 - whatever it is, the test fails with it
            troubles.append(trouble)

    return run
