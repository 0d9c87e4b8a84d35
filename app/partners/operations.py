"""Organisations, their place in the tree, their brand and who has which role there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import new_id
from app.partners.brand import Brand, version
from app.partners.models import BrandRecord
from app.partners.rules import PARTNER, PLATFORM, default_host, is_host, is_slug, to_tokens
from app.web.frame import HelpContact, Legal
from tenants.engines import Databases
from tenants.sessions import lookup_session, partner_session

SYSTEM_ONLY = {
    "create_organisation": "admission of a partner: the operator's command line and set-up",
    "set_brand": "set-up and the brand editor, whose door checks brand:edit in the partner's home",
    "assign_role": "set-up and the staff page, whose door checks the right to grant in the partner's home",
    "take_role": "the staff page, whose door checks the right to grant in the partner's home",
}


class NameTaken(Conflict):
    """Another organisation has this short name or this host."""


class NameUnusable(Invalid):
    """The short name, the host or the parent cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrganisation:
    """What is wanted. `host` is `<slug>.localhost` unless given; the platform has no parent, everybody else has one."""

    slug: str
    name: str
    kind: str = PARTNER
    parent_id: UUID | None = None
    host: str | None = None


def create_organisation(databases: Databases, actor: Actor, wanted: NewOrganisation) -> UUID:
    """Make the organisation with its place in the tree and its host; called again, the same one. Returns its id.

    Raises NameUnusable, and NameTaken when the short name or the host is somebody else's: then nothing was made.
    """
    host = wanted.host or default_host(wanted.kind, wanted.slug)
    _check(wanted, host)
    values = {"id": new_id(), "parent": wanted.parent_id, "kind": wanted.kind, "slug": wanted.slug}
    with lookup_session(databases, actor=actor.label) as (session, _now):
        try:
            row = session.execute(_CREATE, values | {"name": wanted.name.strip(), "host": host}).one()
        except IntegrityError as error:
            raise NameUnusable("There is no such organisation to stand below.") from error
        if row.host_owner != row.id:
            raise NameTaken(f"The host {host} belongs to another organisation. Choose another one.")
        if (row.parent_id, row.kind, row.name) != (wanted.parent_id, wanted.kind, wanted.name.strip()):
            raise NameTaken(f"There is already an organisation called {wanted.slug}. Choose another short name.")
    return UUID(str(row.id))


def set_brand(
    databases: Databases,
    actor: Actor,
    organisation_id: UUID,
    brand: Brand,
    *,
    legal: Legal | None = None,
    contact: HelpContact | None = None,
) -> str:
    """Make this the brand of the organisation. Returns its version, the address of its stylesheet."""
    with partner_session(databases, organisation_id, actor=actor.label) as (session, now):
        tokens = to_tokens(brand, legal=legal, contact=contact)
        changed = {"version": version(brand), "tokens": tokens, "changed_at": now}
        row = insert(BrandRecord).values(organisation_id=organisation_id, **changed)
        session.execute(row.on_conflict_do_update(index_elements=["organisation_id"], set_=changed))
    return version(brand)


def assign_role(databases: Databases, actor: Actor, *, person_id: UUID, organisation_id: UUID, role: str) -> None:
    """Give a person a role in the organisation; it counts there and in all below, from the next request on."""
    values = {"id": new_id(), "person": person_id, "organisation": organisation_id, "role": role}
    with partner_session(databases, organisation_id, actor=actor.label) as (session, now):
        session.execute(_ASSIGN, values | {"now": now})


def take_role(databases: Databases, actor: Actor, *, person_id: UUID, organisation_id: UUID, role: str) -> None:
    """Take the role away; the person's next request goes without it."""
    values = {"person": person_id, "organisation": organisation_id, "role": role}
    with partner_session(databases, organisation_id, actor=actor.label) as (session, _now):
        session.execute(_TAKE, values)


def _check(wanted: NewOrganisation, host: str) -> None:
    if not is_slug(wanted.slug):
        raise NameUnusable(f"{wanted.slug!r} cannot be a short name: use lower case letters, digits and hyphens.")
    if not wanted.name.strip():
        raise NameUnusable("An organisation needs a name: people read it on every page.")
    if not is_host(host):
        raise NameUnusable(f"{host!r} is not a host name. Write it like onboarding.example.com.")
    if (wanted.kind == PLATFORM) != (wanted.parent_id is None):
        raise NameUnusable("Only the platform stands above all; every partner has an organisation above it.")


_CREATE = text("SELECT * FROM control.create_organisation(:id, :parent, :kind, :slug, :name, :host)")
# Assignments are identity's rows; by name, since identity stands below and knows no organisation.
_ASSIGN = text(
    "INSERT INTO control.assignment (id, person_id, organisation_id, role, made_at)"
    " VALUES (:id, :person, :organisation, :role, :now)"
    " ON CONFLICT (person_id, organisation_id, role) DO NOTHING"
)
_TAKE = text(
    "DELETE FROM control.assignment WHERE person_id = :person AND organisation_id = :organisation AND role = :role"
)
