"""From a trail entry to its leaf: canonical bytes (RFC 8785) and leaf hash (RFC 6962). No tree and no database here.

Personal values, who acted by name, and the reason that a person typed, are not in a leaf: it holds commitments of them,
each under a key of its own that is derived from the entry's salt, which is kept beside the entry, outside the leaf.
Destroy key and value, and the leaf still verifies while nobody can confirm what it was, not even by trying all values.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final
from uuid import UUID

import msgspec
import rfc8785

from app.kernel.errors import Invalid
from app.kernel.marks import MadeLeaf, TrailFacts

FORMAT: Final = 2
FIRST_FORMAT: Final = 1  # of entries whose row has no commitments: no name in it, and the salt itself is every key
SALT_BYTES: Final = 32
_LEAF_PREFIX: Final = b"\x00"  # RFC 6962 2.1: a leaf never hashes like a node
_LARGEST: Final = 2**53 - 1
_MOST_PERSONAL: Final = 3
_SORTED: Final = msgspec.json.Encoder(order="sorted")
ACTOR_NAME: Final = "actor_name"  # the paths of what is committed: these two, and `body.` with a field's name
REASON: Final = "reason"
BODY: Final = "body."


class TrailValueUnfit(Invalid):
    """An entry holds what no canonical JSON can carry and the database would not give back unchanged."""


@dataclass(frozen=True, slots=True)
class LeafEntry:
    """What a leaf says of an entry: everything but personal values. `at` is business time; `trace_id` joins trails."""

    id: UUID
    tenant_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID
    on_behalf_of: UUID | None
    action: str
    subject_kind: str
    subject_id: UUID
    onboarding_id: UUID | None
    trace_id: str
    body: dict[str, object]
    personal: dict[str, str]  # commitments, by path
    version: int = FORMAT


def make_leaf(facts: TrailFacts) -> MadeLeaf:
    """A fresh salt, the leaf hash of the entry under it, and what its row keeps of the leaf. Raises TrailValueUnfit."""
    salt = secrets.token_hex(SALT_BYTES)
    entry = commit_entry(facts, salt)
    return MadeLeaf(salt, hash_leaf(leaf_bytes(entry)), {"v": entry.version, "commitments": entry.personal})


def commit_entry(facts: TrailFacts, salt: str, *, version: int = FORMAT) -> LeafEntry:
    """The entry with commitments in the place of personal values: what may be shown after they are erased."""
    values = personal_values(facts)
    if version == FIRST_FORMAT:
        values.pop(ACTOR_NAME)
    keys = field_keys(salt, values, version=version)
    return leaf_entry(facts, {p: commit(keys[p], facts.id, p, values[p]) for p in sorted(values)}, version=version)


def personal_values(facts: TrailFacts) -> dict[str, object]:
    """What of an entry is committed, by path; a reason that nobody gave is not."""
    told = {} if facts.reason is None else {REASON: facts.reason}
    fields = {f"{BODY}{name}": facts.body[name] for name in facts.personal & facts.body.keys()}
    return {ACTOR_NAME: facts.actor_name, **told, **fields}


def field_keys(salt: str, paths: Mapping[str, object], *, version: int = FORMAT) -> dict[str, str]:
    """The key of each path's commitment, in hex: one can be destroyed and the others kept."""
    if version == FIRST_FORMAT:
        return dict.fromkeys(paths, salt)
    secret = bytes.fromhex(salt)
    return {path: hmac.digest(secret, canonical(["key", path]), "sha256").hex() for path in paths}


def leaf_entry(facts: TrailFacts, commitments: Mapping[str, str], *, version: int = FORMAT) -> LeafEntry:
    """The entry under commitments that were made before; values and salt are not asked for."""
    hidden = {path.removeprefix(BODY) for path in commitments if path.startswith(BODY)}
    return LeafEntry(
        id=facts.id,
        tenant_id=facts.tenant_id,
        at=facts.at,
        actor_kind=facts.actor_kind,
        actor_id=facts.actor_id,
        on_behalf_of=facts.on_behalf_of,
        action=facts.action,
        subject_kind=facts.subject_kind,
        subject_id=facts.subject_id,
        onboarding_id=facts.onboarding_id,
        trace_id=facts.trace_id,
        body={name: value for name, value in facts.body.items() if name not in hidden},
        personal=dict(commitments),
        version=version,
    )


