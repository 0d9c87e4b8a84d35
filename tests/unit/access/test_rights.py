"""Rights in a tenant: own, or a partner's as far and as long as the customer's delegation goes."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.decisions import can, permissions_of
from app.access.permissions import Permission
from app.access.rights import DelegationView, Grant, home_roles, is_open, list_grants, names
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, Role

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
DELEGATION = UUID("0192d000-0000-7000-8000-0000000000d1")
ROLES = st.frozensets(st.sampled_from([*Role, "made up"]), max_size=4)


def effective_roles(own_member_role, staff_roles, delegations, now):
    """The names of the roles that decide."""
    return names(list_grants(own_member_role, staff_roles, delegations, now))


def delegation(*roles, starts=NOW - DAY, ends=NOW + DAY, state="active"):
    return DelegationView(frozenset(roles), starts, ends, state, DELEGATION)


class TestEffectiveRoles:
    def test_a_member_has_their_own_role(self):
        assert effective_roles("contributor", [], [], NOW) == {"contributor"}

    def test_staff_have_nothing_without_a_delegation(self):
        assert effective_roles(None, ["partner_owner", "csm"], [], NOW) == frozenset()

    def test_a_delegation_gives_nothing_to_people_without_the_role(self):
        assert effective_roles(None, ["finance"], [delegation("technical")], NOW) == frozenset()

    def test_staff_have_what_both_sides_name(self):
        assert effective_roles(None, ["csm", "finance"], [delegation("csm")], NOW) == {"csm"}

    def test_a_lead_enters_as_csm_where_only_that_is_delegated(self):
        roles = effective_roles(None, ["onboarding_lead"], [delegation("csm")], NOW)
        assert roles == {"csm"}
        assert not can(roles, Permission.GATE_DECIDE)

    def test_a_csm_stays_csm_where_the_lead_is_delegated(self):
        assert effective_roles(None, ["csm"], [delegation("onboarding_lead")], NOW) == {"csm"}

    def test_own_and_delegated_roles_add_up(self):
        assert effective_roles("viewer", ["csm"], [delegation("csm")], NOW) == {"viewer", "csm"}

    def test_several_delegations_add_up(self):
        both = [delegation("csm"), delegation("finance")]
        assert effective_roles(None, ["partner_admin"], both, NOW) == {"csm", "finance"}

    @pytest.mark.parametrize(
        ("window", "open_now"),
        [
            ({}, True),
            ({"starts": NOW}, True),
            ({"starts": NOW + timedelta(microseconds=1)}, False),
            ({"ends": NOW}, False),
            ({"ends": NOW + timedelta(microseconds=1)}, True),
            ({"starts": NOW + DAY, "ends": NOW - DAY}, False),
            *(({"state": state}, False) for state in ("revoked", "draft", "pending_approval", "expired", "ACTIVE", "")),
        ],
    )
    def test_only_an_active_window_lets_in(self, window, open_now):
        assert is_open(delegation("csm", **window), NOW) is open_now
        assert bool(effective_roles(None, ["csm"], [delegation("csm", **window)], NOW)) is open_now

    def test_a_denial_follows_its_holder_into_the_tenant(self):
        roles = effective_roles(None, ["auditor", "onboarding_lead"], [delegation("onboarding_lead")], NOW)
        assert "auditor" not in roles
        assert not can(roles, Permission.GATE_DECIDE)
        assert can(roles, Permission.TASK_COMPLETE)

    def test_a_denial_alone_lets_nobody_in(self):
        assert effective_roles(None, ["auditor"], [delegation("csm")], NOW) == frozenset()
        assert effective_roles(None, ["no_decisions"], [delegation("no_decisions", "csm")], NOW) == frozenset()

    @pytest.mark.parametrize("role", ["partner_owner", "operator", "csm", "made up", "", "owner, admin", "Owner"])
    def test_a_member_row_gives_customer_roles_only(self, role):
        assert effective_roles(role, [], [], NOW) == frozenset()

    def test_a_delegation_never_carries_the_other_sides_roles(self):
        roles = ["owner", "operator", "admin", "approver"]
        assert effective_roles(None, roles, [delegation(*roles)], NOW) == frozenset()

    @given(st.none() | st.sampled_from([*Role, "made up"]), ROLES, st.lists(ROLES, max_size=3))
    def test_never_more_than_both_sides_hold(self, own, staff, delegated):
        views = [delegation(*roles) for roles in delegated]
        allowed = permissions_of(effective_roles(own, staff, views, NOW))
        own_part = permissions_of(frozenset({own} if own in CUSTOMER_ROLES else set()))
        shared = permissions_of(staff & PARTNER_ROLES)
        named = frozenset().union(*(permissions_of(roles - {"auditor", "no_decisions"}) for roles in delegated))
        audited = frozenset().union(*(permissions_of(roles & {"auditor"}) for roles in delegated))
        assert allowed <= own_part | (shared & (named | audited))

    @given(ROLES, st.lists(ROLES, max_size=3))
    def test_nobody_enters_by_a_closed_delegation(self, staff, delegated):
        views = [delegation(*roles, ends=NOW) for roles in delegated]
        assert effective_roles(None, staff, views, NOW) == frozenset()


class TestGrants:
    def test_say_where_each_role_comes_from(self):
        assert list_grants("viewer", ["csm", "auditor"], [delegation("csm")], NOW) == (
            Grant("viewer", "member"),
            Grant("csm", "delegation", DELEGATION),
            Grant("no_decisions", "assignment"),
        )


class TestHomeRoles:
    def test_are_what_is_assigned_there(self):
        assert home_roles(["partner_admin", "made up"]) == {"partner_admin"}
        assert home_roles(["operator"]) == {"operator"}

    def test_hold_no_customers_role(self):
        assert home_roles(["owner", "admin", "viewer"]) == frozenset()
