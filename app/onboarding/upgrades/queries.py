"""Who runs which version of a template, and the upgrades of a partner: from the cards and from its home."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.onboarding.models import OnboardingCard
from app.onboarding.upgrades.records import find_upgrade, list_parts, list_upgrades
from app.onboarding.upgrades.rules import Part, Upgrade
from app.templates.lines.ends import End, ends_of
from app.templates.queries import NO_SUCH, PublishedVersion, TemplateMissing, list_published
from tenants.models import TenantEntry
from tenants.sessions import partner_session

LIVE = ("running", "held")


@dataclass(frozen=True, slots=True)
class Runs:
    """One onboarding and what it runs."""

    tenant_id: UUID
    tenant: str
    onboarding_id: UUID
    name: str
    state: str
    version: str
    definition: str


@dataclass(frozen=True, slots=True)
class TemplateLine:
    """The versions of a template, the onboardings that run them now, and which of them their publishers have ended."""

    template_id: str
    title: str
    published: list[PublishedVersion]
    running: list[Runs]
    ends: list[End]


def read_template_line(runtime: Runtime, actor: Actor, organisation_id: UUID, template_id: str) -> TemplateLine:
    """Who runs which version of one template, over all of the organisation's customers.

    Raises NotPermitted, TemplateMissing where it has neither published nor running ones.
    """
    require(AtWork(staff_rights(actor), actor), Permission.ONBOARDING_READ)
    if not template_id.isprintable():
        raise TemplateMissing(NO_SUCH)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        published = list_published(session, organisation_id, template_id)
        running = list_runs(session, organisation_id, template_id)
        ends = ends_of(runtime, session, template_id)
    if not published and not running:
        raise TemplateMissing(NO_SUCH)
    title = published[0].title if published else template_id
    return TemplateLine(template_id, title, published, running, ends)


def list_runs(session: Session, organisation_id: UUID, template_id: str, versions: Collection[str] = ()) -> list[Runs]:
    """The live onboardings of the organisation's own customers that run the template, in one of the versions if named.

    In the organisation's scope. What is in it is as old as the card; the workspace is asked before anything is done.
    """
    card = OnboardingCard
    query = select(card, TenantEntry.name).join(TenantEntry, TenantEntry.id == card.tenant_id)
    query = query.where(card.organisation_id == organisation_id, card.template_id == template_id, card.state.in_(LIVE))
    if versions:
        query = query.where(card.version.in_(versions))
    return [
        Runs(one.tenant_id, name, one.onboarding_id, one.name, one.state, one.version or "", one.definition or "")
        for one, name in session.execute(query.order_by(TenantEntry.name, card.tenant_id, card.onboarding_id))
    ]


def count_lines(runtime: Runtime, actor: Actor, organisation_id: UUID) -> list[dict[str, Any]]:
    """The templates that live onboardings of the organisation's own customers run: how many, in how many versions."""
    require(AtWork(staff_rights(actor), actor), Permission.ONBOARDING_READ)
    card = OnboardingCard
    numbers = (func.count(), func.count(card.version.distinct()), func.max(card.template))
    query = select(card.template_id, *numbers).where(card.organisation_id == organisation_id, card.state.in_(LIVE))
    query = query.where(card.template_id.is_not(None)).group_by(card.template_id).order_by(func.count().desc())
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        rows = session.execute(query).all()
    return [{"id": id_, "count": count, "versions": versions, "title": title} for id_, count, versions, title in rows]


def read_upgrade(work: Work, upgrade_id: UUID) -> tuple[Upgrade, list[Part]]:
    """An upgrade with all its onboardings; in the home. Raises NotPermitted, UpgradeMissing."""
    require(work, Permission.ONBOARDING_READ)
    return find_upgrade(work.session, upgrade_id), list_parts(work.session, upgrade_id)


def read_upgrades(work: Work, template_id: str = "") -> list[Upgrade]:
    """The upgrades of the home, or of one template, the last first. Raises NotPermitted."""
    require(work, Permission.ONBOARDING_READ)
    return [each for each in list_upgrades(work.session) if template_id in {"", each.template}]
