"""What a transaction starts with: quoted, limited, and nothing of it outlives the transaction."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.sessions import partner_scope, plain_scope, tenant_scope
from tenants.tenant import Tenant

TENANT = Tenant(UUID(int=1), UUID(int=2), "customer", "Acme", "main", "t_a", "slw_t_a", 0, "active")
EVIL = "x'; DROP SCHEMA control CASCADE; --"
names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


class TestAScope:
    @pytest.mark.parametrize(
        "begin",
        [
            tenant_scope(TENANT, "person:1").begin,
            partner_scope("partner", UUID(int=1), "person:1").begin,
            plain_scope("control", "lookup").begin,
        ],
    )
    def test_starts_with_begin_and_sets_everything_locally(self, begin):
        statements = [part.strip() for part in begin.split(";")]
        assert statements[:3] == ["BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "RESET ALL", "CLOSE ALL"]
        assert all(part.startswith("SET LOCAL ") for part in statements[3:-1])
        assert statements[-1].startswith("SELECT ")
        for setting in ("search_path", "statement_timeout", "lock_timeout", "app.actor"):
            assert f"SET LOCAL {setting} = " in begin

    @given(names)
    def test_quotes_whoever_acts(self, actor):
        begin = plain_scope("control", actor).begin
        literal = re.search(r"SET LOCAL app\.actor = (.*); SELECT now\(\)$", begin, re.DOTALL)
        assert literal is not None
        body = literal[1].strip().removeprefix("E")
        assert body[0] == body[-1] == "'"
        assert "'" not in body[1:-1].replace("''", "")

    def test_quotes_names_of_roles_and_schemas(self):
        evil = Tenant(UUID(int=1), UUID(int=2), "customer", "A", "main", 't"; DROP', 'r"; DROP', 0, "active")
        begin = tenant_scope(evil, EVIL).begin
        assert '"t""; DROP"' in begin
        assert '"r""; DROP"' in begin
        assert "''; DROP SCHEMA" in begin
