"""Verifies a bundle line by line, with neither database nor network, and names the first line that is not as it was.

What is proven: every entry is in the tree that the head's key has signed, none is missing, none is out of its place,
every earlier checkpoint is of the same tree, values that are shown are those that were recorded, and values that are
not shown were erased by an act that is itself in the trail. Not proven: that the head is the newest one there is. For
that, hold a checkpoint of your own (`held`): it is mailed to whom the workspace names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.audit.bundle import records
from app.audit.bundle.records import LineUnreadable, is_count, is_hash, is_text, read_hashes, read_line
from app.audit.leaf import BODY, FIRST_FORMAT, canonical, commit, hash_leaf
from app.audit.note import Checkpoint, NoteBroken, NoteKey, is_signed, read_key, read_note
from app.audit.tree import EMPTY_ROOT, Frontier, extends, includes
from app.kernel.errors import Invalid


class TrailAltered(Invalid):
    """The bundle is not what was exported. `line` counts from 1; `record` says what stands there."""

    def __init__(self, line: int, record: str, why: str) -> None:
        super().__init__(f"Line {line} ({record}): {why}.")
        self.line = line
        self.record = record


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle proves."""

    tenant: str
    entries: int
    checkpoints: int
    erased: int  # entries that lost personal values
    head: Checkpoint
    key: NoteKey  # of the head
    first_at: str
    last_at: str


def verify_bundle(lines: Iterable[bytes], *, pinned: Sequence[NoteKey] = (), held: Sequence[str] = ()) -> Verified:
    """Verify all of it. `pinned`: the only keys whose head is believed; `held`: notes that must be of this very tree.

    Raises TrailAltered with the first line that is wrong.
    """
    reading = _Reading(pinned=pinned, held=list(held))
    number = 0
    for number, line in enumerate(lines, start=1):
        reading.take(number, line)
    return reading.ended(number + 1)


