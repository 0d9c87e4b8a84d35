"""The versions that a running onboarding can go on with: what its partner has published, what its workspace has pinned.

Published ones are read in `control` before any tenant's transaction begins (DESIGN 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.flow.definition import Definition
from app.kernel.errors import Conflict
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.queries.stored import definition_of
from app.onboarding.sold import on_another
from app.templates.lines.queries import find_overlay
from app.templates.operations import effective_document
from app.templates.overlay import Effective
from app.templates.queries import TemplateMissing, list_pinned, list_published
from app.templates.rules import TemplateRefused
from tenants.sessions import partner_session

Package = Mapping[str, Any] | None  # what an onboarding keeps of the package that it was sold with


class OtherTemplate(Conflict):
    """An onboarding goes on with another version of its own template, not with another template."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version on offer; `to` is its address. `published_at` is None for one that only the workspace has."""

    to: str
    version: str
    title: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class Target:
    """The version that was chosen by its address: the partner's published one with its overlay, or a pinned one."""

    to: str
    effective: Effective | None


def list_versions(runtime: Runtime, organisation_id: UUID, running: Definition, sold: Package) -> list[Version]:
    """What the organisation has published of a template and what is not the running version, the last first.

    `sold` is the package that the onboarding was sold with: it goes along, so it is no other version.
    """
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        found = list_published(session, organisation_id, running.id)
    return [
        Version(each.digest, each.version, each.title, each.published_at)
        for each in found
        if each.version != running.version or _address(runtime, organisation_id, each.digest, sold) != running.digest
    ]


def list_kept(work: Work, onboarding: Onboarding) -> list[Version]:
    """What the workspace has pinned of the onboarding's template besides what it runs by: the way back."""
    found = list_pinned(work.session, definition_of(work, onboarding.definition_digest).id)
    return [
        Version(each.digest, str(each.document["version"]), each.title, None)
        for each in found
        if each.digest != onboarding.definition_digest
    ]


def find_target(runtime: Runtime, organisation_id: UUID, to: str, sold: Package) -> Target:
    """The published version of that address with the partner's newest overlay and what was sold upon it.

    Else one to look for inside. Raises TemplateRefused where overlay, package and version do not fit.
    """
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        overlay = find_overlay(session, to)
    try:
        found = effective_document(runtime, organisation_id, template_digest=to, overlay_digest=overlay)
    except TemplateMissing:
        return Target(to, None)
    return Target(to, on_another(runtime, organisation_id, found, sold))


def _address(runtime: Runtime, organisation_id: UUID, to: str, sold: Package) -> str | None:
    """What going on with it would run by; None where that cannot be: it is told to whoever chooses it."""
    try:
        effective = find_target(runtime, organisation_id, to, sold).effective
    except TemplateRefused:
        if sold is None:
            raise
        return None
    return effective.digest if effective else None


def definition_for(work: Work, onboarding: Onboarding, target: Target) -> Definition:
    """The target, compiled. Raises TemplateMissing, OtherTemplate."""
    found = target.effective.compile() if target.effective else definition_of(work, target.to)
    if found.id != definition_of(work, onboarding.definition_digest).id:
        raise OtherTemplate(f"“{found.id}” is another template. An onboarding goes on with a version of its own.")
    return found
