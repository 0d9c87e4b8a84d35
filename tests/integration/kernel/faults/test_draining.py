"""A drained cell: every dispatcher stops handing out at once and stays so; what is running ends; then it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.bootstrap.commands.engine.dispatcher import run_dispatching
from app.bootstrap.health import Readiness
from app.cli import main
from app.demo.checks.finding import Patient
from app.demo.checks.servers import dispatching
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.broker import QUEUES
from app.kernel.queue.dispatcher import look_at
from app.kernel.queue.jobs import JobRun
from app.kernel.queue.loop import Dispatcher
from app.kernel.queue.sequencing import arm_sequencers
from app.kernel.queue.standing import hand_out_again, read_standing, stop_handing_out
from app.kernel.queue.wake import Doorbell
from app.kernel.work import JOBS
from app.settings import Settings
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, Installation, make_databases
from tests.integration.kernel.faults.in_memory import InMemoryBroker
from tests.integration.kernel.work_to_do import GuestArrived, add_guest, arrive, body

Guests = Callable[[Tenant], list[str]]
HEAR = {GuestArrived.type: ["tests.hear"]}


@pytest.fixture
def environment(installation: Installation, tmp_path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What an operator's shell has."""
    own = {
        "SLIPWAY_CONTROL_URL": installation.urls.control_url,
        "SLIPWAY_CELL_URL": installation.urls.cell_url,
        "SLIPWAY_REDIS_URL": cluster.cluster().servers.redis_url,
        "SLIPWAY_KEYRING": str(tmp_path / "keys"),
    }
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    return own


def wait_for(condition: Callable[[], bool]) -> None:
    """Until it holds, or for ten seconds."""
    pause = threading.Event()
    for _look in range(1_000):
        if condition():
            return
        pause.wait(0.01)


class TestADrainedCell:
    def test_hands_nothing_out_while_what_runs_ends_and_goes_on_when_resumed(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        def act(run: JobRun) -> Outcome:
            stop_handing_out(installation.databases, CELL, reason="upgrade")
            assert read_standing(installation.databases, CELL).left == 1
            with run.finish() as work:
                add_guest(work, "was running")
            return Done()

        body["act"] = act
        with installation.work(acme) as work:
            work.enqueue("tests.act")
        (item,) = installation.take()
        with installation.work(acme) as work:
            arrive(work, "later")
        installation.run_one(item)
        installation.run_due(HEAR)  # the event becomes a job all the same
        assert sorted(guests(acme)) == ["later", "was running"]
        standing = read_standing(installation.databases, CELL)
        assert (standing.drained, standing.reason, standing.left, standing.waiting) == (True, "upgrade", 0, 1)
        arm_sequencers(installation.databases, CELL)
        assert look_at(installation.databases, CELL).nothing_due  # its dispatchers do not go round in circles
        hand_out_again(installation.databases, CELL)
        installation.run_due(HEAR)
        assert sorted(guests(acme)) == ["heard later", "later", "was running"]

    def test_is_drained_for_two_dispatchers_that_are_in_the_middle_of_it(
        self, installation: Installation, acme: Tenant
    ):
        with installation.work(acme) as work:
            for number in range(400):
                work.enqueue("tests.greet", args={"name": f"{number}"})
        url, going = cluster.cluster().servers.redis_url, threading.Event()
        doorbells = [Doorbell(url, JOBS) for _ in range(2)]
        pools = [make_databases(installation.urls, installation.key) for _ in range(2)]
        pairs = zip(pools, doorbells, strict=True)
        broker = InMemoryBroker()
        for queue in QUEUES:
            broker.declare_queue(queue)
        both = [Dispatcher(databases, broker, {}, bell, window=0) for databases, bell in pairs]

        def turn_on(dispatcher: Dispatcher) -> None:
            while not going.is_set():
                dispatcher.window = read_standing(dispatcher.databases, CELL).left + 1
                dispatcher.turn(CELL)

        threads = [threading.Thread(target=turn_on, args=[each]) for each in both]
        for thread in threads:
            thread.start()
        try:
            wait_for(lambda: read_standing(installation.databases, CELL).left > 9)
            stop_handing_out(installation.databases, CELL, reason="")
            left = read_standing(installation.databases, CELL).left
            for _turn in range(3):
                both[0].turn(CELL)
            standing = read_standing(installation.databases, CELL)
        finally:
            going.set()
            for thread in threads:
                thread.join()
            for bell, databases in zip(doorbells, pools, strict=True):
                bell.close()
                databases.close()
        assert standing.left == left
        assert standing.waiting == 400 - left > 0

    def test_stays_drained_with_the_first_reason_and_time(self, installation: Installation):
        stop_handing_out(installation.databases, CELL, reason="first")
        first = read_standing(installation.databases, CELL)
        stop_handing_out(installation.databases, CELL, reason="second")
        assert read_standing(installation.databases, CELL) == first


class TestTheCommand:
    def test_drains_says_what_is_left_and_resumes(
        self,
        installation: Installation,
        acme: Tenant,
        environment: dict[str, str],
        tmp_path,
        capsys: pytest.CaptureFixture[str],
    ):
        with installation.work(acme) as work:
            for name in ("Bo", "Di"):
                work.enqueue("tests.greet", args={"name": name})
        (item,) = installation.take(window=1)
        assert main(["dispatcher", "drain", "--reason", "new disks", "--wait", "0.3"]) == 1
        line = capsys.readouterr().out.splitlines()[1]
        assert line.split()[:4] == ["main", "drained", "1", "1"]
        assert line.endswith("new disks")
        ready, parts = Readiness(installation.databases, environment["SLIPWAY_REDIS_URL"]).look()
        assert (ready, parts["dispatcher main"]) == (True, "drained, 1 jobs left. new disks")
        found = dispatching(Patient(tmp_path, environment))
        assert (found.ok, found.required, found.mend) == (False, False, "slipway dispatcher resume")
        assert "new disks" in found.found
        installation.run_one(item)
        assert run_dispatching(["drain", "--wait", "5"], Settings.from_environment()) == 0
        assert main(["dispatcher", "resume"]) == 0
        assert main(["dispatcher", "status"]) == 0
        assert "handed out" in capsys.readouterr().out
        assert dispatching(Patient(tmp_path, environment)).ok
        assert len(installation.take()) == 1