def leaf_content(entry: LeafEntry) -> dict[str, Any]:
    """What a leaf is the canonical JSON of."""
    said = {
        "v": entry.version,
        "id": str(entry.id),
        "tenant": str(entry.tenant_id),
        "at": _moment(entry.at),
        "actor": {"kind": entry.actor_kind, "id": str(entry.actor_id)},
        "on_behalf_of": None if entry.on_behalf_of is None else str(entry.on_behalf_of),
        "action": entry.action,
        "subject": {"kind": entry.subject_kind, "id": str(entry.subject_id)},
        "trace_id": entry.trace_id,
        "body": entry.body,
    }
    if entry.version == FIRST_FORMAT:
        fields = ((path, made) for path, made in entry.personal.items() if path.startswith(BODY))
        return said | {
            "reason": entry.personal.get(REASON),
            "personal": {path.removeprefix(BODY): made for path, made in fields},
        }
    onboarding = None if entry.onboarding_id is None else str(entry.onboarding_id)
    return said | {"onboarding": onboarding, "personal": entry.personal}


def leaf_bytes(entry: LeafEntry) -> bytes:
    """The canonical JSON of an entry: one entry, one sequence of bytes, in every language. Raises TrailValueUnfit."""
    return canonical(leaf_content(entry))


def hash_leaf(content: bytes) -> str:
    """The RFC 6962 leaf hash in hex: SHA-256 over a zero byte and the content."""
    return hashlib.sha256(_LEAF_PREFIX + content).hexdigest()


def commit(key: str, entry_id: UUID, path: str, value: object) -> str:
    """HMAC-SHA256 of one value under its key, bound to entry and path: equal values do not look equal."""
    steps = ["body", path.removeprefix(BODY)] if path.startswith(BODY) else [path]
    return hmac.digest(bytes.fromhex(key), canonical([str(entry_id), *steps, value]), "sha256").hex()


def find_commitments(facts: TrailFacts, salt: str, leaf_hash: str) -> dict[str, Any] | None:
    """What an earlier build did not store of its entry: which fields were personal is told by the leaf's hash alone.

    None where no choice of fields gives the hash: the entry is not what it was.
    """
    for chosen in _choices(sorted(facts.body)):
        one = commit_entry(replace(facts, personal=chosen), salt, version=FIRST_FORMAT)
        if hash_leaf(leaf_bytes(one)) == leaf_hash:
            return {"v": FIRST_FORMAT, "commitments": one.personal}
    return None


def canonical(value: object) -> bytes:
    """A value as RFC 8785 writes it. Raises TrailValueUnfit for what the database would give back changed."""
    try:
        if _is_plain(value):
            return _SORTED.encode(value)
        _refuse_large(value)
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself, deeper than a type can say
    except (ValueError, RecursionError) as trouble:
        raise TrailValueUnfit(f"The trail cannot record this: {trouble}.") from None


def _choices(names: list[str]) -> Iterator[frozenset[str]]:
    """Every choice of at most three of the names, none first: no event of that build had more personal fields."""
    for count in range(min(_MOST_PERSONAL, len(names)) + 1):
        yield from (frozenset(chosen) for chosen in combinations(names, count))


def _is_plain(value: object) -> bool:
    """Whether sorting keys is all that RFC 8785 asks for, which a compiled library does ten times as fast.

    Numbers with a fraction are written in another way, and keys beyond ASCII sorted in another one.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if isinstance(value, dict):
        return all(type(key) is str and key.isascii() and _is_plain(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return type(value) is int and abs(value) <= _LARGEST


def _refuse_large(value: object) -> None:
    """The database gives a large float back as a whole number that canonical JSON has no form for."""
    if isinstance(value, dict):
        for inner in value.values():
            _refuse_large(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_large(inner)
    elif isinstance(value, float) and abs(value) > _LARGEST:
        raise ValueError("a number is too large to be exact")


def _moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise TrailValueUnfit("The trail cannot record a time without its zone.")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
