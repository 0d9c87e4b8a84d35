"""From a trail entry to its leaf: canonical bytes (RFC 8785) and leaf hash (RFC 6962). No tree and no database here.

Personal values, and the reason that a person typed, are not in a leaf: it holds commitments of them, made with a salt
that is kept beside the entry, outside the leaf. Destroy the salt and the values, and the leaf still verifies while
nobody can confirm, not even by trying every value, what they were.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import rfc8785

from app.kernel.errors import Invalid
from app.kernel.marks import TrailFacts

FORMAT: Final = 1
SALT_BYTES: Final = 32
_LEAF_PREFIX: Final = b"\x00"  # RFC 6962 2.1: a leaf never hashes like a node
_LARGEST: Final = 2**53 - 1
_REASON: Final = "reason"  # the path of a commitment: `reason`, or `body`, name


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
    reason: str | None  # a commitment
    trace_id: str
    body: dict[str, object]
    personal: dict[str, str]  # commitments, by the name of the body's field


def make_leaf(facts: TrailFacts) -> tuple[str, str]:
    """A fresh salt and the leaf hash of the entry under it, both in hex. Raises TrailValueUnfit."""
    salt = secrets.token_hex(SALT_BYTES)
    return salt, hash_leaf(leaf_bytes(commit_entry(facts, salt)))


def commit_entry(facts: TrailFacts, salt: str) -> LeafEntry:
    """The entry with commitments in the place of personal values: what may be shown after they are erased."""
    reason = None if facts.reason is None else commit(salt, facts.id, (_REASON,), facts.reason)
    personal = facts.personal & facts.body.keys()
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
        reason=reason,
        trace_id=facts.trace_id,
        body={name: value for name, value in facts.body.items() if name not in personal},
        personal={name: commit(salt, facts.id, ("body", name), facts.body[name]) for name in sorted(personal)},
    )


def leaf_bytes(entry: LeafEntry) -> bytes:
    """The canonical JSON of an entry: one entry, one sequence of bytes, in every language. Raises TrailValueUnfit."""
    return _canonical(
        {
            "v": FORMAT,
            "id": str(entry.id),
            "tenant": str(entry.tenant_id),
            "at": _moment(entry.at),
            "actor": {"kind": entry.actor_kind, "id": str(entry.actor_id)},
            "on_behalf_of": None if entry.on_behalf_of is None else str(entry.on_behalf_of),
            "action": entry.action,
            "subject": {"kind": entry.subject_kind, "id": str(entry.subject_id)},
            "reason": entry.reason,
            "trace_id": entry.trace_id,
            "body": entry.body,
            "personal": entry.personal,
        }
    )


def hash_leaf(content: bytes) -> str:
    """The RFC 6962 leaf hash in hex: SHA-256 over a zero byte and the content."""
    return hashlib.sha256(_LEAF_PREFIX + content).hexdigest()


def commit(salt: str, entry_id: UUID, path: tuple[str, ...], value: object) -> str:
    """HMAC-SHA256 of one value under the entry's salt, bound to entry and field: equal values do not look equal."""
    return hmac.new(bytes.fromhex(salt), _canonical([str(entry_id), *path, value]), hashlib.sha256).hexdigest()


def _canonical(value: object) -> bytes:
    try:
        _refuse_large(value)
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the types itself, deeper than a type can say
    except (ValueError, RecursionError) as trouble:
        raise TrailValueUnfit(f"The trail cannot record this: {trouble}.") from None


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
