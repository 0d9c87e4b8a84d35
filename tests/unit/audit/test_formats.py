"""The trail in the words of others: nothing runs in a spreadsheet, everything has its class in a SIEM."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.audit.formats.ocsf import ocsf_event
from app.audit.formats.table import COLUMNS, csv_head, csv_line, guarded
from app.kernel.trail import Entry

ENTRY = Entry(
    id=UUID(int=1),
    at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    actor_kind="person",
    actor_id=UUID(int=2),
    actor_name='@Ann, "the" owner\n',
    on_behalf_of=None,
    action="identity.member.added",
    subject_kind="member",
    subject_id=UUID(int=3),
    onboarding_id=None,
    reason=None,
    trace_id="0" * 32,
    body={"name": "=1+1"},
    salt="00",
    leaf_hash="11",
    personal=None,
)


def changed(action: str) -> Entry:
    return Entry(**{c.name: getattr(ENTRY, c.name) for c in Entry.__table__.columns} | {"action": action})


class TestATable:
    @pytest.mark.parametrize(
        "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\uff1dcmd", '=HYPERLINK("x")']
    )
    def test_never_begins_a_cell_like_a_formula(self, cell):
        assert guarded(cell) == f"'{cell}"

    @pytest.mark.parametrize("cell", ["", "Ann", "1-1", "a=b", '{"name": "=1"}'])
    def test_leaves_other_cells_alone(self, cell):
        assert guarded(cell) == cell

    def test_is_read_back_by_any_reader(self):
        text = (csv_head() + csv_line(0, ENTRY)).decode("utf-8-sig")
        head, row = list(csv.reader(io.StringIO(text, newline="")))
        assert tuple(head) == COLUMNS
        told = dict(zip(head, row, strict=True))
        assert told["actor_name"] == '\'@Ann, "the" owner\n'
        assert told["place"] == "0"


class TestOCSF:
    @pytest.mark.parametrize(
        ("action", "class_uid", "activity"),
        [
            ("identity.member.added", 3001, 99),
            ("identity.member.removed", 3001, 6),
            ("identity.session.ended", 3002, 2),
            ("identity.session.began", 3002, 1),
            ("tenancy.tenant.created", 6003, 1),
            ("tenancy.tenant.changed", 6003, 3),
            ("audit.values.erased", 6003, 4),
            ("onboarding.gate.decided", 6003, 99),
        ],
    )
    def test_has_class_activity_and_type(self, action, class_uid, activity):
        event = ocsf_event(7, changed(action), "tenant")
        assert (event["class_uid"], event["activity_id"]) == (class_uid, activity)
        assert event["type_uid"] == class_uid * 100 + activity
        assert event["category_uid"] == class_uid // 1000
        assert event["time"] == 1795262400000
        assert event["metadata"]["tenant_uid"] == "tenant"
        assert event["unmapped"]["action"] == action

    def test_says_that_a_refusal_failed(self):
        entry = Entry(
            **{c.name: getattr(ENTRY, c.name) for c in Entry.__table__.columns} | {"action": "audit.access.refused"}
        )
        assert ocsf_event(0, entry, "t")["status_id"] == 2
