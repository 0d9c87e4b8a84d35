"""The tree agrees with RFC 6962's own vectors, with its definition, and with a library that is not ours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.audit.leaf import hash_leaf
from app.audit.tree import (
    EMPTY_ROOT,
    HASH_BYTES,
    Frontier,
    consistency_ranges,
    extends,
    hash_node,
    includes,
    inclusion_ranges,
    last_leaf,
    perfect_parts,
    roots_of,
)

# The eight entries and roots of the reference implementation that RFC 6962 came with (certificate-transparency).
VECTOR = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
EDGES = sorted({0, 1, *(n for k in range(1, 8) for n in (2**k - 1, 2**k, 2**k + 1))})


@dataclass
class Grown:
    """A tree grown leaf by leaf, with the nodes that each leaf has completed, as the leaf table keeps them."""

    frontier: Frontier = field(default_factory=Frontier)
    rows: list[tuple[bytes, bytes]] = field(default_factory=list)

    @classmethod
    def of(cls, contents: list[bytes]) -> Grown:
        grown = cls()
        for content in contents:
            leaf = bytes.fromhex(hash_leaf(content))
            grown.rows.append((leaf, grown.frontier.append(leaf)))
        return grown

    def find(self, level: int, place: int) -> bytes:
        leaf, nodes = self.rows[last_leaf(level, place)]
        return nodes[HASH_BYTES * (level - 1) : HASH_BYTES * level] if level else leaf

    def root(self, size: int) -> bytes:
        return roots_of([(0, size)], self.find)[0] if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        return roots_of(inclusion_ranges(index, size), self.find)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return roots_of(consistency_ranges(old, new), self.find)


def contents(count: int) -> list[bytes]:
    return [f"entry {number}".encode() for number in range(count)]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hash_node(by_definition(leaves[:split]), by_definition(leaves[split:]))


class TestRoots:
    def test_are_those_of_the_reference_vectors(self):
        grown = Grown.of([bytes.fromhex(entry) for entry in VECTOR])
        assert [grown.root(size).hex() for size in range(1, 9)] == ROOTS
        assert Frontier().root.hex() == hashlib.sha256(b"").hexdigest()

    @pytest.mark.parametrize("size", EDGES)
    def test_follow_the_definition(self, size):
        grown = Grown.of(contents(size))
        assert grown.frontier.root == grown.root(size) == by_definition([leaf for leaf, _nodes in grown.rows])
        assert len(grown.frontier.peaks) == size.bit_count()

    def test_keep_one_hash_a_leaf_on_the_whole(self):
        grown = Grown.of(contents(1024))
        assert sum(len(nodes) for _leaf, nodes in grown.rows) == 1023 * HASH_BYTES


class TestProofs:
    @pytest.mark.parametrize("size", EDGES)
    def test_of_every_leaf_lead_to_the_root(self, size):
        grown = Grown.of(contents(size))
        for index, (leaf, _nodes) in enumerate(grown.rows):
            proof = grown.inclusion(index, size)
            assert includes(leaf, index, size, proof, grown.root(size))
            assert not includes(leaf, (index + 1) % size, size, proof, grown.root(size)) or size == 1
            assert not includes(leaf, index, size, [*proof, leaf], grown.root(size))
            assert not proof or not includes(leaf, index, size, proof[:-1], grown.root(size))

    @pytest.mark.parametrize("size", EDGES)
    def test_of_every_older_tree_lead_to_both_roots(self, size):
        grown = Grown.of(contents(size))
        for old in range(size + 1):
            proof = grown.consistency(old, size)
            assert extends(old, size, proof, grown.root(old), grown.root(size))
            assert not extends(old, size, proof, b"\0" * 32, grown.root(size))
            assert not extends(old, size, [*proof, b"\0" * 32], grown.root(old), grown.root(size))

    @given(st.integers(1, 300), st.data())
    @settings(max_examples=60, deadline=None)
    def test_ask_for_few_rows(self, size, data):
        index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
        for ranges in (inclusion_ranges(index, size), consistency_ranges(old, size)):
            asked = [part for one in ranges for part in perfect_parts(one)]
            assert len(asked) <= 2 * size.bit_length() + 1


class TestALibraryThatIsNotOurs:
    """pymerkle follows RFC 6962 (its own switch against second preimages on)."""

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 33, 100])
    def test_agrees_on_roots_and_proofs(self, size):
        theirs = pymerkle.InmemoryTree(algorithm="sha256")
        for content in contents(size):
            theirs.append_entry(content)
        grown = Grown.of(contents(size))
        assert theirs.get_root() == grown.root(size)
        for index in range(size):
            proof = theirs.prove_inclusion(index + 1, size)
            assert _path(proof, first=grown.rows[index][0]) == grown.inclusion(index, size)
            pymerkle.verify_inclusion(grown.rows[index][0], grown.root(size), proof)
        for old in range(1, size):
            pymerkle.verify_consistency(theirs.get_root(old), grown.root(size), theirs.prove_consistency(old, size))
            assert theirs.get_root(old) == grown.root(old)


def _path(proof: pymerkle.MerkleProof, *, first: bytes) -> list[bytes]:
    """Their path begins with the leaf itself."""
    path = [bytes.fromhex(step) if isinstance(step, str) else step for step in proof.path]
    assert path[0] == first
    return path[1:]
