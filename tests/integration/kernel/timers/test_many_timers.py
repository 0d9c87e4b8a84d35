"""Thousands of timers that are due at once: how many transactions and statements, and that each fires once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from app.kernel.queue.timers.due import TOGETHER, fire_timers
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation

BATCH = 1_000
_SET = """
    INSERT INTO cell.timer (tenant_id, id, kind, subject_id, version, args, due_at, state, trace_id, created_at)
    SELECT %s, gen_random_uuid(), 'tests.note', %s, 1, '{}', now() - make_interval(secs => n), 'waiting', '', now()
    FROM generate_series(1, %s) n
"""
_COUNTED = """
    SELECT count(DISTINCT id) AS jobs, count(DISTINCT dedupe_key) AS keys, count(DISTINCT timer) AS timers
    FROM cell.job, jsonb_array_elements(args -> 'ids') AS timer
"""


@pytest.mark.parametrize("many", [5_000, pytest.param(50_000, marks=pytest.mark.soak)])
def test_are_drained_a_thousand_a_transaction_with_a_few_statements_each(
    installation: Installation, acme: Tenant, umbrella: Tenant, many: int
):
    for tenant in (acme, umbrella):
        installation.cell(_SET, tenant.id, tenant.id, many // 2)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = installation.databases.cell(CELL).dispatcher
    event.listen(engine, "before_cursor_execute", note)
    try:
        fired = [fire_timers(installation.databases, CELL) for _batch in range(many // BATCH)]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert fired == [BATCH] * (many // BATCH)
    assert fire_timers(installation.databases, CELL) == 0
    assert len(statements) <= 5 * len(fired)
    (count,) = installation.cell(_COUNTED)
    assert (count.jobs, count.keys, count.timers) == (many // TOGETHER, many // TOGETHER, many)
    (left,) = installation.cell("SELECT count(*) AS waiting FROM cell.timer WHERE state = 'waiting'")
    assert left.waiting == 0
