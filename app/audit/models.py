"""The leaves of a tenant's trail, in the order that the sequencer gave them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import TenantRecord


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