@dataclass
class _Reading:
    """How far the verifier is."""

    pinned: Sequence[NoteKey]
    held: list[str]
    tenant: str = ""
    keys: list[NoteKey] = field(default_factory=list)
    used: list[NoteKey] = field(default_factory=list)
    head_note: str = ""
    head: Checkpoint | None = None
    tree: Frontier = field(default_factory=Frontier)
    before: Checkpoint | None = None
    last_note: str = ""
    checkpoints: int = 0
    bare: dict[str, tuple[int, str]] = field(default_factory=dict)  # entries with erased values that no act names yet
    erased: int = 0
    times: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    roots: dict[int, bytes] = field(default_factory=dict)  # of the sizes of held checkpoints

    def take(self, number: int, line: bytes) -> None:
        """One line."""
        try:
            record = read_line(line)
        except LineUnreadable as trouble:
            raise TrailAltered(number, self._expected(), str(trouble)) from None
        if self.head is None:
            self._header(number, record)
        elif record.keys() == records.ENTRY:
            self._entry(number, record)
        elif record.keys() == records.CHECKPOINT:
            self._checkpoint(number, record)
        else:
            raise TrailAltered(number, self._expected(), "there is no such record in a trail")

    def ended(self, number: int) -> Verified:
        """After the last line."""
        if self.head is None:
            raise TrailAltered(number, "first line", "the file is empty")
        if self.tree.size < self.head.size:
            raise TrailAltered(number, self._expected(), f"the bundle ends here, and {self.head.size} were signed")
        if self.last_note != self.head_note:
            raise TrailAltered(number, "last checkpoint", "the bundle ends without it")
        if [key.written for key in self.used] != [key.written for key in self.keys]:
            raise TrailAltered(1, "first line", "it names keys that have signed nothing here, or in another order")
        for entry_id, (line, record) in self.bare.items():
            raise TrailAltered(line, record, f"values of {entry_id} are missing, and no act of erasing names it")
        self._hold()
        first, last = (self.times[0], self.times[-1]) if self.times else ("", "")
        key = next(key for key in self.keys if is_signed(self.head_note, key))
        return Verified(self.tenant, self.tree.size, self.checkpoints, self.erased, self.head, key, first, last)

    def _expected(self) -> str:
        return "first line" if self.head is None else f"entry {self.tree.size}"

    def _header(self, number: int, record: Mapping[str, Any]) -> None:
        def bad(why: str) -> TrailAltered:
            return TrailAltered(number, "first line", why)

        if record.keys() != records.HEADER or record["trail"] != records.FORMAT or record["trail"] is True:
            raise bad("this is no bundle of a trail that this version can read")
        tenant, written = record["tenant"], record["keys"]
        if not is_text(tenant) or not isinstance(written, list) or not all(is_text(each) for each in written):
            raise bad("it does not say whose trail it is and which keys have signed it")
        try:
            keys = [read_key(each) for each in written]
            head = read_note(record["head"]) if is_text(record["head"]) else None
        except NoteBroken as trouble:
            raise bad(str(trouble).rstrip(".")) from None
        signers = [key for key in keys if head is not None and is_signed(record["head"], key)]
        if head is None or not signers or len({key.written for key in keys}) != len(keys):
            raise bad("none of its keys has signed its head")
        if any(not key.name.endswith(f"/trail/{tenant}") for key in keys):
            raise bad("its keys belong to another trail")
        if self.pinned and signers[0] not in self.pinned:
            raise bad(f"it is signed by another key than the one you trust: {signers[0].fingerprint}")
        self.tenant, self.keys, self.head_note, self.head = tenant, keys, record["head"], head
        self.last_note, wanted = "", {size for size in map(_size_of, self.held) if size is not None}
        self.roots = dict.fromkeys(wanted, b"")

    def _entry(self, number: int, record: Mapping[str, Any]) -> None:
        place, name = self.tree.size, f"entry {record['entry']}"
        if record["entry"] != place or not is_count(record["entry"]):
            raise TrailAltered(number, name, f"entry {place} belongs here: it is missing, or they are out of order")
        head, leaf, proof = self.head, record["leaf"], read_hashes(record["proof"])
        if head is None or place >= head.size:
            raise TrailAltered(number, name, "the signed trail has no such entry")
        if not isinstance(leaf, dict) or proof is None:
            raise TrailAltered(number, name, "it is no entry")
        made = bytes.fromhex(hash_leaf(canonical(leaf)))
        if not includes(made, place, head.size, proof, head.root):
            raise TrailAltered(number, name, "it, or its proof, was changed: it does not lead to the signed root")
        if leaf["tenant"] != self.tenant or leaf["id"] in self.ids:
            raise TrailAltered(number, name, "it is of another trail, or there twice")
        self.ids.add(leaf["id"])
        self._opened(number, name, leaf, record["open"])
        self.tree.append(made)
        self.times[1:] = [leaf["at"]]
        if self.tree.size in self.roots:
            self.roots[self.tree.size] = self.tree.root

    def _opened(self, number: int, name: str, leaf: Mapping[str, Any], opened: object) -> None:
        """What is shown is what was committed; what is not shown waits for the act that erased it."""
        committed = _commitments(leaf)
        if not isinstance(opened, dict) or not opened.keys() <= committed.keys():
            raise TrailAltered(number, name, "it shows values that the entry does not have")
        for path, shown in opened.items():
            if not (isinstance(shown, list) and len(shown) == 2 and is_hash(shown[0])):  # noqa: PLR2004 - key, value
                raise TrailAltered(number, name, f"{path} is shown without its key")
            if commit(shown[0], UUID(leaf["id"]), path, shown[1]) != committed[path]:
                raise TrailAltered(number, name, f"{path} is not what was recorded")
        if opened.keys() != committed.keys():
            self.bare[leaf["id"]] = (number, name)
        if leaf["action"] == records.ERASED:
            for entry_id in leaf["body"]["entries"]:
                self.erased += self.bare.pop(entry_id, None) is not None

    def _checkpoint(self, number: int, record: Mapping[str, Any]) -> None:
        note, proof = record["checkpoint"], read_hashes(record["proof"])
        name, before = "checkpoint", self.before
        try:
            found = read_note(note) if is_text(note) else None
            key = next((each for each in self.keys if found and is_signed(note, each)), None)
        except NoteBroken as trouble:
            raise TrailAltered(number, name, str(trouble).rstrip(".")) from None
        if found is None or key is None or proof is None or found.origin != key.name:
            raise TrailAltered(number, name, "none of the bundle's keys has signed it")
        name = f"checkpoint of {found.size}"
        old_size, old_root = (before.size, before.root) if before else (0, EMPTY_ROOT)
        if found.size != self.tree.size:
            raise TrailAltered(number, name, f"it does not belong after {self.tree.size} entries")
        if record["after"] != old_size or not is_count(record["after"]):
            raise TrailAltered(number, name, f"the checkpoint of {record['after']} entries before it is missing")
        if found.size == old_size or found.root != self.tree.root:
            raise TrailAltered(number, name, "it is not of the entries before it")
        if not extends(old_size, found.size, proof, old_root, found.root):
            raise TrailAltered(number, name, "its proof does not lead from the checkpoint before it")
        if key not in self.used:
            self.used.append(key)
        self.before, self.last_note, self.checkpoints = found, note, self.checkpoints + 1

    def _hold(self) -> None:
        """The checkpoints that the reader holds are of this very tree."""
        for note in self.held:
            checkpoint = read_note(note)
            if checkpoint.size > self.tree.size:
                why = f"you hold a checkpoint of {checkpoint.size} entries: what came after {self.tree.size} is missing"
                raise TrailAltered(self.tree.size + 1, "end of the bundle", why)
            root = self.roots[checkpoint.size] if checkpoint.size else EMPTY_ROOT
            signed = any(is_signed(note, key) for key in (*self.keys, *self.pinned))
            if checkpoint.root != root or not signed:
                why = f"the checkpoint of {checkpoint.size} entries that you hold is of another history"
                raise TrailAltered(1, "whole bundle", why)


def _commitments(leaf: Mapping[str, Any]) -> dict[str, str]:
    """Commitments by path, in either format."""
    if leaf["v"] != FIRST_FORMAT:
        return dict(leaf["personal"])
    reason = {} if leaf["reason"] is None else {"reason": leaf["reason"]}
    return reason | {f"{BODY}{name}": made for name, made in leaf["personal"].items()}


def _size_of(note: str) -> int | None:
    return read_note(note).size
