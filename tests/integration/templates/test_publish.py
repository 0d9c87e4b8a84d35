"""Publishing: the home's commit is the authority, the copy follows at least once and changes nothing twice."""

from __future__ import annotations

from typing import Any

import pytest

from app.access.require import NotPermitted
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.templates import jobs, operations
from app.templates.library import open_shelf
from app.templates.operations import effective_document, publish
from app.templates.queries import TemplateMissing
from tests.factories.installation import Installation, Partner


class Killed(Exception):
    """The process died here."""


@pytest.fixture(scope="module", autouse=True)
def _declared() -> None:
    declare_everything()


@pytest.fixture
def partner(shared_installation: Installation) -> Partner:
    return shared_installation.partner()


def admin(partner: Partner, role: str = "partner_admin") -> Actor:
    return Actor("person", new_id(), "Dana", organisation_id=partner.id, roles=frozenset({role}))


def published(installation: Installation, partner: Partner) -> str:
    with installation.work(partner.home, admin(partner)) as work:
        return publish(work, open_shelf("msp/managed-services").template)


def copies(installation: Installation, partner: Partner) -> list[Any]:
    query = "SELECT digest, published_at FROM control.template_version WHERE organisation_id = %s"
    return installation.control(query, partner.id)


class TestPublish:
    @pytest.mark.parametrize("after", [False, True], ids=["before the copy", "after the copy"])
    def test_arrives_in_control_once_although_the_copying_job_was_killed(
        self, shared_installation: Installation, partner: Partner, monkeypatch: pytest.MonkeyPatch, *, after: bool
    ):
        original = operations.copy_to_control

        def die_once(*args: Any) -> None:
            monkeypatch.setattr(jobs, "copy_to_control", original)
            if after:
                original(*args)
            raise Killed

        monkeypatch.setattr(jobs, "copy_to_control", die_once)
        digest = published(shared_installation, partner)
        for _try in range(2):
            shared_installation.run_due(SUBSCRIPTIONS)
            shared_installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready'")
        assert [row.digest for row in copies(shared_installation, partner)] == [digest]

    def test_is_told_once_however_often_it_is_done(self, shared_installation: Installation, partner: Partner):
        assert published(shared_installation, partner) == published(shared_installation, partner)
        shared_installation.run_due(SUBSCRIPTIONS)
        told = "SELECT id FROM {}.trail WHERE action = 'templates.version.published'"
        assert len(shared_installation.rows(partner.home, told)) == 1
        assert len(copies(shared_installation, partner)) == 1

    def test_is_refused_to_who_may_not(self, shared_installation: Installation, partner: Partner):
        template = open_shelf("msp/managed-services").template
        for actor in (admin(partner, "csm"), admin(shared_installation.partner("Contoso"))):
            with pytest.raises(NotPermitted), shared_installation.work(partner.home, actor) as work:
                publish(work, template)

    def test_is_not_read_by_another_organisation(self, shared_installation: Installation, partner: Partner):
        digest = published(shared_installation, partner)
        shared_installation.run_due(SUBSCRIPTIONS)
        other = shared_installation.partner("Contoso")
        found = effective_document(shared_installation.runtime, partner.id, template_digest=digest, overlay_digest=None)
        assert found.document["id"] == "msp-managed-services"
        with pytest.raises(TemplateMissing):
            effective_document(shared_installation.runtime, other.id, template_digest=digest, overlay_digest=None)
