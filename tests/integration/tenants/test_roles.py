"""Who is a member of whom, who may connect where: what `install` and `make_slots` leave in the server's catalogs."""

from __future__ import annotations

import pytest

from tests import cluster
from tests.factories.installation import GATEWAYS, Installation


def roles_like(house: Installation, pattern: str) -> list[str]:
    query = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s ORDER BY 1"
    return [row.rolname for row in house.cell(query, f"{house.key.prefix}{pattern}")]


class TestEveryRole:
    def test_of_the_installation_has_no_power_over_the_server(self, house: Installation):
        query = (
            "SELECT rolname FROM pg_roles WHERE rolname LIKE %s AND"
            " (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)"
        )
        assert house.cell(query, f"{house.key.prefix}%") == []
        assert len(roles_like(house, "%")) >= 5 + GATEWAYS

    def test_that_logs_in_inherits_nothing(self, house: Installation):
        query = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s AND rolcanlogin AND rolinherit"
        assert house.cell(query, f"{house.key.prefix}%") == []

    def test_that_logs_in_is_a_gateway_the_door_the_dispatcher_or_the_registry(self, house: Installation):
        query = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s AND rolcanlogin"
        roles = house.key.roles
        expected = {roles.door, roles.dispatcher, roles.registry, *(roles.gateway(n) for n in range(GATEWAYS))}
        assert {row.rolname for row in house.cell(query, f"{house.key.prefix}%")} == expected


class TestAMembership:
    def test_gives_no_login_rights_without_set_role_nor_the_right_to_pass_them_on(self, house: Installation):
        query = (
            "SELECT m.rolname, r.rolname AS of FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
            " JOIN pg_roles r ON r.oid = a.roleid"
            " WHERE m.rolname LIKE %s AND m.rolcanlogin AND (a.inherit_option OR a.admin_option)"
        )
        assert house.cell(query, f"{house.key.prefix}%") == []

    def test_is_held_in_each_tenant_by_its_own_gateway_only(self, house: Installation):
        query = (
            "SELECT s.role_name, s.gateway, array_agg(m.rolname::text) AS members FROM cell.slot s"
            " JOIN pg_roles r ON r.rolname = s.role_name JOIN pg_auth_members a ON a.roleid = r.oid"
            " JOIN pg_roles m ON m.oid = a.member WHERE m.rolname LIKE %s GROUP BY 1, 2"
        )
        slots = house.cell(query, f"{house.key.prefix}%")
        assert len(slots) >= GATEWAYS
        assert [s for s in slots if s.members != [house.key.roles.gateway(s.gateway)]] == []

    def test_makes_a_tenants_role_an_app_and_nothing_else(self, house: Installation):
        query = (
            "SELECT DISTINCT r.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member"
            " JOIN pg_roles r ON r.oid = a.roleid JOIN cell.slot s ON s.role_name = m.rolname"
        )
        assert [row.rolname for row in house.cell(query)] == [house.key.roles.app]


class TestADatabase:
    @pytest.mark.parametrize("which", ["control_url", "cell_url"])
    def test_is_entered_by_its_own_logins_only(self, house: Installation, which: str):
        roles = house.key.roles
        cell = {roles.dispatcher, roles.registry, *(roles.gateway(n) for n in range(GATEWAYS))}
        expected = {roles.door} if which == "control_url" else cell
        query = (
            "SELECT rolname FROM pg_roles WHERE rolname LIKE %s AND rolcanlogin"
            " AND has_database_privilege(oid, %s, 'CONNECT')"
        )
        name = cluster.name_of(getattr(house.urls, which))
        assert {row.rolname for row in house.cell(query, f"{house.key.prefix}%", name)} == expected

    @pytest.mark.parametrize("which", ["control_url", "cell_url"])
    @pytest.mark.parametrize("right", ["TEMPORARY", "CREATE"])
    def test_lets_none_of_them_make_anything(self, house: Installation, which: str, right: str):
        query = "SELECT rolname FROM pg_roles WHERE rolname LIKE %s AND has_database_privilege(oid, %s, %s)"
        name = cluster.name_of(getattr(house.urls, which))
        assert house.cell(query, f"{house.key.prefix}%", name, right) == []

    def test_has_no_table_of_a_tenant_that_others_may_touch(self, house: Installation):
        query = (
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " JOIN cell.slot s ON s.schema_name = n.nspname CROSS JOIN aclexplode(c.relacl) a"
            " WHERE a.grantee <> c.relowner AND a.grantee <> s.role_name::regrole"
        )
        assert house.cell(query) == []
