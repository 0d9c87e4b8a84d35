"""Personal values go for good, by an act that is in the trail; entries, leaves and proofs stay."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.access.require import NotPermitted
from app.audit.bundle.verifying import TrailAltered, verify_bundle
from app.audit.operations.erasure import ErasureReasonMissing, erase_expired, erase_person
from app.audit.operations.exporting import export_trail
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.installation import Installation, person
from tests.factories.trails import Noted, Trails, join


@pytest.fixture(scope="module")
def trails(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Trails:
    return Trails(shared_installation, tmp_path_factory.mktemp("keyring"))


@pytest.fixture
def tenant(trails: Trails) -> Tenant:
    return trails.tenant()


@pytest.fixture
def owner(trails: Trails, tenant: Tenant):
    ann = person("Ann Owner")
    with trails.work(tenant, ann) as work:
        join(work, ann, "owner")
    return ann


def lines_of(trails: Trails, tenant: Tenant) -> list[bytes]:
    actor = job_actor(new_id(), "export")
    return list(export_trail(lambda: trails.work(tenant, actor), kind="proof").lines)


def rows(trails: Trails, tenant: Tenant):
    return trails.installation.rows(tenant, "SELECT * FROM {}.trail ORDER BY id")


class TestErasingAPerson:
    def test_takes_name_reasons_and_values_and_the_bundle_still_verifies(self, trails, tenant, owner):
        jean = person("Jean Müller")
        trails.note(tenant, 3, actor=jean)
        with trails.work(tenant, owner) as work:
            work.record(Noted(subject_id=jean.id, number=9, email="jean@example.com", reason="Jean asked"))
            work.record(Noted(subject_id=new_id(), number=10, email="other@example.com", reason="Kim asked"))
        trails.settle(tenant)
        before = b"".join(lines_of(trails, tenant)).decode()
        with trails.work(tenant, owner) as work:
            assert erase_person(work, person_id=jean.id, reason="Jean has left") == 4
        trails.settle(tenant)
        lines = lines_of(trails, tenant)
        found, after = verify_bundle(lines), b"".join(lines).decode()
        assert found.erased == 4
        for word in ("Jean Müller", "because 1", "Jean asked"):
            assert word in before
            assert word not in after
        assert "other@example.com" in after
        assert "Kim asked" in after
        assert "Jean" not in str([row for row in rows(trails, tenant) if row.action == "test.noted"])

    def test_keeps_what_somebody_else_said_in_the_same_entry(self, trails, tenant, owner):
        """Jean acted on Kim's values: Jean's name goes, and Kim's address can still be proven."""
        jean, kim = person("Jean"), new_id()
        with trails.work(tenant, jean) as work:
            work.record(Noted(subject_id=kim, number=1, email="kim@example.com"))
        with trails.work(tenant, owner) as work:
            erase_person(work, person_id=jean.id, reason="left")
        row = next(row for row in rows(trails, tenant) if row.subject_id == kim)
        assert (row.actor_name, row.salt, row.body["email"]) == ("", "", "kim@example.com")
        trails.settle(tenant)
        verify_bundle(lines_of(trails, tenant))
        with trails.work(tenant, owner) as work:
            assert erase_person(work, person_id=kim, reason="left too") == 1
        assert "email" not in next(row for row in rows(trails, tenant) if row.subject_id == kim).body
        trails.settle(tenant)
        verify_bundle(lines_of(trails, tenant))

    def test_is_done_once_and_named_by_its_own_entry(self, trails, tenant, owner):
        trails.note(tenant, 2, actor=(jean := person("Jean")))
        for wanted in (2, 0):
            with trails.work(tenant, owner) as work:
                assert erase_person(work, person_id=jean.id, reason="left") == wanted
        acts = [row for row in rows(trails, tenant) if row.action == "audit.values.erased"]
        assert [(act.actor_id, act.subject_id, act.reason, len(act.body["entries"])) for act in acts] == [
            (owner.id, jean.id, "left", 2)
        ]

    def test_needs_the_right_and_a_reason(self, trails, tenant, owner):
        viewer = person("Vi")
        with trails.work(tenant, viewer) as work:
            join(work, viewer, "viewer")
        with pytest.raises(NotPermitted), trails.work(tenant, viewer) as work:
            erase_person(work, person_id=owner.id, reason="curious")
        with pytest.raises(ErasureReasonMissing), trails.work(tenant, owner) as work:
            erase_person(work, person_id=owner.id, reason="  ")

    def test_leaves_the_neighbour_alone(self, trails, tenant, owner):
        other, jean = trails.tenant("Umbrella"), person("Jean")
        for each in (tenant, other):
            trails.note(each, 1, actor=jean)
        with trails.work(tenant, owner) as work:
            erase_person(work, person_id=jean.id, reason="left")
            theirs = rows(trails, other)[0].id
            count = text("SELECT cell.erase_trail_values(CAST(:e AS jsonb))")
            forged = f'[{{"id": "{theirs}", "drop": ["actor_name"], "keep": {{}}}}]'
            assert work.session.execute(count, {"e": forged}).scalar() == 0
        assert rows(trails, other)[0].actor_name == "Jean"


