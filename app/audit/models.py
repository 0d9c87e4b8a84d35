"""The leaves of a tenant's trail, in the order that the sequencer gave them; and what is decided about it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import Document, TenantRecord


class Leaf(TenantRecord):
    """One leaf: `place` is its index in the tree, from 0; `nodes` are the inner nodes that it completes.

    `note` is the checkpoint that was signed after it, if one was.
    """

    __tablename__ = "leaf"
    __table_args__ = (UniqueConstraint("entry_id"), {"info": {"append_only": True}})

    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID]
    leaf_hash: Mapped[bytes]
    nodes: Mapped[bytes]
    note: Mapped[str | None]


class Record(TenantRecord):
    """A typed document of the tenant: `kind` says its shape, `key` which it is; `version` grows with each change."""

    __tablename__ = "record"

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    body: Mapped[Document]
    changed_at: Mapped[datetime]
