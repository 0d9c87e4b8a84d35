"""Reads of access: rights and room for everybody, delegations for their own doors."""

from app.access.queries.rights import load_rights, read_grants, read_rights
from app.access.queries.room import ensure_room

__all__ = ["ensure_room", "load_rights", "read_grants", "read_rights"]
