"""A connection's hook as one document: held while it is changed, and written back."""

from __future__ import annotations

from uuid import UUID

import msgspec

from app.audit.operations.documents import lock_document, write_document
from app.connectors.inbound.queries import HOOK, Source, body_of, find_source
from app.connectors.inbound.rules import Hook
from app.kernel.work import Work

SYSTEM_ONLY = {
    "lock_source": "part of an operation that has checked its own permission",
    "save": "part of an operation that has checked its own permission",
}


def lock_source(work: Work, hook_id: UUID) -> Source:
    """A connection whose hook nobody else changes before the commit, also one that has none yet. Raises HookUnknown."""
    stored = lock_document(work, HOOK, str(hook_id))
    return find_source(work, hook_id, msgspec.convert(stored.body, Hook) if stored.version else Hook(hook_id))


def save(work: Work, hook: Hook) -> Hook:
    """Store it."""
    write_document(work, HOOK, str(hook.id), body_of(hook))
    return hook
