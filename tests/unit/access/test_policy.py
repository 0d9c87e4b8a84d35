"""The policy file: read whole or not at all, and saying what the product promises about its roles."""

import pytest

from app.access.decisions import can, limiting_roles, permissions_of
from app.access.permissions import Permission
from app.access.policy import MOST_RULES, POLICY_FILE, PolicyBroken, load_policy, parse_policy
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES, Role

GOOD = "g, owner, admin\np, admin, audit:trail:read, allow\n"


def may(role, permission):
    return can(frozenset({role}), permission)


class TestReading:
    def test_takes_rules_and_inclusions(self):
        policy = parse_policy(f"# a remark\n\n{GOOD}")
        assert [str(rule) for rule in policy.rules] == ["p, admin, audit:trail:read, allow"]
        assert policy.implied(Role.OWNER) == {Role.OWNER, Role.ADMIN}

    @pytest.mark.parametrize(
        "line",
        [
            "p, admin, audit:trail:read",
            "p, admin, audit:trail:read, maybe",
            "p, admin, audit:trail:read, allow, allow",
            'p, "admin, owner", audit:trail:read, allow',
            "p, made up, audit:trail:read, allow",
            "p, admin, audit:trail:*, allow",
            "p, admin, , allow",
            "p, Admin, audit:trail:read, allow",
            "p, admin, audit:trail:read, allow",
            "g, owner, admin",
            "g, owner",
            "g, owner, made up",
            "p2, admin, audit:trail:read, allow",
            "nonsense",
            " # indented",
        ],
    )
    def test_refuses_what_is_no_rule_and_names_the_line(self, line):
        with pytest.raises(PolicyBroken, match="line 3"):
            parse_policy(GOOD + line)

    @pytest.mark.parametrize("circle", ["g, owner, owner", "g, admin, owner", "g, admin, viewer\ng, viewer, owner"])
    def test_refuses_roles_that_include_each_other(self, circle):
        with pytest.raises(PolicyBroken, match="include each other"):
            parse_policy(GOOD + circle)

    def test_refuses_too_many(self):
        pairs = [(role, permission) for role in Role for permission in Permission]
        lines = [f"p, {role}, {permission}, allow" for role, permission in pairs[: MOST_RULES + 1]]
        parse_policy("\n".join(lines[:-1]))
        with pytest.raises(PolicyBroken, match="more than 100"):
            parse_policy("\n".join(lines))


class TestTheCommittedPolicy:
    def test_uses_every_role_and_every_permission(self):
        policy = load_policy()
        speaks_of = {rule.role for rule in policy.rules} | {role for pair in policy.inclusions for role in pair}
        assert speaks_of == set(Role)
        assert {rule.permission for rule in policy.rules if rule.effect == "allow"} == set(Permission)

    def test_every_permission_reads_scope_resource_action(self):
        assert all(permission.count(":") == 2 and permission == permission.lower() for permission in Permission)

    def test_the_sides_share_no_role(self):
        policy = load_policy()
        for side in (CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES):
            assert {implied for role in side for implied in policy.implied(role)} == side
        assert set(Role) == CUSTOMER_ROLES | PARTNER_ROLES | PLATFORM_ROLES

    def test_a_viewer_changes_nothing(self):
        assert {name.rsplit(":", 1)[1] for name in permissions_of(frozenset({"viewer"}))} == {"read"}

    def test_only_a_customers_owner_approves_delegations(self):
        assert [role for role in Role if may(role, Permission.DELEGATION_APPROVE)] == [Role.OWNER]

    def test_the_operator_does_not_see_into_tenants(self):
        scopes = {name.split(":")[0] for name in permissions_of(frozenset({"operator"}))}
        assert not scopes & {"onboarding", "audit", "connectors", "intake", "notifications", "identity", "access"}

    def test_an_auditor_decides_nothing_whatever_else_they_are(self):
        for other in Role:
            assert not can(frozenset({"auditor", other}), Permission.GATE_DECIDE)
            assert not can(frozenset({"auditor", other}), Permission.WORKFLOW_APPROVE)
        assert can(frozenset({"auditor", "partner_admin"}), Permission.BRAND_EDIT)

    def test_an_editor_of_workflows_alone_does_not_approve_them(self):
        assert may(Role.ONBOARDING_LEAD, Permission.WORKFLOW_EDIT)
        assert not may(Role.ONBOARDING_LEAD, Permission.WORKFLOW_APPROVE)

    def test_only_no_decisions_merely_takes_away(self):
        assert limiting_roles() == {Role.NO_DECISIONS}
        assert not permissions_of(frozenset({"no_decisions"}))

    def test_is_plain_text(self):
        POLICY_FILE.read_text("ascii")
