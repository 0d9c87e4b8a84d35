"""Fifty thousand lines of work over five partners: what a page and the counts read, by PostgreSQL's own account."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from app.kernel.actor import Actor
from app.kernel.paging import CursorKey
from app.onboarding.queues.lines import counted
from app.onboarding.queues.queries import list_work
from app.onboarding.queues.schemas import WorkQuery
from tenants.sessions import partner_session
from tests.factories.installation import Installation, Partner, person

PARTNERS = 5
READER, OTHER = UUID(int=7), UUID(int=8)
_FILL = """
    INSERT INTO control.work_item (tenant_id, onboarding_id, key, organisation_id, seq, name, kind, queue, side, state,
        title, role, role_title, assignee, people, candidates, unowned, since, due_at, reason, watchers)
    SELECT md5(%s::text || 't' || n / 20)::uuid, md5(%s::text || 'o' || n / 10)::uuid, 'task.' || n,
        %s, 1, 'Acme', 'task', (ARRAY['tasks', 'customer', 'handoff', 'kickoff', 'exceptions'])[1 + n %% 5],
        CASE WHEN n %% 5 = 1 THEN 'customer' ELSE 'partner' END, 'open', '{"en": "A step", "de": "Ein Schritt"}', 'csm',
        '{"en": "CSM"}', CASE WHEN n %% 100 = 0 THEN %s::uuid END, jsonb_build_array(jsonb_build_object('id',
        CASE WHEN n %% 100 < 3 THEN %s::text ELSE %s::text END, 'name', 'Somebody')), '[]', n %% 50 = 0,
        now() - n * interval '1 minute', CASE WHEN n %% 10 > 0 THEN now() + (n - 500) * interval '1 minute' END,
        NULL, CASE WHEN n %% 200 = 0 THEN jsonb_build_array(%s::text) ELSE '[]'::jsonb END
    FROM generate_series(1, %s) n"""


def tell(line: str) -> None:
    """Show a line of the report, past pytest's capturing with `-s`."""
    sys.stdout.write(f"work: {line}\n")


class Crowd:
    """Partners with so many lines each, and somebody of the first."""

    def __init__(self, installation: Installation, lines: int) -> None:
        self.installation, self.lines = installation, lines
        installation.runtime.services[CursorKey] = CursorKey(b"the key of this test")
        self.partners: list[Partner] = [installation.partner(f"Busy {number}") for number in range(PARTNERS)]
        for one in self.partners:
            names = (str(one.id), str(one.id), one.id, READER, str(READER), str(OTHER), str(READER), lines)
            installation.control(_FILL, *names)
        installation.control("VACUUM (ANALYZE) control.work_item")
        home = self.partners[0].id
        lead = person("Lea", organisation_id=home, roles=frozenset({"onboarding_lead"}))
        self.reader: Actor = replace(lead, id=READER)

    def page(self, **asked: Any) -> tuple[Any, list[tuple[str, Any]]]:
        """A page as it is read, and every statement that read it."""
        wanted = WorkQuery(**asked)
        with self._told() as said:
            found = list_work(self.installation.runtime, self.reader, self.partners[0].id, wanted)
        return found, said

    @contextmanager
    def _told(self) -> Iterator[list[tuple[str, Any]]]:
        said: list[tuple[str, Any]] = []

        def hear(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, _many: bool) -> None:  # noqa: FBT001 - SQLAlchemy calls it so
            if "work_item" in statement:
                said.append((statement, values))

        engine = self.installation.runtime.databases.control
        event.listen(engine, "before_cursor_execute", hear)
        try:
            yield said
        finally:
            event.remove(engine, "before_cursor_execute", hear)

    def account(self, statement: str, values: Any) -> dict[str, Any]:
        """What PostgreSQL did for it, in the organisation's own scope."""
        databases = self.installation.runtime.databases
        with partner_session(databases, self.partners[0].id, actor="test") as (session, _now):
            session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))
            raw = session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            [[told]] = raw.all()
        plan: dict[str, Any] = (told if isinstance(told, list) else json.loads(told))[0]["Plan"]
        return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every step of a plan."""
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def looked_at(plan: dict[str, Any]) -> int:
    """How many lines were read, those too that did not fit."""
    scans = [each for each in nodes(plan) if each.get("Relation Name") == "work_item"]
    return int(sum(each["Actual Rows"] + each.get("Rows Removed by Filter", 0) for each in scans))


def buffers(plan: dict[str, Any]) -> int:
    """Pages of eight kilobytes that were touched."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def indexes(plan: dict[str, Any]) -> set[str]:
    """The indexes that a plan uses."""
    return {each["Index Name"] for each in nodes(plan) if "Index Name" in each}


@pytest.mark.parametrize("lines", [2_000, pytest.param(10_000, marks=pytest.mark.soak)])
def test_of_one_partner_cost_no_more_for_those_of_others(installation: Installation, lines: int):
    crowd = Crowd(installation, lines)
    for view in counted:
        found, said = crowd.page(view=view)
        plans = [crowd.account(*each) for each in said]
        page, queues, nobodys, taken, named = plans  # nothing else, and no line is asked for alone
        tell(f"{view}: {len(found.rows)} of {found.total}, buffers {[buffers(each) for each in plans]}")
        assert looked_at(queues) <= lines
        assert indexes(queues) == {"ix_work_item_counts"}
        assert looked_at(nobodys) <= lines // 40
        assert looked_at(taken) <= lines // 40
        assert looked_at(named) <= lines * PARTNERS  # one pass: who is named is known to no index
        if view in {"all", "mine", "unowned"}:
            assert indexes(page) <= {"ix_work_item_page", "ix_work_item_taken", "ix_work_item_nobodys"}
            assert looked_at(page) <= max(51, lines // 40)
        elif view in {"late", "customer"}:
            assert (indexes(page), looked_at(page) <= lines) == ({"ix_work_item_page"}, True)
        assert len(found.rows) == min(50, found.total)


def test_go_on_in_the_order_of_the_index_and_read_no_line_of_others(installation: Installation):
    crowd = Crowd(installation, 2_000)
    seen: list[str] = []
    after: dict[str, Any] = {}
    for turn in range(1, 5):
        found, said = crowd.page(limit=200, **after)
        seen += [row.key for row in found.rows]
        after = {"cursor": found.next}
        plan = crowd.account(*said[0])
        assert (indexes(plan), looked_at(plan) <= 200 * turn + 1) == ({"ix_work_item_page"}, True)
    assert len(set(seen)) == 800
