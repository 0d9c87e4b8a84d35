"""Reads what of a trail is signed: head, hashes, and the entries by place. For exports and proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from app.audit import leaf
from app.audit.bundle.records import checkpoint_line, entry_line, header_line
from app.audit.models import Leaf
from app.audit.note import NoteKey, is_signed, read_key, read_note
from app.audit.tree import HASH_BYTES, consistency_ranges, inclusion_ranges, last_leaf, roots_of
from app.kernel.errors import Conflict
from app.kernel.marks import TrailFacts
from app.kernel.trail import Entry as TrailEntry
from app.kernel.work import Work
from app.web.translations import mark

_PAGE: Final = 500  # entries of one transaction: an export of any size keeps none open for long
Begin = Callable[[], AbstractContextManager[Work]]
KEY_MADE: Final = "vault.secret.set"  # the entry that says which key signs from then on: its body's `field`


NOT_SIGNED: Final = mark("Nothing in this trail has been signed yet. Try again in a minute.")


class NothingSigned(Conflict):
    """No checkpoint covers this trail yet: it is some seconds old, or its keys are gone."""


@dataclass(frozen=True, slots=True)
class Head:
    """How far a trail is sequenced, and how far it is signed."""

    size: int
    root: str
    note: str | None

    @property
    def signed(self) -> int:
        """How many entries the newest checkpoint covers."""
        return read_note(self.note).size if self.note else 0


@dataclass(frozen=True, slots=True)
class SignedTrail:
    """What an export stands on: the newest checkpoint, every earlier one, the keys, and all hashes below it."""

    head: str
    notes: dict[int, str]  # by the number of entries they cover
    keys: list[NoteKey]
    leaves: list[bytes]
    nodes: list[bytes]

    @property
    def size(self) -> int:
        """The number of entries."""
        return len(self.leaves)

    @property
    def tenant(self) -> str:
        """The id of the tenant whose trail it is, as its keys are named."""
        return self.keys[0].name.rpartition("/")[2]

    def find(self, level: int, place: int) -> bytes:
        """The root of a perfect subtree, for proofs."""
        at = last_leaf(level, place)
        return self.nodes[at][HASH_BYTES * (level - 1) : HASH_BYTES * level] if level else self.leaves[at]


def read_head(work: Work) -> Head:
    """The head of the tenant's trail; empty before its first leaf."""
    row = work.session.execute(_HEAD).one()
    return Head(row.size or 0, row.root or "", row.note)


def read_signed(work: Work) -> SignedTrail:
    """All hashes below the newest checkpoint; some 100 bytes an entry. Raises NothingSigned."""
    head = read_head(work)
    if not head.signed:
        raise NothingSigned(NOT_SIGNED)
    query = select(Leaf.place, Leaf.leaf_hash, Leaf.nodes, Leaf.note).where(Leaf.place < head.signed)
    rows = work.session.execute(query.order_by(Leaf.place)).all()
    notes = {row.place + 1: row.note for row in rows if row.note} | {head.signed: str(head.note)}
    keys = list(_keys(work, list(notes.values())))
    return SignedTrail(str(head.note), notes, keys, [row.leaf_hash for row in rows], [row.nodes for row in rows])


def bundle_lines(begin: Begin, signed: SignedTrail) -> Iterator[bytes]:
    """The lines of a bundle (`bundle.records`), read page by page; what it stands on was read before."""
    yield header_line(tenant=signed.tenant, keys=[key.written for key in signed.keys], head=signed.head)
    before = 0
    for place, entry in entries_in_order(begin, signed.size):
        content, opened = opened_entry(entry, UUID(signed.tenant))
        proof = roots_of(inclusion_ranges(place, signed.size), signed.find)
        yield entry_line(place, content, opened, proof)
        if note := signed.notes.get(place + 1):
            yield checkpoint_line(note, before, roots_of(consistency_ranges(before, place + 1), signed.find))
            before = place + 1


def entries_in_order(begin: Begin, size: int) -> Iterator[tuple[int, TrailEntry]]:
    """The first `size` entries by their place, a page a transaction."""
    for start in range(0, size, _PAGE):
        with begin() as work:
            query = select(Leaf.place, TrailEntry).join(TrailEntry, TrailEntry.id == Leaf.entry_id)
            query = query.where(Leaf.place >= start, Leaf.place < min(start + _PAGE, size)).order_by(Leaf.place)
            rows = [(place, entry) for place, entry in work.session.execute(query)]
            work.session.expunge_all()
        yield from rows


def opened_entry(entry: TrailEntry, tenant_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the leaf of an entry says, and the personal values that are still there, each with its key."""
    facts, kept = facts_of(entry, tenant_id), commitments_of(entry, tenant_id)
    if kept is None:  # the entry is not what its leaf was made of: shown as it is, it fails to verify
        kept = {"v": leaf.FIRST_FORMAT, "commitments": {}}
    version, commitments = int(kept["v"]), kept["commitments"]
    values = leaf.personal_values(_personal(facts, commitments))
    keys = leaf.field_keys(entry.salt, commitments, version=version) if entry.salt else kept.get("keys", {})
    opened = {path: [keys[path], values[path]] for path in commitments if path in keys}
    return leaf.leaf_content(leaf.leaf_entry(facts, commitments, version=version)), opened


def commitments_of(entry: TrailEntry, tenant_id: UUID) -> dict[str, Any] | None:
    """What the row keeps of its leaf; for a row of an earlier build, what its hash tells."""
    return entry.personal or leaf.find_commitments(facts_of(entry, tenant_id), entry.salt, entry.leaf_hash)


def facts_of(entry: TrailEntry, tenant_id: UUID) -> TrailFacts:
    """The facts that a leaf was made of, without saying which of them are personal."""
    names = set(TrailFacts.__slots__) - {"tenant_id", "personal"}
    facts = {name: getattr(entry, name) for name in names}
    return TrailFacts(tenant_id=tenant_id, personal=frozenset(), **facts)


def _personal(facts: TrailFacts, commitments: dict[str, str]) -> TrailFacts:
    fields = {path.removeprefix(leaf.BODY) for path in commitments if path.startswith(leaf.BODY)}
    return TrailFacts(**{name: getattr(facts, name) for name in TrailFacts.__slots__} | {"personal": frozenset(fields)})


def _keys(work: Work, notes: list[str]) -> Iterator[NoteKey]:
    """The keys that have signed these checkpoints, in the order of their first; the trail itself names them."""
    query = (
        select(TrailEntry.body["field"].astext).where(TrailEntry.action == KEY_MADE, _SIGNING).order_by(TrailEntry.id)
    )
    made, used = [read_key(written) for written in work.session.scalars(query.order_by(TrailEntry.id))], set()
    for note in notes:
        for key in made:
            if key not in used and is_signed(note, key):
                used.add(key)
                yield key


_SIGNING = TrailEntry.body["purpose"].astext == "trail_signing"
_HEAD = text("SELECT size, root, note FROM cell.read_trail()")
