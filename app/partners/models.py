"""Organisations and what makes them look like themselves: rows of `control`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document


class Organisation(ControlRecord):
    """A partner, or the operator at the root of the tree."""

    __tablename__ = "organisation"
    # Read only: it is made by a function, and its limits are the operator's to set.
    __table_args__ = {"info": {"scope": "id IN ({below})", "rights": "SELECT"}}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.organisation.id"))
    kind: Mapped[str]  # platform | partner
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str]
    made_at: Mapped[datetime]
    limits: Mapped[Document | None]  # what the operator lets it have: `tenants`; null: as many as it likes


class OrganisationEdge(ControlRecord):
    """The closure of the tree: every ancestor of every organisation, itself included at depth 0."""

    __tablename__ = "org_edge"
    # Read only: whoever could write an edge below itself could hang any other branch there, and see it.
    __table_args__ = {"info": {"scope": "ancestor_id IN ({below})", "rights": "SELECT"}}

    ancestor_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    descendant_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True, index=True)
    depth: Mapped[int]


class Host(ControlRecord):
    """Which organisation's brand answers on a host name."""

    __tablename__ = "host"

    name: Mapped[str] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))


class BrandRecord(ControlRecord):
    """A partner's brand as data; `version` is the content hash its stylesheet is addressed by."""

    __tablename__ = "brand"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"), primary_key=True)
    version: Mapped[str] = mapped_column(index=True)
    tokens: Mapped[Document]
    changed_at: Mapped[datetime]
