"""Names and passwords of an installation's roles."""

from __future__ import annotations

import re

from tenants.naming import RoleNames, new_schema_name, role_password

ROLES = RoleNames("slw_0123abcd")


class TestRoleNames:
    def test_all_start_with_the_installation(self):
        names = [ROLES.door, ROLES.partner, ROLES.app, ROLES.dispatcher, ROLES.registry, ROLES.gateway(31)]
        names.append(ROLES.tenant(new_schema_name()))
        assert all(name.startswith("slw_0123abcd_") for name in names)
        assert len(set(names)) == len(names)

    def test_need_no_quotes_and_fit_postgresql(self):
        for name in (ROLES.tenant(new_schema_name()), ROLES.gateway(0), ROLES.dispatcher):
            assert re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name)


class TestNewSchemaName:
    def test_is_opaque_and_never_the_same(self):
        names = {new_schema_name() for _ in range(10_000)}
        assert len(names) == 10_000
        assert all(re.fullmatch(r"t_[a-z2-7]{16}", name) for name in names)


class TestRolePassword:
    def test_is_the_same_for_the_same_role_only(self):
        assert role_password(b"s", "a") == role_password(b"s", "a")
        assert len({role_password(b"s", "a"), role_password(b"s", "b"), role_password(b"t", "a")}) == 3
