"""Revisions as text: rendered once, the same in every process, and refused where a fleet could not replay them."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from tenants.fleet.tree import UnfitRevision, compile_tree
from tenants.schema.head import NEEDED_TENANT_REVISION, outdated_revisions, revisions_below, tenant_revision
from tests.factories.fleet import BACKFILL, CONCURRENT, CONTRACT, EXPAND, Revisions


class TestTheProductsTree:
    def test_can_be_replayed_over_a_fleet(self):
        tree = compile_tree()
        assert tree.head == tenant_revision()
        assert tree.position(NEEDED_TENANT_REVISION) is not None

    def test_names_no_schema(self):
        assert not re.search(r"\b(public|control|cell)\.|\bt_[a-z2-7]{16}\b", compile_tree().revisions[0].script)


class TestACompiledRevision:
    def test_is_the_same_each_time(self, revisions: Revisions):
        revisions.usual()
        first, second = (compile_tree(revisions.folder) for _ in range(2))
        assert [each.checksum for each in first.revisions] == [each.checksum for each in second.revisions]
        assert len({each.checksum for each in first.revisions}) == len(first.revisions)

    def test_changes_its_checksum_with_its_text_and_its_kind(self, revisions: Revisions):
        revisions.add("t_expand", EXPAND)
        (before,) = compile_tree(revisions.folder).revisions[-1:]
        file = revisions.folder / "t_expand.py"
        written = file.stat().st_mtime_ns
        for old, new in (("ix_command_note", "ix_command_memo"), ("'expand'", "'contract'")):
            file.write_text(file.read_text().replace(old, new))
            os.utime(file, ns=(written, written))  # compiled Python kept of a file goes by its second and its size
            (after,) = compile_tree(revisions.folder).revisions[-1:]
            assert after.checksum != before.checksum
            before = after

    def test_keeps_percent_signs_quotes_and_letters_as_they_are(self, revisions: Revisions):
        revisions.add("t_odd", """op.execute("SELECT 'ä 100%', '%s', ':x'")""".replace(":x", r"\\:x"))
        assert "SELECT 'ä 100%', '%s', ':x'" in compile_tree(revisions.folder).revisions[-1].script

    def test_knows_the_tables_and_indexes_that_it_makes(self, revisions: Revisions):
        revisions.add("t_table", "op.create_table('probe', sa.Column('id', sa.UUID()))")
        revisions.add("t_index", CONCURRENT, concurrent=True)
        table, index = compile_tree(revisions.folder).revisions[-2:]
        assert table.tables == ("probe",)
        assert [index.index_of(each) for each in index.statements] == ["ix_command_at"]


class TestARevisionThatIsRefused:
    @pytest.mark.parametrize(
        ("body", "header", "said"),
        [
            ("pass", {"kind": ""}, "declares no kind"),
            ("pass", {"kind": "sideways"}, "declares no kind"),
            (CONTRACT, {}, "DROP COLUMN"),
            ("op.alter_column('command', 'at', nullable=False)", {}, "SET NOT NULL"),
            ("op.rename_table('command', 'order')", {}, "RENAME"),
            ("op.execute('COMMIT')", {}, "transaction"),
            ("op.get_bind().execute(sa.text('SELECT 1')).all()", {}, "cannot be rendered"),
            (CONCURRENT, {}, "concurrent = True exactly when"),
            (EXPAND, {"concurrent": True}, "concurrent = True exactly when"),
            (f"{CONCURRENT}\n    {EXPAND}", {"concurrent": True}, "may hold CREATE INDEX CONCURRENTLY"),
            ("pass", {"kind": "backfill"}, "needs both"),
            ("pass", {"backfill": BACKFILL}, "needs both"),
            (EXPAND, {"kind": "backfill", "backfill": BACKFILL}, "Make two revisions"),
            (
                "pass",
                {"kind": "backfill", "backfill": BACKFILL | {"table": 'x"; DROP'}},
                "capitals or with other signs",
            ),
        ],
    )
    def test_says_which_and_why(self, revisions: Revisions, body: str, header: dict[str, Any], said: str):
        revisions.add("t_bad", body, **header)
        with pytest.raises(UnfitRevision, match=re.escape(said)) as caught:
            compile_tree(revisions.folder)
        assert "Revision t_bad (t_bad.py)" in str(caught.value)


class TestOutdatedRevisions:
    def test_are_those_below_what_a_build_needs(self, revisions: Revisions):
        folder = revisions.usual().folder
        below = revisions_below("t_index", folder)
        assert below == {tenant_revision(), "t_expand"} | revisions_below(tenant_revision())
        assert "t_index" not in below

    def test_are_none_at_the_first_revision(self):
        assert revisions_below(compile_tree().revisions[0].revision) == frozenset()

    def test_are_known_by_their_numbers(self):
        assert outdated_revisions() == revisions_below(NEEDED_TENANT_REVISION)
