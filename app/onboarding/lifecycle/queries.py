"""What came before a run, what follows it, and what its people may start."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from app.access.decisions import can
from app.access.permissions import Permission
from app.kernel.work import Work
from app.onboarding.lifecycle.rules import successor_id
from app.onboarding.models import Onboarding
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

LIFECYCLES = {
    "onboarding": mark("Onboarding"),
    "renewal": mark("Renewal"),
    "expansion": mark("Expansion"),
    "escalation": mark("Support escalation"),
    "offboarding": mark("Offboarding"),
}


def chain_of(work: Work, picture: Picture) -> dict[str, Any]:
    """Links to the run before and to those that follow, in the reader's words."""
    base = f"/t/{picture.tenant_id}/onboardings"
    before = picture.onboarding.deal.get("predecessor")
    found = _started(work, picture)
    lifecycle = picture.definition.lifecycle
    return {
        "is": picture.say(LIFECYCLES[lifecycle]) if lifecycle != "onboarding" else "",
        "before": {"path": f"{base}/{before['id']}", "name": before["name"]} if before else None,
        "after": [{"path": f"{base}/{found[each]}", "name": picture.say(LIFECYCLES[each])} for each in found],
    }


def may_follow(work: Work, picture: Picture) -> list[str]:
    """The lifecycles that this person can start now."""
    if not can(work.rights, Permission.ONBOARDING_WRITE):
        return []
    started = _started(work, picture)
    left = [link.lifecycle for link in picture.definition.then if link.lifecycle not in started]
    return [each for each in left if picture.state.status != "cancelled" or each == "offboarding"]


def _started(work: Work, picture: Picture) -> dict[str, str]:
    ids = {successor_id(picture.onboarding.id, link.lifecycle): link.lifecycle for link in picture.definition.then}
    if not ids:
        return {}
    made = work.session.scalars(select(Onboarding.id).where(Onboarding.id.in_(ids)))
    return {ids[each]: str(each) for each in made}
