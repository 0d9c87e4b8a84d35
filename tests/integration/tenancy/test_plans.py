"""`slipway plans` and `slipway partners`: what the operator says, and that workspaces follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from app.bootstrap.commands.plans import PlanUnusable, run_partners, run_plans
from app.tenancy.operations.telling import tell_all
from tests.factories.installation import Installation


@dataclass
class Told:
    """What the commands read of the settings."""

    control_url: str


def plans(installation: Installation, *words: str) -> int:
    settings: Any = Told(installation.urls.control_url)
    return run_plans(words, settings)


def partners(installation: Installation, *words: str) -> int:
    settings: Any = Told(installation.urls.control_url)
    return run_partners(words, settings)


class TestPlans:
    def test_are_made_changed_and_shown(self, installation: Installation, capsys: pytest.CaptureFixture[str]):
        plans(
            installation, "set", "standard", "--name", "Standard", "--limit", "onboardings=50", "--limit", "members=9"
        )
        plans(installation, "set", "standard", "--name", "Standard", "--weight", "3", "--limit", "members=9")
        plans(installation, "list")
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1].split() == ["standard", "Standard", "3", "members=9", "0"]

    def test_are_followed_by_the_workspaces_on_them(self, installation: Installation):
        northwind = installation.partner()
        acme, other = installation.customer(northwind), installation.customer(northwind, "Other")
        plans(installation, "set", "standard", "--name", "Standard")
        installation.control("UPDATE control.tenant SET plan_key = 'standard' WHERE id = %s", acme.id)
        for weight, limit in ((2, 5), (4, 7)):
            plans(
                installation, "set", "standard", "--name", "S", "--weight", str(weight), "--limit", f"members={limit}"
            )
            assert tell_all(installation.runtime, seconds=0) == 1
            told = installation.cell("SELECT weight, limits FROM cell.tenant WHERE id = %s", acme.id)[0]
            assert told == (weight, {"members": limit})
        assert installation.cell("SELECT limits FROM cell.tenant WHERE id = %s", other.id)[0].limits == {}
        for trail in (acme, northwind.home):
            rows = installation.rows(trail, "SELECT action, actor_name FROM {}.trail ORDER BY id")
            assert [tuple(row) for row in rows] == [("tenancy.tenant.changed", "operator")] * 2

    def test_leave_alone_what_is_being_changed_and_say_so(
        self, installation: Installation, capsys: pytest.CaptureFixture[str]
    ):
        acme = installation.customer(installation.partner())
        plans(installation, "set", "standard", "--name", "Standard")
        installation.control(
            "UPDATE control.tenant SET plan_key = 'standard', behind = true, changed_at = now() WHERE id = %s", acme.id
        )
        plans(installation, "set", "standard", "--name", "Standard", "--weight", "2")
        assert "1 are being changed at this moment: say it again for them." in capsys.readouterr().out

    @pytest.mark.parametrize("words", [("A", "--name", "A"), ("a", "--name", "A", "--limit", "seats=1")])
    def test_that_cannot_be_are_refused(self, installation: Installation, words: tuple[str, ...]):
        with pytest.raises(PlanUnusable):
            plans(installation, "set", *words)
        assert installation.control("SELECT 1 FROM control.plan") == []


class TestPartners:
    def test_get_a_quota_and_lose_it(self, installation: Installation, capsys: pytest.CaptureFixture[str]):
        northwind = installation.partner()
        installation.customer(northwind)
        slug = installation.control("SELECT slug FROM control.organisation WHERE id = %s", northwind.id)[0].slug
        for words, said in ((("--tenants", "5"), "5"), (("--none",), "any")):
            partners(installation, "limit", slug, *words)
            assert capsys.readouterr().out.splitlines()[-1].split() == [slug, "Northwind", "1", said, "any"]

    def test_that_there_are_not_are_named(self, installation: Installation):
        with pytest.raises(LookupError, match="no partner called nobody"):
            partners(installation, "limit", "nobody", "--tenants", "1")


class TestWhatAPartnerMayBe:
    def test_is_granted_beside_its_quota_and_counts_at_once(
        self, installation: Installation, capsys: pytest.CaptureFixture[str]
    ):
        northwind = installation.partner()
        [row] = installation.control("SELECT slug FROM control.organisation WHERE id = %s", northwind.id)
        partners(installation, "limit", row.slug, "--tenants", "5")
        partners(installation, "grant", row.slug, "--roles", "technical,csm")
        assert capsys.readouterr().out.splitlines()[-1].split()[-2:] == ["5", "csm,technical"]
        partners(installation, "limit", row.slug, "--none")
        assert capsys.readouterr().out.splitlines()[-1].split()[-2:] == ["any", "csm,technical"]
        partners(installation, "grant", row.slug, "--all")
        assert capsys.readouterr().out.splitlines()[-1].split()[-2:] == ["any", "any"]
        [row] = installation.control("SELECT limits FROM control.organisation WHERE id = %s", northwind.id)
        assert row.limits is None

    def test_is_one_of_the_partners_roles(self, installation: Installation):
        with pytest.raises(SystemExit):
            partners(installation, "grant", "northwind", "--roles", "owner")
