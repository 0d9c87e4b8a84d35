"""Lets `control` follow what was done in a home: at least once, idempotent by the event's ids.

Flows "offer", "review", "install" and "word" of decision 17: the home's commit is the authority, whatever is lost here
is done again from its trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit.note import NoteKey
from app.kernel.errors import Conflict
from app.kernel.runtime import Runtime
from app.marketplace.checking.checks import HISTORIES, Checked, pack_and_check
from app.marketplace.checking.facts import search_text
from app.marketplace.models import Listing, ListingInstall, ListingVersion, ListingWord, PublisherKey
from app.marketplace.rules import FROM, State, Visibility, first_state
from app.marketplace.signing import countersign, package_hash
from app.templates.packing.package import Contents, Publisher
from tenants.sessions import partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "follow_submission": "called by the job that follows a submission",
    "follow_approval": "called by the job that follows a review",
    "follow_ending": "called by the job that follows a decision about a version",
    "follow_install": "called by the job that follows an installation",
    "follow_word": "called by the job that follows a rating or a report",
}
_ACTOR: Final = "marketplace"
_QUICK: Final = 2  # histories of the operator's own templates, which the product's tests have walked by the thousand


class PackageExchanged(Conflict):
    """What was approved is not what is in `control` now."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of a home's trail, as far as `control` follows it."""

    entry_id: UUID
    subject_id: UUID
    at: datetime
    by: dict[str, str]  # id and name
    reason: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signing:
    """With which key the home signs."""

    key: NoteKey
    private: Ed25519PrivateKey


def follow_submission(
    runtime: Runtime, home: Tenant, told: Told, documents: list[dict[str, Any]], signing: Signing, *, operator: bool
) -> None:
    """Pack, sign and check what was submitted, and put it where it is reviewed, or listed."""
    vouched = operator and bool(told.body["vouched"])
    template, *overlays = documents
    contents = Contents(template, overlays=tuple(overlays), changelog=told.body["changelog"])
    created = told.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    signer = Publisher(signing.key, signing.private)
    checked = pack_and_check(contents, signer, created, histories=_QUICK if vouched else HISTORIES)
    row = _submission(home, told, checked, vouched=vouched)
    if row["state"] == State.LISTED and row["visibility"] == Visibility.PUBLIC:
        row["countersigned"] = countersign(told.subject_id, checked.raw, signing.private)
    listing = {"id": row["listing_id"], "organisation_id": home.organisation_id}
    listing |= {"template_id": told.body["template"], "made_at": told.at}
    with partner_session(runtime.databases, home.organisation_id, actor=_ACTOR) as (session, _now):
        _make_known(session, home, told, signing)
        session.execute(insert(Listing).values(**listing).on_conflict_do_nothing())
        session.execute(insert(ListingVersion).values(**row).on_conflict_do_nothing(index_elements=["id"]))


def _submission(home: Tenant, told: Told, checked: Checked, *, vouched: bool) -> dict[str, Any]:
    visibility, template = Visibility(told.body["visibility"]), told.body["template"]
    publisher = "" if vouched else home.name
    return {
        "id": told.subject_id,
        "listing_id": UUID(told.body["listing_id"]),
        "organisation_id": home.organisation_id,
        "version": told.body["version"],
        "digest": told.body["digest"],
        "package": checked.raw,
        "visibility": visibility,
        "state": first_state(visibility, passed=checked.passed, vouched=vouched),
        "changelog": told.body["changelog"],
        "facts": checked.facts,
        "search": search_text(checked.facts, template, publisher),
        "checks": checked.checks,
        "submitted_at": told.at,
        "submitted_by": told.by,
        "countersigned": None,
    }


def follow_approval(runtime: Runtime, home: Tenant, told: Told, signing: Signing) -> None:
    """List exactly what was approved, under the operator's signature. Raises PackageExchanged."""
    with partner_session(runtime.databases, home.organisation_id, actor=_ACTOR) as (session, _now):
        package = session.scalars(select(ListingVersion.package).where(ListingVersion.id == told.subject_id)).one()
        if package_hash(package) != told.body["package"]:
            raise PackageExchanged("The package in control is not the one that was approved. Nothing is listed.")
        _make_known(session, home, told, signing)
        word = countersign(told.subject_id, package, signing.private)
        _move(session, told, State.LISTED, decision=_decision(told), countersigned=word)


def follow_ending(runtime: Runtime, home: Tenant, told: Told, state: State) -> None:
    """Decline, deprecate, withdraw or take down a version, if that is still possible from where it is."""
    notice = {"reason": told.reason, "at": told.at.isoformat()}
    notice |= {name: told.body.get(name, "") for name in ("replaced_by", "ends_on")}
    changed = {"decision": _decision(told)} if state is State.DECLINED else {"notice": notice}
    with partner_session(runtime.databases, home.organisation_id, actor=_ACTOR) as (session, _now):
        _move(session, told, state, **changed)


def follow_install(runtime: Runtime, home: Tenant, told: Told) -> None:
    """Count it, once; and let whoever ends the version find whom to tell."""
    row = {"organisation_id": home.organisation_id, "version_id": told.subject_id, "installed_at": told.at}
    with partner_session(runtime.databases, home.organisation_id, actor=_ACTOR) as (session, _now):
        row["listing_id"] = UUID(told.body["listing_id"])
        session.execute(insert(ListingInstall).values(**row).on_conflict_do_nothing())


def follow_word(runtime: Runtime, home: Tenant, told: Told, *, kind: str) -> None:
    """Keep a rating in place of the organisation's earlier one; a report stands beside others."""
    rated = kind == "rating"
    row = {
        "id": uuid5(home.organisation_id, f"rating:{told.subject_id}") if rated else told.entry_id,
        "organisation_id": home.organisation_id,
        "listing_id": told.subject_id,
        "kind": kind,
        "stars": told.body["stars"] if rated else None,
        "said": told.body["said"] if rated else told.reason,
        "by_name": told.by["name"],
        "said_at": told.at,
    }
    changed = {name: row[name] for name in ("stars", "said", "by_name", "said_at")}
    with partner_session(runtime.databases, home.organisation_id, actor=_ACTOR) as (session, _now):
        wanted = insert(ListingWord).values(**row)
        newer = ListingWord.said_at < wanted.excluded.said_at
        session.execute(wanted.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer))


def _make_known(session: Session, home: Tenant, told: Told, signing: Signing) -> None:
    """Everybody may know with which key the home signs."""
    row = {"organisation_id": home.organisation_id, "key": signing.key.written, "made_at": told.at}
    wanted = insert(PublisherKey).values(**row)
    session.execute(wanted.on_conflict_do_update(index_elements=["organisation_id"], set_={"key": row["key"]}))


def _move(session: Session, told: Told, state: State, **changed: Any) -> None:
    mine = update(ListingVersion).where(ListingVersion.id == told.subject_id, ListingVersion.state.in_(FROM[state]))
    session.execute(mine.values(state=state, **changed))


def _decision(told: Told) -> dict[str, str]:
    return {"by": told.by["name"], "reason": told.reason, "at": told.at.isoformat()}