class TestAPolicy:
    def test_erases_what_is_past_its_time(self, trails, tenant, owner):
        trails.note(tenant, 2)
        with trails.work(tenant, job_actor(new_id(), "audit.daily")) as work:
            before = work.now
        trails.note(tenant, 1)
        with trails.work(tenant, job_actor(new_id(), "audit.daily")) as work:
            assert erase_expired(work, before=before) == 2
            assert erase_expired(work, before=before) == 0
        noted = [row for row in rows(trails, tenant) if row.action == "test.noted"]
        assert [row.salt == "" for row in noted] == [True, True, False]
        trails.settle(tenant)
        assert verify_bundle(lines_of(trails, tenant)).erased == 2


class TestAnEntryOfAnEarlierBuild:
    def test_verifies_and_can_be_erased(self, trails, tenant, owner):
        """Its row does not say what was personal; the hash of its leaf does."""
        trails.note(tenant, 1, actor=(jean := person("Jean")))
        _as_an_earlier_build_wrote_it(trails, tenant, jean)
        trails.settle(tenant)
        assert verify_bundle(lines_of(trails, tenant)).entries
        with trails.work(tenant, owner) as work:
            assert erase_person(work, person_id=jean.id, reason="left") == 1
        trails.settle(tenant)
        assert verify_bundle(lines_of(trails, tenant)).erased == 1


class TestTheFunction:
    """It takes away, and does nothing else, whoever calls it with whatever."""

    @pytest.mark.parametrize(
        "asked",
        [
            '[{"id": "%s", "drop": ["body.number"], "keep": {}}]',  # no personal value
            '[{"id": "%s", "drop": ["body"], "keep": {}}]',
            '[{"id": "%s", "drop": [], "keep": {"reason": "00"}}]',
        ],
    )
    def test_takes_personal_values_only(self, trails, tenant, asked):
        trails.note(tenant, 1)
        row = next(row for row in rows(trails, tenant) if row.action == "test.noted")
        with trails.work(tenant) as work:
            work.session.execute(text("SELECT cell.erase_trail_values(CAST(:e AS jsonb))"), {"e": asked % row.id})
        after = next(found for found in rows(trails, tenant) if found.id == row.id)
        kept = ("id", "at", "actor_id", "actor_name", "action", "subject_id", "reason", "trace_id", "body", "leaf_hash")
        assert [getattr(after, name) for name in kept] == [getattr(row, name) for name in kept]
        assert after.personal["commitments"] == row.personal["commitments"]

    def test_used_without_an_act_is_told_by_the_verifier(self, trails, tenant):
        trails.note(tenant, 2)
        trails.settle(tenant)
        row = next(row for row in rows(trails, tenant) if row.action == "test.noted")
        with trails.work(tenant) as work:
            taken = f'[{{"id": "{row.id}", "drop": ["reason"], "keep": {{}}}}]'
            work.session.execute(text("SELECT cell.erase_trail_values(CAST(:e AS jsonb))"), {"e": taken})
        with pytest.raises(TrailAltered, match="no act of erasing"):
            verify_bundle(lines_of(trails, tenant))

    def test_is_not_for_platform_jobs(self, trails):
        from tenants.sessions import dispatcher_session

        with (
            pytest.raises(ProgrammingError),
            dispatcher_session(trails.installation.databases, "main", actor="attack") as (session, _now),
        ):
            session.execute(text("SELECT cell.erase_trail_values('[]')"))


def _as_an_earlier_build_wrote_it(trails: Trails, tenant: Tenant, actor) -> None:
    from app.audit.leaf import FIRST_FORMAT, commit_entry, hash_leaf, leaf_bytes
    from app.kernel.marks import TrailFacts

    row = next(row for row in rows(trails, tenant) if row.actor_id == actor.id)
    names = set(TrailFacts.__slots__) - {"tenant_id", "personal"}
    facts = {name: getattr(row, name) for name in names}
    made = TrailFacts(tenant_id=tenant.id, personal=frozenset({"email"}), **facts)
    old = hash_leaf(leaf_bytes(commit_entry(made, row.salt, version=FIRST_FORMAT)))
    trails.installation.rows(tenant, "UPDATE {}.trail SET leaf_hash = %s, personal = NULL WHERE id = %s", old, row.id)
