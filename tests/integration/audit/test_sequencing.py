"""The sequencer: every entry gets one place, once, in an order that stays; whoever is killed or comes second."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.audit.note import is_signed, read_key, read_note
from app.audit.operations import sequence as sequencing
from app.audit.operations.sequence import sequence_trail
from app.audit.tree import Frontier
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.queue.dispatcher import look_at
from app.kernel.queue.sequencing import KIND, arm_sequencers
from app.vault.keepers.wrapping import KeysDisabled
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, make_databases, make_runtime
from tests.factories.trails import HOST, Noted, Trails


@pytest.fixture(scope="module")
def trails(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Trails:
    return Trails(shared_installation, tmp_path_factory.mktemp("keyring"))


@pytest.fixture
def tenant(trails: Trails) -> Iterator[Tenant]:
    yield trails.tenant()
    trails.installation.cell("DELETE FROM cell.trail_mark; DELETE FROM cell.job; DELETE FROM cell.outbox")


def proven(trails: Trails, tenant: Tenant) -> int:
    """The leaves are exactly the entries, the head is their root, and its note is signed. Gives their number."""
    leaves, tree = trails.leaves(tenant), Frontier()
    entries = {row.id: row.leaf_hash for row in trails.installation.rows(tenant, "SELECT id, leaf_hash FROM {}.trail")}
    assert [leaf.place for leaf in leaves] == list(range(len(leaves)))
    assert {leaf.entry_id: leaf.leaf_hash.hex() for leaf in leaves} == entries
    for leaf in leaves:
        assert leaf.nodes == tree.append(leaf.leaf_hash)
        assert leaf.note is None or read_note(leaf.note).root == tree.root
    head = trails.head(tenant)
    assert (head.size, head.root) == (len(leaves), tree.root.hex())
    checkpoint = read_note(head.note)
    assert (checkpoint.size, checkpoint.root) == (head.size, tree.root)
    return len(leaves)


class TestSequencing:
    def test_gives_every_entry_a_place_and_signs_the_root(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 5)
        trails.settle(tenant)
        trails.note(tenant, 3, each=True)
        trails.settle(tenant)
        assert proven(trails, tenant) == 5 + 3 + 1  # and the entry that says that the trail's key was made
        assert not trails.installation.cell("SELECT 1 FROM cell.trail_mark WHERE tenant_id = %s", tenant.id)

    def test_signs_under_the_tenant_s_own_key(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 1)
        trails.settle(tenant)
        made = trails.installation.rows(tenant, "SELECT body FROM {}.trail WHERE action = 'vault.secret.set'")
        key = read_key(made[0].body["field"])
        assert key.name == f"{HOST}/trail/{tenant.id}"
        assert is_signed(trails.head(tenant).note, key)
        assert len(trails.installation.rows(tenant, "SELECT 1 FROM {}.secret WHERE purpose = 'trail_signing'")) == 1

    def test_of_an_empty_trail_does_nothing(self, trails: Trails, tenant: Tenant):
        assert trails.sequence(tenant).added == 0
        head = trails.head(tenant)
        assert (head.size, head.root, head.note) == (0, Frontier().root.hex(), None)

    @pytest.mark.parametrize("count", [1, 7, 8, 9])
    def test_stands_at_every_edge(self, trails: Trails, tenant: Tenant, count: int):
        for _entry in range(count):
            trails.note(tenant, 1)
            trails.sequence(tenant)
        trails.settle(tenant)
        assert proven(trails, tenant) == count + 1

    def test_keeps_the_order_it_gave(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 4)
        trails.settle(tenant)
        before = [(leaf.place, leaf.entry_id) for leaf in trails.leaves(tenant)]
        trails.note(tenant, 4)
        trails.settle(tenant)
        assert [(leaf.place, leaf.entry_id) for leaf in trails.leaves(tenant)][: len(before)] == before

    def test_goes_on_where_a_run_was_full(self, trails: Trails, tenant: Tenant, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sequencing, "MOST", 3)
        trails.note(tenant, 10)
        assert trails.sequence(tenant).added == 3
        trails.settle(tenant)
        assert proven(trails, tenant) == 11

    def test_takes_in_an_entry_that_was_committed_late(self, trails: Trails, tenant: Tenant):
        """Its id is older than those that have their places already: nobody looks for `id > last`."""
        with trails.work(tenant) as late:
            late.record(Noted(subject_id=new_id(), number=0))
            trails.note(tenant, 3)
            trails.settle(tenant)
        trails.settle(tenant)
        assert proven(trails, tenant) == 5

    def test_brings_in_a_trail_that_was_there_before_there_were_leaves(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 6)
        trails.installation.cell("DELETE FROM cell.trail_mark WHERE tenant_id = %s", tenant.id)
        trails.installation.cell(  # as the migration says it
            "INSERT INTO cell.trail_mark (tenant_id, id, entries, made_at) VALUES (%s, %s, '[]', now())",
            *(tenant.id, tenant.id),
        )
        trails.settle(tenant)
        assert proven(trails, tenant) == 7


class TestTwoAtOnce:
    def test_share_the_work_without_giving_a_place_twice(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 20, each=True)

        def run(_number: int) -> None:
            for _round in range(6):
                trails.note(tenant, 2)
                trails.sequence(tenant)

        with ThreadPoolExecutor(3) as threads:
            list(threads.map(run, range(3)))
        trails.settle(tenant)
        assert proven(trails, tenant) == 20 + 36 + 1

    def test_one_that_is_killed_in_the_middle_has_done_nothing(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 5)
        child = os.fork()
        if child == 0:
            _die_sequencing(trails, tenant)
        _pid, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL
        assert trails.leaves(tenant) == []
        assert trails.installation.cell("SELECT 1 FROM cell.trail_mark WHERE tenant_id = %s", tenant.id)
        trails.settle(tenant)
        assert proven(trails, tenant) == 6


class TestTheDispatcher:
    def test_asks_for_one_job_a_tenant_and_keeps_one_row(self, trails: Trails, tenant: Tenant):
        other = trails.tenant("Umbrella")
        for round_ in range(3):
            for each in (tenant, other):
                trails.note(each, 2, each=True)
            assert not look_at(trails.installation.databases, CELL).nothing_due
            assert arm_sequencers(trails.installation.databases, CELL) == 2
            assert arm_sequencers(trails.installation.databases, CELL) == 0
            jobs = trails.installation.jobs(KIND)
            assert [(job.state, job.epoch) for job in jobs] == [("ready", round_)] * 2
            trails.installation.cell("UPDATE cell.job SET run_at = now() WHERE kind = %s", KIND)
            for item in trails.installation.take():
                trails.installation.run_one(item, runtime=trails.runtime)
            assert {job.state for job in trails.installation.jobs(KIND)} == {"done"}
        trails.settle(tenant)
        assert proven(trails, tenant) == 7

    def test_finds_nothing_due_among_idle_tenants(self, trails: Trails, tenant: Tenant):
        assert look_at(trails.installation.databases, CELL).nothing_due
        assert arm_sequencers(trails.installation.databases, CELL) == 0

    def test_leaves_a_tenant_that_rests_alone(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 1)
        trails.installation.set_state(tenant, "suspended")
        assert look_at(trails.installation.databases, CELL).nothing_due
        assert arm_sequencers(trails.installation.databases, CELL) == 0
        trails.installation.set_state(tenant, "active")
        assert arm_sequencers(trails.installation.databases, CELL) == 1

    def test_is_asked_again_for_what_came_while_one_ran(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 1)
        arm_sequencers(trails.installation.databases, CELL)
        trails.installation.cell("UPDATE cell.job SET run_at = now(), state = 'running' WHERE kind = %s", KIND)
        trails.note(tenant, 1)
        assert arm_sequencers(trails.installation.databases, CELL) == 0
        trails.installation.cell("UPDATE cell.job SET state = 'done', finished_at = now() WHERE kind = %s", KIND)
        assert arm_sequencers(trails.installation.databases, CELL) == 1


class TestWithoutTheKeeperOfKeys:
    def test_entries_get_their_places_and_the_signature_comes_later(
        self, trails: Trails, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ):
        trails.note(tenant, 2)
        trails.settle(tenant)

        def away(*_given: object, **_named: object) -> None:
            raise KeysDisabled("They are switched off.")

        with monkeypatch.context() as patched:
            patched.setattr(type(trails.keyring.wrapping), "unwrap", away)
            trails.note(tenant, 2)
            done = trails.sequence(tenant)
            assert (done.added, done.signed) == (2, False)
            trails.note(tenant, 1)
            arm_sequencers(trails.installation.databases, CELL)
            trails.installation.cell("UPDATE cell.job SET run_at = now() WHERE kind = %s", KIND)
            for item in trails.installation.take():
                trails.installation.run_one(item, runtime=trails.runtime)
        waiting = trails.installation.jobs(KIND)[0]
        assert (waiting.state, waiting.last_error) == ("ready", "the checkpoint could not be signed")
        assert read_note(trails.head(tenant).note).size == 3
        assert trails.sequence(tenant).signed
        assert proven(trails, tenant) == 6


class TestTheTenantsRole:
    """Whoever takes over a process of ours has this role: it may add, and nothing else."""

    @pytest.mark.parametrize("table", ["trail", "leaf"])
    @pytest.mark.parametrize(
        "statement",
        ["UPDATE {} SET note = ''", "UPDATE {} SET salt = ''", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"],
    )
    def test_changes_no_entry_and_no_leaf(self, trails: Trails, tenant: Tenant, table: str, statement: str):
        if ("note" in statement and table == "trail") or ("salt" in statement and table == "leaf"):
            statement = "UPDATE {} SET leaf_hash = leaf_hash"
        with pytest.raises(ProgrammingError) as refused, trails.work(tenant) as work:
            work.session.execute(text(statement.format(table)))
        assert getattr(refused.value.orig, "sqlstate", "") == "42501"

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE cell.trail_head SET size = 0",
            "DELETE FROM cell.trail_head",
            "SELECT * FROM cell.trail_mark",
            "DELETE FROM cell.trail_mark",
        ],
    )
    def test_reaches_the_cell_s_rows_by_functions_only(self, trails: Trails, tenant: Tenant, statement: str):
        with pytest.raises(ProgrammingError) as refused, trails.work(tenant) as work:
            work.session.execute(text(statement))
        assert getattr(refused.value.orig, "sqlstate", "") == "42501"

    def test_does_not_move_the_head_back_or_aside(self, trails: Trails, tenant: Tenant):
        trails.note(tenant, 3)
        trails.settle(tenant)
        head = trails.head(tenant)
        moves = [(head.size, head.size - 1, "00"), (head.size, head.size, "00"), (head.size - 1, head.size + 1, "00")]
        with trails.work(tenant) as work:
            for values in moves:
                asked = dict(zip(("a", "b", "c"), values, strict=True))
                assert not work.session.execute(text("SELECT cell.move_trail(:a, :b, :c, NULL)"), asked).scalar()
        assert trails.head(tenant) == head


def _die_sequencing(trails: Trails, tenant: Tenant) -> None:
    """In a process of its own, which dies with its leaves written and not committed."""
    try:
        trails.runtime = make_runtime(
            make_databases(trails.installation.urls, trails.installation.key), services=trails.runtime.services
        )
        with trails.work(tenant, job_actor(new_id(), KIND)) as work:
            sequence_trail(work)
            work.session.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    finally:
        os._exit(1)
