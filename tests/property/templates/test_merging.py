"""Any edits of any library template, with any next version of it: nothing lost, nothing invented, nothing silent."""

from __future__ import annotations

import copy
import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.templates.document import Source
from app.templates.language import address, canonical
from app.templates.merging.finding import Found, Versions, find_conflicts
from app.templates.merging.resolving import settled, statement
from app.templates.overlays.edits import edits_of
from app.templates.overlays.patching import Patching
from app.templates.overlays.reading import Overlay
from tests.property.templates import naive
from tests.property.templates.generated import Partner, Words, at, keyed, library, partner, upstream, walk

EXAMPLES = int(os.environ.get("MERGE_EXAMPLES", "4000"))
some = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SEEDS = st.integers(0, 1_000_000_000)


class Case:
    """One old version, one patch upon it, one new version."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)  # noqa: S311  # a repeatable choice, not a secret
        self.old = copy.deepcopy(part(self.chance, self.chance.choice(library())))
        every = [words for words, _ in walk(self.old)]
        root = self.chance.choice(every)[: self.chance.randint(1, 6)]
        self.hot: list[Words] = [words for words in every if words[: len(root)] == root]
        self.partner: Partner = partner(self.chance, self.old, self.hot)
        self.new = upstream(self.chance, self.old, self.hot, self.partner)
        self.ours = applied(self.old, self.partner.patch)

    def versions(self, patch: dict[str, Any] | None = None) -> Versions:
        return Versions(self.old, self.new, self.ours, patch or self.partner.patch, ())

    def found(self) -> Found:
        return find_conflicts(self.versions(), edits_of(self.partner.patch, self.old))


def part(chance: Random, document: dict[str, Any]) -> dict[str, Any]:
    """A few elements of each of its lists, so that both sides meet, and quickly."""
    few = {name: chance.sample(value, min(3, len(value))) for name, value in document.items() if keyed(value)}
    fields = document["handoff"]["fields"]
    return document | few | {"handoff": {"fields": chance.sample(fields, min(3, len(fields)))}}


def applied(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    said = {"overlay": "some", "version": "1.0.0", "partner": "some", "patch": patch}
    work = Patching(copy.deepcopy(document), [])
    work.apply(Overlay(said, address(said), Source("overlay.yaml", said, {}, {})))
    assert not work.problems, work.problems
    return work.document


def told_apart(result: dict[str, Any], case: Case) -> naive.Leaves:
    """The leaves, without what only was emptied."""
    found = naive.leaves(result)
    return {words: each for words, each in found.items() if not naive.is_emptied(each, words, case.old)}


def related(one: Words, other: Words) -> bool:
    return one[: len(other)] == other or other[: len(one)] == one


def check_conflicts(seed: int) -> None:
    case = Case(seed)
    found = {each.words for each in case.found().conflicts if not each.is_position}
    wanted = naive.conflicts(case.old, case.new, case.ours, case.partner)
    unknown = [words for words in found if not any(related(words, one) for one in wanted)]
    missed = [words for words in wanted if not any(related(words, one) for one in found)]
    assert not unknown, f"no conflict in truth: {unknown}"
    assert not missed, f"not seen: {missed}"


def check_outcome(seed: int) -> None:
    case = Case(seed)
    found = case.found()
    told = [*found.carried, *found.redundant, *(each.path for each in found.conflicts)]
    assert len(told) == len(set(told)), "every edit is told once"
    if not found.conflicts:
        result = applied(case.new, case.partner.patch)
        assert told_apart(result, case) == naive.merged(case.old, case.new, case.ours, case.partner)
        return
    for side in ("ours", "theirs"):
        patch = settled(case.versions(), found.conflicts, {each.path: side for each in found.conflicts})
        result = applied(case.new, patch)
        for each in found.conflicts:
            wanted = each.ours if side == "ours" else each.theirs
            assert each.is_position or naive.leaves({"x": at(result, each.words)}) == naive.leaves({"x": wanted})
        known = {*naive.leaves(case.new).values(), *naive.leaves(case.ours).values()}
        assert {*naive.leaves(result).values()} <= known | {"[]", "{}"}, "nothing is invented"
        again = Versions(case.new, case.new, result, patch, ())
        assert not find_conflicts(again, edits_of(patch, case.new)).conflicts, "what is settled stays settled"


def check_way_back(seed: int) -> None:
    case = Case(seed)
    found = case.found()
    if found.conflicts:
        return
    patch = settled(case.versions(), (), {})
    assert canonical(patch) == canonical(case.partner.patch)
    result = applied(case.new, patch)
    back = find_conflicts(Versions(case.new, case.old, result, patch, ()), edits_of(patch, case.new))
    assert [each for each in back.conflicts if not each.is_position] == []
    assert canonical(applied(case.old, patch)) == canonical(case.ours)


CHECKS = [check_conflicts, check_outcome, check_way_back]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
class TestUpgrade:
    @given(seed=SEEDS)
    @some
    def test_of_any_patch_to_any_version(self, check, seed):
        check(seed)

    @pytest.mark.soak
    @pytest.mark.timeout(900)
    @given(seed=SEEDS)
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_of_very_many(self, check, seed):
        check(seed)


class TestEdits:
    @given(SEEDS)
    @some
    def test_of_different_places_come_out_the_same_in_any_order(self, seed):
        case = Case(seed)
        patch = shuffled(case.chance, case.partner.patch)
        assert naive.leaves(applied(case.old, patch)) == naive.leaves(case.ours)

    @given(SEEDS)
    @some
    def test_to_the_version_they_were_written_for_are_all_carried(self, seed):
        case = Case(seed)
        case.new = case.old
        assert not case.found().conflicts


class TestStatement:
    @given(SEEDS)
    @some
    def test_leads_from_any_version_to_any_other_with_its_order(self, seed):
        case = Case(seed)
        assert canonical(applied(case.old, statement(case.old, case.new))) == canonical(case.new)
        assert statement(case.old, case.old) == {}


def shuffled(chance: Random, node: Any) -> Any:
    """The same patch with its names and elements in another order; what goes beside another stays behind it."""
    if isinstance(node, dict):
        names = list(node)
        chance.shuffle(names)
        return {
            name: shuffled(chance, node[name]) if isinstance(node[name], dict | list) else node[name] for name in names
        }
    if not all(isinstance(each, dict) for each in node) or any({"$after", "$before"} & each.keys() for each in node):
        return node
    return [shuffled(chance, each) for each in chance.sample(node, len(node))]
