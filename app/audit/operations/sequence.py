"""The sequencer: gives each trail entry its place in the tenant's tree, exactly once, and has the new root signed.

All of it is one transaction under the lock of the trail's head. Killed anywhere, nothing has happened, and the marks
that say what is to be done are still there. Two at once: the second waits, then finds what is left.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import text

from app.audit.signing import Signers
from app.audit.tree import HASH_BYTES, Frontier, last_leaf, perfect_parts
from app.kernel.errors import SlipwayError
from app.kernel.work import Work

log = structlog.get_logger(__name__)
MOST: Final = 2_000  # entries of one transaction
_MARKS: Final = 500  # marks of one transaction; each is one of the transactions that left entries

SYSTEM_ONLY = {"sequence_trail": "called by the sequencer's job"}


@dataclass(frozen=True, slots=True)
class Sequenced:
    """What a run has done: how many leaves it added, and whether the head has its checkpoint."""

    added: int
    signed: bool


@dataclass(frozen=True, slots=True)
class _Head:
    size: int
    root: str
    note: str | None
    marks: list[list[str]]

    @property
    def whole(self) -> bool:
        """Whether to look at every entry: of a trail that no sequencer has seen, or where a mark asks for it."""
        return self.size == 0 or any(not entries for entries in self.marks)


def sequence_trail(work: Work) -> Sequenced:
    """Add leaves for what the marks name, at most `MOST`; what is left is marked again. Signs the new root.

    A signature that cannot be had at the moment keeps no entry from its place: the run says so and is done again.
    """
    head = _Head(*work.session.execute(_HOLD, {"most": _MARKS}).one())
    entries = _unsequenced(work, head)
    if len(entries) > MOST:
        entries = entries[:MOST]
        work.mark_trail()
    tree = _frontier(work, head.size)
    rows = [_row(tree, entry_id, leaf_hash) for entry_id, leaf_hash in entries]
    if not rows and head.size == 0:
        return Sequenced(0, signed=True)
    signed, note = _signed(work, head, tree)
    if rows:
        rows[-1]["note"] = note
    if rows or note:
        values = {"rows": json.dumps(rows), "from": head.size, "size": tree.size, "root": tree.root.hex(), "note": note}
        if not work.session.execute(_MOVE, values).scalar():
            raise TrailMoved("The head of this trail has moved under its own lock.")
    return Sequenced(len(rows), signed)


class TrailMoved(RuntimeError):
    """Two sequencers at work in one trail: nothing was written."""


def _unsequenced(work: Work, head: _Head) -> list[tuple[UUID, str]]:
    """Entries without a leaf, one more than fit; those of a whole trail or those the marks name, by id."""
    named = [entry for entries in head.marks for entry in entries]
    if not named and not head.whole:
        return []
    values = {"most": MOST + 1} | ({} if head.whole else {"ids": named})
    return [(row.id, row.leaf_hash) for row in work.session.execute(_ALL if head.whole else _NAMED, values)]


def _frontier(work: Work, size: int) -> Frontier:
    """The peaks of the tree as it stands, each kept with the leaf that completed it."""
    parts = list(perfect_parts((0, size)))
    wanted = [last_leaf(level, place) for level, place in parts]
    if not wanted:
        return Frontier()
    found = {row.place: row for row in work.session.execute(_LEAVES, {"places": wanted})}
    return Frontier(size, [_node_of(found[last_leaf(level, place)], level) for level, place in parts])


def _node_of(leaf: Any, level: int) -> bytes:  # a row of either query
    """The root of the perfect subtree of that level which this leaf completes."""
    if level == 0:
        return bytes(leaf.leaf_hash)
    return bytes(leaf.nodes[HASH_BYTES * (level - 1) : HASH_BYTES * level])


def _row(tree: Frontier, entry_id: UUID, leaf_hash: str) -> dict[str, object]:
    place = tree.size
    nodes = tree.append(bytes.fromhex(leaf_hash))
    return {
        "place": place,
        "entry_id": str(entry_id),
        "leaf_hash": f"\\x{leaf_hash}",
        "nodes": f"\\x{nodes.hex()}",
        "note": None,
    }


def _signed(work: Work, head: _Head, tree: Frontier) -> tuple[bool, str | None]:
    """Whether the head has, or now gets, its checkpoint, and the new one."""
    if tree.size == head.size and head.note is not None and head.note.split("\n")[1] == str(tree.size):
        return True, None
    try:
        return True, work.service(Signers).signer.sign(work, size=tree.size, root=tree.root)
    except SlipwayError as trouble:
        log.warning("audit.not_signed", tenant_id=str(work.tenant.id), reason=str(trouble))
        return False, None


_HOLD = text("SELECT size, root, note, entries FROM cell.hold_trail(:most)")
_NAMED = text("""
    SELECT t.id, t.leaf_hash FROM trail t WHERE t.id = ANY(CAST(:ids AS uuid[]))
    AND NOT EXISTS (SELECT FROM leaf l WHERE l.entry_id = t.id) ORDER BY t.id LIMIT :most
""")
_ALL = text("""
    SELECT t.id, t.leaf_hash FROM trail t WHERE NOT EXISTS (SELECT FROM leaf l WHERE l.entry_id = t.id)
    ORDER BY t.id LIMIT :most
""")
_LEAVES = text("SELECT place, leaf_hash, nodes FROM leaf WHERE place = ANY(CAST(:places AS bigint[]))")
_MOVE = text("""
    WITH _leaves AS (
        INSERT INTO leaf (place, entry_id, leaf_hash, nodes, note)
        SELECT place, entry_id, leaf_hash, nodes, note FROM jsonb_populate_recordset(NULL::leaf, CAST(:rows AS jsonb)))
    SELECT cell.move_trail(:from, :size, :root, :note)
""")
