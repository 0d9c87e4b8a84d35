"""Moves lines: what a partner offers of a template follows what it publishes, takes over, upgrades or goes back to."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID, uuid5

from sqlalchemy.dialects.postgresql import insert

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import keep_document, lock_document
from app.kernel.errors import Invalid
from app.kernel.runtime import Runtime
from app.kernel.trail import Entry
from app.kernel.work import Work
from app.templates.events import LineMoved
from app.templates.lines.chains import Chain, ChainBroken, find_chain
from app.templates.lines.queries import LINE, Offered, home_shelves, offered_before, offered_in
from app.templates.models import Definition, TemplateLine
from app.templates.overlays.versions import precedence
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "follow": "part of a publication or of taking a version over, which have checked their own permission",
    "copy_line": "called by the job that follows a move",
    "hold": "part of a publication, which has checked its own permission",
}


class GoingBackRefused(Invalid):
    """What is to be offered again is not there, or no reason is given."""


def follow(work: Work, chain: Chain, why: str) -> None:
    """Offer a chain from now on, unless that would lose an adaptation or go back.

    A template that comes without the overlay that is offered now waits for the overlay's upgrade; what belongs to an
    earlier version than the one offered is there for those who run that.
    """
    now = _locked(work, chain.template.id, {each.digest for each in chain.versions})
    if now is None or _goes_on(work, now, chain):
        _move(work, Offered(chain.template.digest, chain.overlay_digest), why, chain.template.id)


def offer(work: Work, chain: Chain, why: str) -> None:
    """Offer a chain from now on, whatever was offered. Raises NotPermitted."""
    require(work, Permission.TEMPLATE_PUBLISH)
    to = Offered(chain.template.digest, chain.overlay_digest)
    if _locked(work, chain.template.id) != to:
        _move(work, to, why, chain.template.id)


def go_back(work: Work, template_id: str, to: Offered, reason: str) -> None:
    """Offer again what was offered before, byte for byte. What runs goes on as it is.

    Raises NotPermitted, GoingBackRefused.
    """
    require(work, Permission.TEMPLATE_PUBLISH)
    if not reason.strip():
        raise GoingBackRefused("Say why: whoever looks at this line later asks that first.")
    try:
        chain = find_chain(home_shelves(work.session), to.overlay_digest or to.template_digest)
    except ChainBroken as error:
        raise GoingBackRefused(error.message) from None
    if chain.template.id != template_id or chain.template.digest != to.template_digest:
        raise GoingBackRefused("That was never offered in this line.")
    if _locked(work, template_id) != to:
        _move(work, to, reason.strip(), template_id)


def copy_line(runtime: Runtime, organisation_id: UUID, entry: Entry) -> None:
    """Put one entry of a line into `control`. Repeatable: its number is the key."""
    event = entry.body
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        row = {
            "organisation_id": organisation_id,
            "template_id": event["template"],
            "seq": event["seq"],
            "template_digest": event["template_digest"],
            "overlay_digest": event["overlay_digest"],
            "why": event["why"],
            "changed_by": entry.actor_name,
            "changed_at": entry.at,
        }
        session.connection().execute(insert(TemplateLine).values(**row).on_conflict_do_nothing())


def _goes_on(work: Work, now: Offered, chain: Chain) -> bool:
    before = find_chain(home_shelves(work.session), now.overlay_digest or now.template_digest)
    if _has_own(work, before) and not _has_own(work, chain):
        return False
    if chain.template.digest == before.template.digest and len(chain.overlays) < len(before.overlays):
        return False
    then = {str(each.document["id" if each is chain.template else "overlay"]): each for each in chain.versions}
    for each in before.versions:
        other = then.get(str(each.document["id" if each is before.template else "overlay"]))
        if other is not None and precedence(str(other.document["version"])) < precedence(str(each.document["version"])):
            return False
    return True


def _has_own(work: Work, chain: Chain) -> bool:
    """Whether an overlay of it was written here, and not taken over from somebody else."""
    rows = (work.session.get_one(Definition, each.digest) for each in chain.overlays)
    return any("publisher" not in row.origins for row in rows)


def hold(work: Work, template_id: str) -> None:
    """Whoever publishes for a line does it one after the other, from before they look until their commit."""
    lock_document(work, LINE, template_id)


def _locked(work: Work, template_id: str, published: Collection[str] = ()) -> Offered | None:
    """What is offered now, which nobody else changes before the commit.

    A home of before has no entry for what `control` has as the first: it is written down then, so that numbers go on.
    """
    now = offered_in(lock_document(work, LINE, template_id).body)
    if now is None:
        now = offered_before(work.session, template_id, published)
        if now is not None:
            body = {"template_digest": now.template_digest, "overlay_digest": now.overlay_digest}
            keep_document(work, LINE, template_id, body)
    return now


def _move(work: Work, to: Offered, why: str, template_id: str) -> None:
    body = {"template_digest": to.template_digest, "overlay_digest": to.overlay_digest}
    seq = keep_document(work, LINE, template_id, body)
    work.announce(
        LineMoved(
            subject_id=uuid5(work.tenant.id, f"line:{template_id}"),
            template=template_id,
            seq=seq,
            template_digest=to.template_digest,
            overlay_digest=to.overlay_digest,
            why=why,
        )
    )
