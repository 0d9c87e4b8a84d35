"""Requiring and explaining: the refusal tells whom to ask, the explanation names role, delegation and rule."""

import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.access.permissions import Permission
from app.access.policy.explain import explain
from app.access.require import NotPermitted, require
from app.access.rights import DelegationView, Grant, list_grants
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DELEGATION = UUID("0192d000-0000-7000-8000-0000000000d1")


@dataclass
class Asked:
    """Someone at work, with these roles."""

    rights: frozenset[str] = field(default_factory=frozenset)
    actor: Actor = field(default_factory=lambda: Actor("person", DELEGATION, "Ann"))


class TestRequire:
    def test_lets_a_holder_go_on(self):
        require(Asked(frozenset({"approver"})), Permission.GATE_DECIDE)

    def test_names_the_permission_and_whom_to_ask(self):
        with pytest.raises(NotPermitted, match=r"Your role does not include this.*administrator") as trouble:
            require(Asked(frozenset({"viewer"})), Permission.GATE_DECIDE)
        assert trouble.value.permission is Permission.GATE_DECIDE
        assert trouble.value.extensions == {"permission": "onboarding:gate:decide"}
        assert isinstance(trouble.value, Forbidden)
        assert (trouble.value.status, trouble.value.slug) == (403, "not-permitted")

    def test_tells_a_stranger_to_get_invited(self):
        with pytest.raises(NotPermitted, match="invite you"):
            require(Asked(), Permission.ONBOARDING_READ)

    def test_is_not_fooled_by_names_that_are_no_roles(self):
        for name in ("owner ", "OWNER", "*", "", "owner,admin", "onboarding:gate:decide"):
            with pytest.raises(NotPermitted):
                require(Asked(frozenset({name})), Permission.GATE_DECIDE)


class TestExplain:
    def test_names_the_role_the_delegation_and_the_rule(self):
        view = DelegationView(frozenset({"onboarding_lead"}), NOW, NOW + timedelta(days=1), "active", DELEGATION)
        told = explain(list_grants("viewer", ["partner_admin"], [view], NOW), Permission.GATE_DECIDE)
        assert told.allowed
        assert str(told.rule) == "p, onboarding_lead, onboarding:gate:decide, allow"
        assert told.grants == (Grant("onboarding_lead", "delegation", DELEGATION),)

    def test_names_the_role_that_includes_the_rules_role(self):
        told = explain([Grant("owner", "member")], Permission.TASK_COMPLETE)
        assert told.allowed
        assert told.rule
        assert told.rule.role in {"contributor", "approver"}
        assert told.grants == (Grant("owner", "member"),)

    def test_names_the_denial_that_beat_the_allowance(self):
        told = explain([Grant("onboarding_lead", "assignment"), Grant("auditor", "assignment")], Permission.GATE_DECIDE)
        assert not told.allowed
        assert str(told.rule) == "p, no_decisions, onboarding:gate:decide, deny"
        assert told.grants == (Grant("auditor", "assignment"),)

    def test_says_when_no_rule_speaks_of_it(self):
        for grants in ([], [Grant("viewer", "member")], [Grant("made up", "member")]):
            told = explain(grants, Permission.FLEET_OPERATE)
            assert (told.allowed, told.rule, told.grants) == (False, None, ())

    def test_writes_no_log_line_per_refusal(self, caplog):
        with caplog.at_level(logging.DEBUG):
            explain([Grant("viewer", "member")], Permission.FLEET_OPERATE)
        assert not caplog.records
