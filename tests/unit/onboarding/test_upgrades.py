"""The document of an upgrade: what is written down where two steps cross, and where a way back leads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.flow.events import MigrationMap
from app.onboarding.upgrades.rules import Line, Part, State, Upgrade, Who, after_step, joined

_WHO = Who(UUID(int=1), "Lena", datetime(2026, 9, 1, tzinfo=UTC))
_LINES = tuple(UUID(int=number) for number in range(10, 20))


def upgrade(state: State) -> Upgrade:
    """An upgrade in that state; a way back is of all its onboardings."""
    where: dict[str, Any] = {"from_versions": (), "to": "sha256:2", "overlay": None, "definition": "sha256:3"}
    about: dict[str, Any] = {"template": "a", "title": "A", "version": "2", "map": MigrationMap(), "asked": _WHO}
    return Upgrade(id=UUID(int=2), number=1, state=state, back=_LINES, **where, **about)


def line(number: int = 0, **met: Any) -> Line:
    """An onboarding that can go on, with what else it met."""
    return Line(onboarding=_LINES[number], name="A", before="sha256:1", version="1", seen="goes", **met)


class TestJoined:
    def test_keeps_that_one_went_on_while_the_way_back_passed_it(self):
        found = joined(upgrade("applying"), line(back="runs_it"), line(applied="done"))
        assert (found.applied, found.back) == ("done", "moved")
        assert found.can_go_back

    def test_keeps_that_one_went_on_after_the_way_back_had_read_it(self):
        found = joined(upgrade("taking_back"), line(applied="done"), line(back="runs_it"))
        assert (found.applied, found.back) == ("done", "moved")

    def test_leaves_what_was_met_as_it_was_met(self):
        known = line(applied="done")
        assert joined(upgrade("applying"), known, line(applied="failed")) == known
        assert joined(upgrade("applying"), known, line()) == known


class TestAfterStep:
    def after(self, *lines: Line) -> State:
        """The state behind a way back that met these."""
        return after_step(upgrade("taking_back"), [Part(tenant=UUID(int=5), name="Acme", lines=lines)])

    def test_leads_back_to_what_was_stopped_where_nobody_has_met_all(self):
        assert self.after(line(applied="done", back="done"), line(1)) == "applying"

    def test_is_over_where_all_run_what_they_ran_before(self):
        assert self.after(line(applied="done", back="done"), line(1, back="runs_it")) == "taken_back"

    def test_is_not_over_where_one_could_not_be_asked(self):
        assert self.after(line(applied="done", back="done"), line(1, back="resting")) == "applied"
