"""What a workspace decides about its trail is carried out once a day: values erased, checkpoints mailed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from app.audit.note import is_signed, read_key
from app.audit.operations.keeping import NobodyToTell, change_keeping, publish_checkpoint, read_keeping
from app.audit.schemas import KeepingForm
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.kernel.actor import Actor
from app.web.forms import Filled
from tenants.tenant import Tenant
from tests.factories.installation import Installation, person
from tests.factories.trails import Trails, join

DAY = timedelta(days=1, minutes=1)


@pytest.fixture(scope="module")
def trails(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Trails:
    declare_everything()
    made = Trails(shared_installation, tmp_path_factory.mktemp("keyring"))
    shared_installation.runtime = made.runtime
    return made


@pytest.fixture
def tenant(trails: Trails) -> Iterator[Tenant]:
    """Nothing of other tests is due: the clock is everybody's."""
    trails.installation.cell("DELETE FROM cell.timer; DELETE FROM cell.job; DELETE FROM cell.outbox")
    yield trails.tenant()
    trails.installation.cell("UPDATE cell.clock SET shift = '0'")


@pytest.fixture
def owner(trails: Trails, tenant: Tenant) -> Actor:
    ann = person("Ann Owner")
    with trails.work(tenant, ann) as work:
        join(work, ann, "owner")
    return ann


def decide(trails: Trails, tenant: Tenant, owner: Actor, months: int | None, *addresses: str) -> None:
    with trails.work(tenant, owner) as work:
        change_keeping(work, Filled(KeepingForm(months, "\n".join(addresses)), {}))


def letters(trails: Trails, tenant: Tenant):
    return trails.installation.rows(tenant, "SELECT * FROM {}.message ORDER BY id")


def a_day_later(trails: Trails) -> None:
    trails.installation.move_clock(DAY)
    run(trails)


def run(trails: Trails) -> None:
    """All that is due, up to the letters: those who send them are tested elsewhere."""
    kinds = {event: [kind for kind in told if kind.endswith("checkpoint")] for event, told in SUBSCRIPTIONS.items()}
    trails.installation.run_due(kinds)
    assert not [job.last_error for job in trails.installation.jobs("audit.keep_daily") if job.last_error]
    trails.installation.cell("DELETE FROM cell.job WHERE kind = 'notifications.send_letter'")


class TestCheckpointsByMail:
    def test_go_to_every_address_each_day(self, trails: Trails, tenant: Tenant, owner: Actor):
        trails.note(tenant, 2)
        decide(trails, tenant, owner, None, "audit@acme.example", "board@acme.example")
        trails.settle(tenant)
        for day in (1, 2):
            a_day_later(trails)
            found = letters(trails, tenant)
            assert [row.email for row in found] == ["audit@acme.example", "board@acme.example"] * day
        assert is_signed(found[0].facts["note"], read_key(found[0].facts["key"]))

    def test_go_at_once_when_asked(self, trails: Trails, tenant: Tenant, owner: Actor):
        with pytest.raises(NobodyToTell), trails.work(tenant, owner) as work:
            publish_checkpoint(work)
        decide(trails, tenant, owner, None, "audit@acme.example")
        trails.settle(tenant)
        with trails.work(tenant, owner) as work:
            publish_checkpoint(work)
        run(trails)
        assert [row.email for row in letters(trails, tenant)] == ["audit@acme.example"]

    def test_stop_with_the_settings_that_asked_for_them(self, trails: Trails, tenant: Tenant, owner: Actor):
        decide(trails, tenant, owner, None, "audit@acme.example")
        trails.settle(tenant)
        decide(trails, tenant, owner, None)
        a_day_later(trails)
        a_day_later(trails)
        assert letters(trails, tenant) == []
        with trails.work(tenant, owner) as work:
            assert read_keeping(work).version == 2


class TestRetention:
    def test_erases_each_day_what_is_older_than_the_months(self, trails: Trails, tenant: Tenant, owner: Actor):
        trails.note(tenant, 2)
        decide(trails, tenant, owner, 1)
        a_day_later(trails)
        noted = "SELECT salt FROM {}.trail WHERE action = 'test.noted'"
        assert all(row.salt for row in trails.installation.rows(tenant, noted))
        trails.installation.move_clock(timedelta(days=31))
        a_day_later(trails)
        assert not any(row.salt for row in trails.installation.rows(tenant, noted))
