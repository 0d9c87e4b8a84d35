"""Whatever befalls a bundle is named: ten thousand alterations in the soak, a slice of them each time."""

from __future__ import annotations

import json
import os
import random
import sys
from itertools import pairwise
from uuid import UUID

import pymerkle
import pytest

from app.audit.bundle.verifying import TrailAltered, verify_bundle
from app.audit.leaf import canonical, hash_leaf
from app.audit.note import make_key, read_note
from tests.unit.audit.bundled import Altered, alter, bundle

SEED = int(os.environ.get("SLIPWAY_TEST_SEED") or random.SystemRandom().randrange(2**32))
SLICE, ALL = 120, 12_000
SIZES = [1, 2, 3, 7, 8, 9, 31, 33]


def missed(altered: Altered, original: list[bytes], *, pinned: bool) -> str | None:
    """What is wrong with the verifier's answer: nothing, unless it is silent or names another place."""
    key = [] if not pinned else [BUNDLE.key]
    if altered.lines == original:
        return None
    try:
        verify_bundle(altered.lines, pinned=key)
    except TrailAltered as said:
        named = said.line == altered.line or _is_of_a_checkpoint_that_is_gone(altered, original, said)
        return None if named else f"{altered.what}: line {altered.line}, not {said}"
    return f"{altered.what}: not noticed"


def _is_of_a_checkpoint_that_is_gone(altered: Altered, original: list[bytes], said: TrailAltered) -> bool:
    """Nothing stands where it stood: it is named where it stands now, or by the next checkpoint."""
    gone = json.loads(original[altered.line - 1]) if altered.line <= len(original) else {}
    if "checkpoint" not in gone:
        return False
    size = read_note(gone["checkpoint"]).size
    missing = str(said).endswith(f"the checkpoint of {size} entries before it is missing.")
    return missing or (said.record == f"checkpoint of {size}" and "does not belong" in str(said))


BUNDLE = bundle(33)


def alterations(count: int) -> list[str]:
    """What was missed of so many random alterations."""
    chance = random.Random(SEED)  # noqa: S311 - accidents, not keys
    sys.stdout.write(f"SLIPWAY_TEST_SEED={SEED}\n")
    made = (alter(BUNDLE.lines, chance) for _ in range(count))
    return [found for one in made if (found := missed(one, BUNDLE.lines, pinned=chance.random() < 0.5))]


class TestAlterations:
    def test_are_all_named(self):
        assert alterations(SLICE) == []

    @pytest.mark.soak
    @pytest.mark.timeout(3600)
    def test_are_all_named_by_the_ten_thousand(self):
        assert alterations(ALL) == []


class TestABundle:
    @pytest.mark.parametrize("count", SIZES)
    def test_verifies_as_it_was_exported(self, count):
        made = bundle(count)
        found = verify_bundle(made.lines, pinned=[made.key])
        assert (found.entries, found.checkpoints, found.key) == (count, len(made.notes), made.key)
        assert found.head == read_note(made.notes[-1])

    @pytest.mark.parametrize("count", SIZES)
    def test_has_the_root_that_another_library_computes(self, count):
        """pymerkle is given the leaves' bytes only, and agrees on the root and on each line's proof."""
        made, tree = bundle(count), pymerkle.InmemoryTree(algorithm="sha256")
        entries = [record for line in made.lines if "entry" in (record := json.loads(line))]
        for record in entries:
            tree.append_entry(canonical(record["leaf"]))
        assert tree.get_root() == read_note(made.notes[-1]).root
        for record in entries:
            path = [bytes.fromhex(hash_leaf(canonical(record["leaf"]))), *map(bytes.fromhex, record["proof"])]
            theirs = tree.prove_inclusion(record["entry"] + 1, count).path
            assert [bytes.fromhex(step) if isinstance(step, str) else step for step in theirs] == path

    def test_goes_on_from_every_earlier_one(self):
        """Two exports of one trail: the later one holds the checkpoints of the earlier one."""
        made = bundle(33)
        for older, _newer in pairwise(made.notes):
            verify_bundle(made.lines, held=[older])

    def test_does_not_go_on_from_another_history(self):
        mine, other = bundle(33), bundle(33, seed=2)
        with pytest.raises(TrailAltered, match="another history"):
            verify_bundle(mine.lines, held=[other.notes[0]])

    def test_that_was_cut_at_an_earlier_checkpoint_and_made_to_look_whole_is_told_by_one_that_was_mailed(self):
        """The one forgery that a file alone cannot show: an older, honest state of the same trail."""
        older = bundle(14)
        assert verify_bundle(older.lines).entries == 14
        later = bundle(33)
        with pytest.raises(TrailAltered, match="what came after 14 is missing"):
            verify_bundle(older.lines, held=[later.notes[-1]])

    def test_under_another_key_than_the_one_that_is_trusted_is_refused(self):
        made, (stranger, _private) = bundle(3), make_key(f"slipway.example/trail/{bundle(1).key.name[-36:]}")
        with pytest.raises(TrailAltered, match="another key"):
            verify_bundle(made.lines, pinned=[stranger])

    def test_of_another_trail_does_not_mix_with_this_one(self):
        mine, other = bundle(8), bundle(8, tenant=UUID(int=8))
        mixed = [mine.lines[0], other.lines[1], *mine.lines[2:]]
        with pytest.raises(TrailAltered) as said:
            verify_bundle(mixed)
        assert said.value.line == 2

    def test_with_values_missing_that_nobody_erased_is_refused(self):
        made = bundle(3)
        record = json.loads(made.lines[2])
        record["open"].pop("body.email")
        made.lines[2] = canonical(record) + b"\n"
        with pytest.raises(TrailAltered, match="no act of erasing") as said:
            verify_bundle(made.lines)
        assert said.value.line == 3

    @pytest.mark.parametrize("lines", [[], [b""], [b"\n"], [b"{}\n"], [b"[]\n"], [b"\xff\n"], [b"1e999\n"]])
    def test_that_is_no_bundle_is_named_so(self, lines):
        with pytest.raises(TrailAltered, match="Line 1"):
            verify_bundle(lines)
