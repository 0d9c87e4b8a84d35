"""The functions that write marks name every column, and hide no conflict but a job's."""

from __future__ import annotations

import pytest

from app.flow.state import ItemState
from app.kernel.marks import Marks
from app.kernel.models import Command, Job, Outbox, Timer, TrailEntry, TrailMark
from app.notifications.models import Message
from app.onboarding.models import Item, Journal
from tenants.schema.marks import ITEM_COLUMNS, ITEM_DEFAULTS, MARK_FUNCTIONS, MARKS, mark_name

TABLES = {
    "trail": TrailEntry,
    "trail_mark": TrailMark,
    "outbox": Outbox,
    "job": Job,
    "timer": Timer,
    "command": Command,
    "journal": Journal,
    "message": Message,
}


class TestMarks:
    def test_are_those_of_the_design(self):
        assert {mark_name(table) for table in MARKS} == set(TABLES)

    @pytest.mark.parametrize("table", MARKS)
    def test_name_every_column_of_their_table(self, table: str):
        """A column that is not named here would be NULL for ever, and nobody would notice."""
        model = TABLES[mark_name(table)]
        assert str(model.__table__) == table
        assert set(MARKS[table].split(", ")) == {column.name for column in model.__table__.columns}

    def test_do_not_conflict_in_silence_but_for_jobs(self):
        once = [line for line in MARK_FUNCTIONS.splitlines() if "CONFLICT" in line]
        assert len(once) == 1
        assert "INSERT INTO cell.job " in once[0]

    def test_of_a_table_that_has_none_are_refused(self):
        with pytest.raises(LookupError):
            Marks().add("journey", {})


class TestTheState:
    def test_names_everything_that_the_engine_changes_in_an_item(self):
        assert set(ITEM_COLUMNS) == set(ItemState.__struct_fields__)

    def test_says_what_a_row_holds_where_the_state_leaves_out_its_default(self):
        fresh = ItemState()
        never_empty = {name for name in ITEM_COLUMNS if not Item.__table__.columns[name].nullable}
        assert set(ITEM_DEFAULTS) == never_empty
        assert {name: str(getattr(fresh, name)) for name in never_empty} == ITEM_DEFAULTS
        assert {getattr(fresh, name) for name in ITEM_COLUMNS if name not in never_empty} == {None}
