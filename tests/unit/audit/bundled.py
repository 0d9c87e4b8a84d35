"""Bundles of made-up trails, without a database; and what may befall them on the way."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.audit.bundle.records import checkpoint_line, entry_line, header_line
from app.audit.leaf import commit_entry, field_keys, hash_leaf, leaf_bytes, leaf_content, personal_values
from app.audit.note import Checkpoint, NoteKey, make_key, sign
from app.audit.tree import HASH_BYTES, Frontier, consistency_ranges, inclusion_ranges, last_leaf, roots_of
from app.kernel.marks import TrailFacts

TENANT = UUID(int=7)
_START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@dataclass
class Bundled:
    """A bundle as it was exported: its lines, and the key that a reader would pin."""

    lines: list[bytes]
    key: NoteKey
    notes: list[str]


def facts_of(number: int, tenant: UUID = TENANT) -> TrailFacts:
    """Some entry."""
    return TrailFacts(
        id=UUID(int=1_000 + number),
        tenant_id=tenant,
        at=_START + timedelta(minutes=number),
        actor_kind="person",
        actor_id=UUID(int=number % 5),
        actor_name=f"Person {number % 5}",
        on_behalf_of=None,
        action="onboarding.task.completed",
        subject_kind="task",
        subject_id=UUID(int=number),
        onboarding_id=UUID(int=3) if number % 2 else None,
        reason=f"because {number}" if number % 3 == 0 else None,
        trace_id=f"{number:032x}",
        body={"task": f"task {number}", "email": f"p{number}@example.com", "count": number},
        personal=frozenset({"email"}),
    )


def bundle(count: int, *, every: int = 7, tenant: UUID = TENANT, seed: int = 1) -> Bundled:
    """So many entries, a checkpoint after every so many and at the end."""
    chance = random.Random(seed)  # noqa: S311 - made-up salts
    key, private = make_key(f"slipway.example/trail/{tenant}")
    tree, rows, signed = Frontier(), [], []
    for number in range(count):
        facts, salt = facts_of(number, tenant), chance.randbytes(32).hex()
        entry = commit_entry(facts, salt)
        values, keys = personal_values(facts), field_keys(salt, entry.personal)
        leaf = bytes.fromhex(hash_leaf(leaf_bytes(entry)))
        rows.append((leaf, tree.append(leaf), leaf_content(entry), {p: [keys[p], values[p]] for p in entry.personal}))
        if (number + 1) % every == 0 or number + 1 == count:
            signed.append((number + 1, sign(Checkpoint(key.name, number + 1, tree.root), key, private)))

    def find(level: int, place: int) -> bytes:
        leaf, nodes, *_rest = rows[last_leaf(level, place)]
        return nodes[HASH_BYTES * (level - 1) : HASH_BYTES * level] if level else leaf

    lines, before, notes = [header_line(tenant=str(tenant), keys=[key.written], head=signed[-1][1])], 0, dict(signed)
    for number, (_leaf, _nodes, content, opened) in enumerate(rows):
        lines.append(entry_line(number, content, opened, roots_of(inclusion_ranges(number, count), find)))
        if note := notes.get(number + 1):
            proof = roots_of(consistency_ranges(before, number + 1), find)
            lines.append(checkpoint_line(note, before, proof))
            before = number + 1
    return Bundled(lines, key, list(notes.values()))


@dataclass(frozen=True)
class Altered:
    """A bundle after something has befallen it, and the first line (from 1) where it is not what it was."""

    what: str
    lines: list[bytes]
    line: int


def alter(lines: list[bytes], chance: random.Random) -> Altered:
    """One of: a bit flipped, a byte taken out or put in, a line dropped, doubled, moved, swapped; the tail cut off."""
    kind = chance.choice(["flip", "flip", "cut byte", "put byte", "drop", "insert", "swap", "move", "truncate", "cut"])
    at = chance.randrange(len(lines))
    made = list(lines)
    if kind in {"flip", "cut byte", "put byte"}:
        line = bytearray(lines[at])
        where = chance.randrange(len(line))
        if kind == "flip":
            line[where] ^= 1 << chance.randrange(8)
        elif kind == "cut byte":
            del line[where]
        else:
            line.insert(where, chance.randrange(256))
        made[at] = bytes(line)
    elif kind == "drop":
        del made[at]
    elif kind == "insert":
        made.insert(at, chance.choice(lines))
    elif kind in {"swap", "move"}:
        to = chance.randrange(len(lines))
        if kind == "swap":
            made[at], made[to] = made[to], made[at]
        else:
            made.insert(to, made.pop(at))
    elif kind == "truncate":
        del made[at:]
    else:
        whole = b"".join(lines)
        made = whole[: chance.randrange(len(whole))].splitlines(keepends=True)
    made = b"".join(made).splitlines(keepends=True)  # as a file is read again
    first = next((n for n, pair in enumerate(zip(lines, made, strict=False), 1) if pair[0] != pair[1]), 0)
    return Altered(f"{kind} at line {at + 1}", made, first or min(len(lines), len(made)) + 1)
