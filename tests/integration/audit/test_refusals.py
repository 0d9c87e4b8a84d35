"""Ten thousand refused requests leave a handful of leaves, and none of them is forgotten."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.audit.operations.refusals import Known, Refused, note_refusal
from app.kernel.actor import Actor
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, make_databases, make_runtime, person
from tests.factories.trails import Trails

PERMISSION = "onboarding:gate:decide"
HOW_OFTEN = "SELECT sum((body->>'count')::bigint)::bigint AS said, count(*) AS entries FROM {}.trail"
HOW_OFTEN += " WHERE action = 'audit.access.refused'"


@pytest.fixture(scope="module")
def trails(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Trails:
    return Trails(shared_installation, tmp_path_factory.mktemp("keyring"))


@pytest.fixture
def partner(trails: Trails) -> Partner:
    return trails.installation.partner("Northwind")


@pytest.fixture
def tenant(trails: Trails, partner: Partner) -> Tenant:
    return trails.installation.customer(partner)


@pytest.fixture
def staff(partner: Partner) -> Actor:
    return person("Sam", organisation_id=partner.id, roles=frozenset({"auditor"}))


def end_windows(trails: Trails) -> None:
    """Ten minutes later, as far as the queue and the counters can tell."""
    trails.installation.cell("UPDATE cell.job SET run_at = now() WHERE kind = 'audit.count_refusals'")
    for item in trails.installation.take():
        trails.installation.run_one(item, runtime=trails.runtime)


def said(trails: Trails, tenant: Tenant) -> tuple[int, int]:
    row = trails.installation.rows(tenant, HOW_OFTEN)[0]
    return row.said or 0, row.entries


class TestAFlood:
    @pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.soak)])
    def test_leaves_a_handful_of_entries_and_counts_all(self, trails, partner, tenant, staff, count):
        known = Known()
        for number in range(count):
            note_refusal(trails.runtime, Refused(staff, PERMISSION, tenant, f"{number:032x}"), known=known)
        end_windows(trails)
        assert said(trails, partner.home) == (count, 2)
        assert said(trails, tenant) == (1, 1)
        assert trails.installation.rows(partner.home, "SELECT 1 FROM {}.record") == []

    def test_of_two_processes_at_once_is_counted_once(self, trails, partner, tenant, staff):
        runtimes = [make_runtime(make_databases(trails.installation.urls, trails.installation.key)) for _ in range(2)]
        child = os.fork()
        if child == 0:  # the other process
            try:
                for number in range(50):
                    note_refusal(runtimes[0], Refused(staff, PERMISSION, tenant, f"{number:032x}"))
                os._exit(0)
            finally:
                os._exit(1)
        with ThreadPoolExecutor(3) as threads:
            asked = [Refused(staff, PERMISSION, tenant, f"{number:032x}") for number in range(50)]
            list(threads.map(lambda refused: note_refusal(runtimes[1], refused), asked))
        assert os.waitpid(child, 0)[1] == 0
        end_windows(trails)
        runtimes[1].databases.close()
        assert said(trails, partner.home) == (100, 2)
        assert said(trails, tenant) == (1, 1)


class TestARefusal:
    def test_says_who_what_and_where_in_both_trails(self, trails, partner, tenant, staff):
        note_refusal(trails.runtime, Refused(staff, PERMISSION, tenant, "f" * 32))
        for trail in (partner.home, tenant):
            row = trails.installation.rows(trail, "SELECT * FROM {}.trail WHERE action = 'audit.access.refused'")[0]
            assert (row.actor_id, row.actor_name, row.subject_id) == (staff.id, "Sam", tenant.id)
            assert (row.body, row.trace_id) == ({"permission": PERMISSION, "count": 1}, "f" * 32)

    def test_of_a_customer_s_own_people_is_in_their_workspace_only(self, trails, partner, tenant):
        ann = person("Ann")
        for _knock in range(3):
            note_refusal(trails.runtime, Refused(ann, PERMISSION, tenant, "0" * 32))
        end_windows(trails)
        assert said(trails, tenant) == (3, 2)
        assert said(trails, partner.home) == (0, 0)

    def test_of_another_permission_or_actor_is_an_entry_of_its_own(self, trails, partner, tenant, staff):
        other = person("Kim", organisation_id=partner.id, roles=frozenset({"auditor"}))
        for actor, permission in ((staff, PERMISSION), (staff, "intake:deal:admit"), (other, PERMISSION)):
            note_refusal(trails.runtime, Refused(actor, permission, tenant, "0" * 32))
        assert said(trails, tenant) == said(trails, partner.home) == (3, 3)

    def test_is_written_again_after_a_minute_in_the_workspace(self, trails, tenant, staff):
        for _minute in range(2):
            note_refusal(trails.runtime, Refused(staff, PERMISSION, tenant, "0" * 32))
            trails.installation.rows(tenant, "UPDATE {}.record SET changed_at = changed_at - interval '1 minute'")
        assert said(trails, tenant) == (2, 2)

    def test_in_a_workspace_that_rests_is_in_the_home_only(self, trails, partner, tenant, staff):
        trails.installation.set_state(tenant, "suspended")
        note_refusal(trails.runtime, Refused(staff, PERMISSION, tenant, "0" * 32))
        assert said(trails, partner.home) == (1, 1)
        trails.installation.set_state(tenant, "active")
