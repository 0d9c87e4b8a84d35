"""The one statement of marks names every column, and hides no conflict but a job's."""

from __future__ import annotations

import re

import pytest

from app.kernel.marks import _STATEMENTS
from app.kernel.models import Command, Job, Outbox, Timer, TrailEntry, TrailMark
from app.onboarding.models import DateMove, Journal

TABLES = {
    "trail": TrailEntry,
    "trail_mark": TrailMark,
    "outbox": Outbox,
    "job": Job,
    "timer": Timer,
    "command": Command,
    "journal": Journal,
    "date_move": DateMove,
}


class TestMarks:
    def test_are_those_of_the_design(self):
        assert set(_STATEMENTS) == set(TABLES)

    @pytest.mark.parametrize("name", TABLES)
    def test_name_every_column_of_their_table(self, name):
        """A column that is not named here would be NULL for ever, and nobody would notice."""
        found = re.search(r"\(([^)]*)\) SELECT", _STATEMENTS[name])
        assert found is not None
        assert set(found[1].split(", ")) == {column.name for column in TABLES[name].__table__.columns}

    def test_do_not_conflict_in_silence_but_for_jobs(self):
        assert [name for name, statement in _STATEMENTS.items() if "CONFLICT" in statement] == ["job"]
