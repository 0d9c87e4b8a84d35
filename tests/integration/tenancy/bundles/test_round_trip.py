"""A tenant goes to another installation and comes out equal; its secrets open there in a worker and nowhere else."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app.audit.leaf import commit_entry, hash_leaf, leaf_bytes
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.kernel.actor import Rights
from app.kernel.ids import new_id
from app.kernel.marks import TrailFacts
from app.kernel.queue.dispatcher import relay_outbox
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.onboarding import jobs as onboarding_jobs
from app.tenancy.bundles.documents import KEYS
from app.tenancy.bundles.errors import ExportUnderWay, FileInTheWay
from app.tenancy.bundles.export import cancel_export
from app.tenancy.bundles.verification import verify_file
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import Keyring, NotOpenedHere
from app.vault.operations import put_connection_secret, put_door_secret, take_connection_secrets
from app.vault.rules import DoorPurpose, Program
from app.vault.secret import Secret
from tenants.schema.head import tenant_revision
from tenants.tenant import Tenant
from tests.canaries.marks import marked
from tests.factories.bundles import MOVER, Site
from tests.factories.installation import CELL, person

CONNECTION = UUID("0190a000-0000-7000-8000-0000000000c1")
# What is another afterwards by its nature: who may come in, who is who here, what was done here, and the locked keys.
BY_NATURE = {"tenant/delegation", "tenant/trail", "tenant/command", "tenant/secret", "directory/tenant"}
BY_NATURE |= {"cell/outbox", "cell/trail_mark"}


def keyring_of(runtime: Runtime) -> Keyring:
    """The keyring of that program."""
    return runtime.service(Keyring)


def fill(site: Site, tenant: Tenant) -> None:
    """Rows in the tenant and in the cell, as work leaves them."""
    runtime = replace(site.program(Program.WEB), load_rights=lambda *_asked: Rights({"owner", "admin"}))
    with open_work(runtime, tenant, person("Änne"), trace_id="filled") as work:
        work.session.execute(_CONNECTION, {"id": CONNECTION})
        put_connection_secret(work, connection_id=CONNECTION, field="token", value=Secret(marked("s3cr3t-of-acme")))
        door = DoorPurpose.WEBHOOK_VERIFICATION
        put_door_secret(work, keyring_of(runtime), purpose=door, field="key", value=Secret(marked("door")))
        work.admit_once("hubspot", "deal-1")
        work.enqueue("connectors.execute_run", args={"run_id": str(new_id())}, dedupe_key="run:1")
        work.set_timer("onboarding.fire_timer", subject_id=CONNECTION, due_at=work.now, version=3, args={"rung": 1})
        work.remember_command("k1", fingerprint="f", result={"ok": True})


_CONNECTION = text(
    "INSERT INTO connection (id, connector, name, config, state, changed_at)"
    """ VALUES (:id, 'hubspot', 'Crm "ö" \U0001f680', '{"a": [1.10, null, "\\u2028"]}', 'active', now())"""
)


_ONBOARDING = (
    "INSERT INTO {}.onboarding (id, definition_digest, name, state, seq, snapshot, deal, people, trace_id, started_at)"
    " VALUES (%s, 'd1', 'O', 'running', 1, jsonb_build_object(), jsonb_build_object(), '[]', 't', now())"
)


@pytest.fixture(scope="module")
def tenant(here: Site) -> Tenant:
    made = here.customer()
    fill(here, made)
    return made


@pytest.fixture(scope="module")
def bundle(here: Site, there: Site, tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundle") / "acme.bundle"
    here.export(tenant, path, there)
    return path


@pytest.fixture(scope="module")
def arrived(here: Site, there: Site, bundle: Path) -> Tenant:
    return there.receive(bundle, here).tenant


_OF_ONBOARDINGS = "SELECT kind, args FROM cell.job WHERE tenant_id = %s AND kind LIKE 'onboarding.%%' ORDER BY id"


class TestMoving:
    def test_lets_the_tenant_go_on_where_it_was(self, here: Site, tenant: Tenant, bundle: Path):
        assert here.state(tenant) == ("active", "active")
        actions = [row.action for row in here.installation.rows(tenant, "SELECT action FROM {}.trail ORDER BY id")]
        assert actions[-2:] == ["tenancy.export.began", "tenancy.export.ended"]

    def test_makes_it_active_there_under_the_same_id(self, there: Site, tenant: Tenant, arrived: Tenant):
        assert arrived.id == tenant.id
        assert there.state(arrived) == ("active", "active")
        [entry] = there.installation.control("SELECT * FROM control.tenant WHERE id = %s", arrived.id)
        assert (entry.organisation_id, entry.name, entry.schema_name) == (there.partner.id, "Acme", arrived.schema)

    def test_comes_out_equal_when_it_is_exported_again(
        self, here: Site, there: Site, bundle: Path, arrived: Tenant, tmp_path: Path
    ):
        again = tmp_path / "again.bundle"
        there.export(arrived, again, here)
        before, after = there.opened(bundle), here.opened(again)
        assert before.keys() == after.keys()
        assert {path for path in before if before[path] != after[path]} <= BY_NATURE | {"cell/job"}
        assert before["cell/inbox"], before["cell/job"]
        assert before["cell/timer"]
        assert set(before["cell/job"]) < set(after["cell/job"])  # more by what the arrival asks for
        began = len(before["tenant/trail"])
        assert after["tenant/trail"][:began] == before["tenant/trail"]
        assert set(before["tenant/command"]) < set(after["tenant/command"])
        assert before[KEYS] == after[KEYS]  # the keys travel bare inside; how they are locked differs
        kept = [line for line in before["tenant/secret"] if json.loads(line)["kind"] != "keys"]
        assert len(kept) == 2
        assert kept == [line for line in after["tenant/secret"] if json.loads(line)["kind"] != "keys"]

    def test_begins_its_new_part_of_the_trail_with_the_import(self, here: Site, there: Site, arrived: Tenant):
        rows = there.installation.rows(arrived, "SELECT action, body FROM {}.trail ORDER BY id")
        actions = [row.action for row in rows]
        first = actions.index("tenancy.tenant.imported")
        assert actions[:first].count("tenancy.tenant.created") == 1
        assert actions[first + 1 : first + 3] == ["access.delegation.ended", "access.delegation.given"]
        assert rows[first].body["sender"] == here.fingerprint

    def test_keeps_every_leaf(self, here: Site, there: Site, tenant: Tenant, arrived: Tenant):
        query = "SELECT * FROM {}.trail ORDER BY id"
        mine = {row.id: row for row in here.installation.rows(tenant, query)}
        common = [row for row in there.installation.rows(arrived, query) if row.id in mine]
        assert len(common) > 3
        for row in common:
            assert row._asdict() == mine[row.id]._asdict()
        created = common[0]
        names = (set(TrailFacts.__slots__) - {"tenant_id", "personal"}) & set(created._fields)
        facts = {name: getattr(created, name) for name in names}
        made = TrailFacts(tenant_id=arrived.id, personal=frozenset(), **facts)
        assert hash_leaf(leaf_bytes(commit_entry(made, created.salt))) == created.leaf_hash

    def test_ends_delegations_of_the_first_installation(self, there: Site, arrived: Tenant):
        rows = there.installation.rows(arrived, "SELECT organisation_id, state FROM {}.delegation ORDER BY id")
        assert [row.state for row in rows] == ["ended", "active"]
        assert rows[1].organisation_id == there.partner.id

    def test_takes_the_cell_s_rows_along_and_runs_them(self, there: Site, arrived: Tenant):
        jobs = there.installation.cell("SELECT * FROM cell.job WHERE tenant_id = %s", arrived.id)
        assert {(job.kind, job.state, job.attempts) for job in jobs} >= {("connectors.execute_run", "ready", 0)}
        assert there.installation.cell("SELECT 1 FROM cell.timer WHERE tenant_id = %s AND version = 3", arrived.id)
        runtime = there.runtime
        with open_work(runtime, arrived, MOVER, trace_id="again") as work:
            assert not work.admit_once("hubspot", "deal-1")

    def test_shows_its_onboardings_in_the_lists_over_there(self, here: Site, there: Site, tmp_path: Path):
        assert callable(onboarding_jobs.project_all_cards)  # declared by its import, as in a worker
        tenant, onboarding = here.customer("Shown"), new_id()
        here.installation.rows(tenant, "INSERT INTO {}.definition VALUES ('d1', 't', '1', 'T', '[]', '[]', now())")
        here.installation.rows(tenant, _ONBOARDING, onboarding)
        here.export(tenant, tmp_path / "x", there)
        there.receive(tmp_path / "x", here)
        relay_outbox(there.installation.databases, CELL, SUBSCRIPTIONS)
        for item in there.installation.take():
            if there.installation.job(item.job_id).kind == "onboarding.project_all_cards":
                there.installation.run_one(item, runtime=there.runtime)
        jobs = there.installation.cell(_OF_ONBOARDINGS, tenant.id)
        assert [(job.kind, job.args.get("onboarding_id")) for job in jobs] == [
            ("onboarding.project_all_cards", None),
            ("onboarding.project_card", str(onboarding)),
        ]


class TestSecrets:
    def test_open_in_a_worker_over_there(self, there: Site, arrived: Tenant):
        worker = there.program(Program.WORKER)
        with open_work(worker, arrived, MOVER, trace_id="run") as work:
            sealed = take_connection_secrets(work, connection_id=CONNECTION, run_id=new_id())
        assert sealed.open(keyring_of(worker))["token"].reveal() == marked("s3cr3t-of-acme")

    @pytest.mark.parametrize("program", [Program.WEB, Program.OPERATOR])
    def test_open_in_no_other_program(self, there: Site, arrived: Tenant, program: Program):
        with open_work(there.runtime, arrived, MOVER, trace_id="run") as work:
            sealed = take_connection_secrets(work, connection_id=CONNECTION, run_id=new_id())
        with pytest.raises(NotOpenedHere):
            sealed.open(keyring_of(there.program(program)))

    def test_are_nowhere_in_the_file(self, bundle: Path):
        raw = bundle.read_bytes()
        assert b"s3cr3t-of-acme" not in raw
        assert b"Acme" not in raw

    def test_stay_behind_where_they_are_not_asked_for(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer("Bare")
        fill(here, tenant)
        path = tmp_path / "bare.bundle"
        here.export(tenant, path, there, secrets=False)
        assert "tenant/secret" not in there.opened(path)
        arrived = there.receive(path, here).tenant
        kinds = [row.kind for row in there.installation.rows(arrived, "SELECT kind FROM {}.secret")]
        assert kinds == ["keys"]
        with open_work(there.runtime, arrived, MOVER, trace_id="run") as work:
            assert not take_connection_secrets(work, connection_id=CONNECTION, run_id=new_id()).sealed

    def test_of_an_erased_tenant_do_not_come_back(self, here: Site, there: Site, tmp_path: Path):
        """The key store of today refuses the older bundle: a destroyed key has a marker that no bundle removes."""
        tenant = here.customer("Erased")
        path = tmp_path / "erased.bundle"
        here.export(tenant, path, here)
        keyring_of(here.runtime).wrapping.destroy(tenant.id)
        here.installation.control("DELETE FROM control.tenant WHERE id = %s", tenant.id)
        with pytest.raises(KeyMissing):
            here.receive(path, here)
        assert not here.installation.control("SELECT 1 FROM control.tenant WHERE id = %s", tenant.id)


class TestHoldingStill:
    def test_lasts_when_the_tenant_moves(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer("Mover")
        here.export(tenant, tmp_path / "m.bundle", there, stays=True)
        assert here.state(tenant) == ("exporting", "exporting")
        assert cancel_export(here.runtime, MOVER, tenant, trace_id="back")
        assert here.state(tenant) == ("active", "active")
        assert not cancel_export(here.runtime, MOVER, tenant, trace_id="back")

    def test_gives_a_suspended_tenant_back_as_suspended(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer("Quiet")
        here.installation.set_state(tenant, "suspended")
        here.export(tenant, tmp_path / "q.bundle", there)
        assert here.state(tenant) == ("suspended", "suspended")

    def test_keeps_a_file_that_is_there(self, here: Site, there: Site, tmp_path: Path):
        tenant, other = here.customer("One"), here.customer("Two")
        path = tmp_path / "one.bundle"
        first = here.export(tenant, path, there)
        assert here.export(tenant, path, there) == first  # asked again after it was done
        with pytest.raises(FileInTheWay):
            here.export(other, path, there)
        assert verify_file(path).manifest_sha256 == first.manifest_sha256

    def test_does_not_serve_two_files_at_once(self, here: Site, there: Site, tmp_path: Path):
        tenant = here.customer("Twice")
        here.export(tenant, tmp_path / "a.bundle", there, stays=True)
        with pytest.raises(ExportUnderWay):
            here.export(tenant, tmp_path / "b.bundle", there)


class TestRevision:
    def test_is_that_of_this_build(self, bundle: Path):
        assert verify_file(bundle).header.revision == tenant_revision()
