"""The place of an imported tenant, and its last steps: keys, people, delegations, the first new entry, then active."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from app.access.operations import end_delegations
from app.identity.machines.operations.accounts import rest_accounts
from app.identity.operations import find_people, index_membership, list_people, repoint_members
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.tenancy.bundles.checking import DirectoryEntry
from app.tenancy.bundles.documents import FILE_KEYS
from app.tenancy.bundles.errors import BundleBroken
from app.tenancy.bundles.verification import CheckedBundle
from app.tenancy.events import TenantImported
from app.tenancy.operations.creation import NoRoom, Seeder
from app.tenancy.operations.leaving import GONE, TenantLeaves, is_leaving
from app.tenancy.operations.listing import SEEDING, Listed
from app.vault.keyring import Keyring
from app.vault.operations import count_keys, put_keys
from app.vault.operations.file_keys import put_file_keys
from tenants.models import TenantEntry
from tenants.moving.portable import TENANT
from tenants.sessions import partner_session, registry_session
from tenants.slots import ClaimedSlot, activate, claim_slot, make_slots
from tenants.tenant import Tenant

_MOVED = "The workspace moved to another installation"
ARRIVING: Final = frozenset({SEEDING, "active"})


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the last steps need to know of the bundle."""

    checked: CheckedBundle
    keys: list[bytes]
    file_keys: list[bytes]


def command_key(bundle: UUID) -> str:
    """The command that an import is, in the tenant itself: applied once."""
    return f"import:{bundle}"


def place_of_import(runtime: Runtime, entry: DirectoryEntry, listed: Listed, organisation_id: UUID) -> Tenant:
    """Key and slot of a tenant that the directory has listed, and routes to nowhere yet. Repeatable.

    Raises KeyMissing when the tenant was erased here, NoRoom.
    """
    runtime.service(Keyring).wrapping.create(entry.id)
    slot = _claim(runtime, listed, entry, organisation_id)
    return Tenant(
        id=entry.id,
        organisation_id=organisation_id,
        kind=entry.kind,
        name=entry.name,
        cell=listed.cell,
        schema=slot.schema,
        role=slot.role,
        gateway=slot.gateway,
        state=SEEDING,
    )


def arrive(runtime: Runtime, actor: Actor, tenant: Tenant, arrival: Arrival, *, trace_id: str) -> None:
    """All rows are there: make them this installation's own, then let people and work in. Repeatable.

    Raises BundleBroken when rows are short, KeyMissing.
    """
    with open_work(runtime, tenant, actor, trace_id=trace_id, states=ARRIVING) as work:
        people = list_people(work)
    known = find_people(runtime, people)  # in control, before the tenant's rows name them
    with open_work(runtime, tenant, actor, trace_id=trace_id, states=ARRIVING) as work:
        work.session.execute(text("SET LOCAL statement_timeout = '120s'"))
        work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(tenant.id)})
        if not _is_done(work, arrival.checked.header.bundle):
            _settle(runtime, work, arrival, known)
    for person_id in {known[person.person_id] for person in people}:
        index_membership(runtime, person_id, tenant)
    _activate(runtime, actor, tenant)


def has_arrived(runtime: Runtime, actor: Actor, tenant: Tenant, bundle: UUID, *, trace_id: str) -> bool:
    """Whether all of it is here already, and only the directory may not know."""
    with open_work(runtime, tenant, actor, trace_id=trace_id, states=ARRIVING) as work:
        return _is_done(work, bundle)


def _settle(runtime: Runtime, work: Work, arrival: Arrival, known: dict[UUID, UUID]) -> None:
    checked = arrival.checked
    _require_all(work, checked)
    fitted = put_keys(work.session, runtime.service(Keyring), work.tenant.id, arrival.keys)
    if checked.header.secrets and not fitted == len(arrival.keys) == count_keys(work.session):
        raise BundleBroken("keys/tenant", "its keys are not those of the secrets.")
    repoint_members(work, known)
    work.announce(
        TenantImported(
            subject_id=work.tenant.id,
            bundle_id=checked.header.bundle,
            sender=checked.sender,
            organisation_id=work.tenant.organisation_id,
            secrets=checked.header.secrets,
            manifest_sha256=checked.manifest_sha256,
        )
    )
    end_delegations(work, reason=_MOVED)
    rest_accounts(work, reason=_MOVED)
    runtime.service(Seeder).seed(work)
    try:
        put_file_keys(work, runtime.service(Keyring), arrival.file_keys)
    except msgspec.ValidationError:
        raise BundleBroken(FILE_KEYS, "it is not what a bundle has there.") from None
    key = command_key(checked.header.bundle)
    work.remember_command(key, fingerprint=checked.manifest_sha256, result={"rows": checked.rows})


def _require_all(work: Work, checked: CheckedBundle) -> None:
    """What is there is what was signed: no part short, none twice."""
    for table in checked.manifest.tables:
        group, name = table.path.split("/")
        if group != TENANT:
            continue
        quoted = work.session.connection().dialect.identifier_preparer.quote_identifier(name)
        found = work.session.execute(text(f"SELECT count(*) FROM {quoted}")).scalar_one()  # noqa: S608 - a table of our own metadata, quoted
        if found != table.rows:
            raise BundleBroken(table.path, f"{table.rows} rows were sent, and {found} are here.")


def _is_done(work: Work, bundle: UUID) -> bool:
    query = text("SELECT EXISTS (SELECT FROM command WHERE key = :key)")
    return bool(work.session.execute(query, {"key": command_key(bundle)}).scalar_one())


def _claim(runtime: Runtime, listed: Listed, entry: DirectoryEntry, organisation_id: UUID) -> ClaimedSlot:
    for _try in range(3):
        try:
            with registry_session(runtime.databases, listed.cell, actor="registry") as (session, _now):
                slot = claim_slot(
                    session,
                    entry.id,
                    kind=entry.kind,
                    weight=listed.weight,
                    limits=listed.limits,
                    organisation_id=organisation_id,
                )
        except IntegrityError:
            continue  # somebody else imports the same bundle: the next look finds what it claimed
        if slot is not None:
            return slot
        make_slots(runtime.databases, listed.cell, 1)
    raise NoRoom("No workspace could be prepared right now. Try again in a moment.")


def _activate(runtime: Runtime, actor: Actor, tenant: Tenant) -> None:
    """First the cell, which sessions obey, then the directory, which routes."""
    with registry_session(runtime.databases, tenant.cell, actor=actor.label) as (session, _now):
        activate(session, tenant.id)
    with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, now):
        place = {"cell_name": tenant.cell, "schema_name": tenant.schema, "role_name": tenant.role}
        told = TenantEntry.change.is_not(None)  # of what was changed before it had a place, the cell is told now
        session.execute(
            update(TenantEntry)
            .where(TenantEntry.id == tenant.id, TenantEntry.state == SEEDING)
            .values(**place, gateway=tenant.gateway, state="active", active_at=now, behind=told)
        )
    if is_leaving(runtime, tenant.organisation_id, tenant.id):
        raise TenantLeaves(GONE)
