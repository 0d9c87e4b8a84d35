"""Tells those who have a version of its end: an entry in their home's trail and letters to administrators, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from app.audit.operations.documents import add_document
from app.kernel.actor import Actor
from app.kernel.errors import Unavailable
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.marketplace.events import NoticeReceived
from app.marketplace.models import ListingInstall
from app.marketplace.operations.following import Told
from app.marketplace.queries.market import list_installed
from app.marketplace.queries.offers import list_holders
from app.marketplace.rules import ENDED, State
from app.notifications.operations import Letter, queue_letter
from tenants.registry import find_home
from tenants.sessions import DatabaseAway, TenantOutdated, lookup_session, partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "tell_holders": "called by the job that follows a version's end",
    "read_administrators": "part of the jobs that tell them",
    "tell_of_end": "called by the job that follows an installation",
}
NOTICE: Final = "listing_notice"  # of a home's documents: what it was told of a version's end
_ADMINISTRATORS = text("SELECT * FROM control.list_administrators(:organisation)")


class Reader(NamedTuple):
    """Who reads the letter."""

    id: UUID
    email: str
    name: str
    locale: str


def tell_holders(runtime: Runtime, home: Tenant, told: Told, state: State, *, actor: Actor, trace_id: str) -> int:
    """Tell each organisation that has the version; told again, nobody hears it twice. Returns how many there are."""
    with partner_session(runtime.databases, home.organisation_id, actor=actor.label) as (session, _now):
        holders = [each for each in list_holders(session, told.subject_id) if each != home.organisation_id]
    failed: list[Exception] = []
    for organisation_id in holders:
        try:
            _tell_one(runtime, organisation_id, told, state, actor=actor, trace_id=trace_id)
        except (Unavailable, TenantOutdated, DatabaseAway) as error:
            failed.append(error)  # the others hear of it now, these when the job is done again
    if failed:
        raise failed[0]
    return len(holders)


def read_administrators(session: Session, organisation_id: UUID) -> list[Reader]:
    """Who publishes templates of an organisation, and so hears of what becomes of them."""
    return [Reader(*row) for row in session.execute(_ADMINISTRATORS, {"organisation": organisation_id})]


def tell_of_end(
    runtime: Runtime, home: Tenant, version_id: UUID, *, since: datetime, actor: Actor, trace_id: str
) -> None:
    """Tell an organisation of an end that came while it was taking the version: its holders were told without it.

    A version that had been deprecated before `since` was taken all the same, with the word about it on the page.
    """
    with partner_session(runtime.databases, home.organisation_id, actor=actor.label) as (session, _now):
        card = next((each for each in list_installed(session) if each.version_id == version_id), None)
    if card is None or card.notice is None:
        return
    if card.state not in ENDED and datetime.fromisoformat(card.notice["at"]) < since:
        _note_heard(runtime, home.organisation_id, version_id, card.state, actor)
        return
    facts = {name: card.notice[name] for name in ("replaced_by", "ends_on")}
    body = facts | {"template": card.template_id, "version": card.version, "listing_id": str(card.listing_id)}
    told = Told(version_id, version_id, since, {}, card.notice["reason"], body)
    _tell_one(runtime, home.organisation_id, told, State(card.state), actor=actor, trace_id=trace_id)


def _tell_one(
    runtime: Runtime, organisation_id: UUID, told: Told, state: State, *, actor: Actor, trace_id: str
) -> None:
    with lookup_session(runtime.databases, actor=actor.label) as (session, _now):
        theirs = find_home(session, organisation_id)
        readers = read_administrators(session, organisation_id)
    if theirs is None or theirs.state != "active":
        return  # their pages say it as soon as they are back; nobody reads letters meanwhile
    with open_work(runtime, theirs, actor, trace_id=trace_id) as work:
        _tell(work, told, state, readers)
    _note_heard(runtime, organisation_id, told.subject_id, state, actor)


def _note_heard(runtime: Runtime, organisation_id: UUID, version_id: UUID, state: str, actor: Actor) -> None:
    """For the operator, who sees how many have not."""
    mine = update(ListingInstall).where(ListingInstall.version_id == version_id)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        session.execute(mine.where(ListingInstall.organisation_id == organisation_id).values(heard=state))


def _tell(work: Work, told: Told, state: State, readers: list[Reader]) -> None:
    facts = {name: told.body.get(name, "") for name in ("template", "version", "replaced_by", "ends_on")}
    body = facts | {"state": state, "reason": told.reason, "listing": told.body["listing_id"]}
    if not add_document(work, NOTICE, f"{told.subject_id}:{state}", body):
        return
    work.record(
        NoticeReceived(
            subject_id=told.subject_id,
            listing_id=UUID(told.body["listing_id"]),
            template=facts["template"],
            version=facts["version"],
            state=state,
            replaced_by=facts["replaced_by"],
            ends_on=facts["ends_on"],
            reason=told.reason or None,
        )
    )
    for reader in readers:
        queue_letter(work, Letter(f"listing_{state}", reader, _letter(facts, told)))


def _letter(facts: dict[str, str], told: Told) -> dict[str, Any]:
    return {
        "title": {"en": f"{facts['template']} {facts['version']}"},
        "text": {"en": told.reason},
        "onboarding": facts["replaced_by"],
        "by": facts["ends_on"],
        "page": f"/marketplace/listings/{told.body['listing_id']}",
    }
