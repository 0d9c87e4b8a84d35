"""Identifiers, always made by the application: a tenant role may insert but not read back (DESIGN 4)."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A time-ordered UUID (version 7): sorts by creation, so primary keys stay append-mostly."""
    return uuid7()
