"""What people decide about an upgrade: ask for it, agree or decline, stop and go on, take it back. In the home.

Each is a word in the home's trail and jobs for the workspaces; the workspaces themselves are met by those.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

import msgspec

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.flow.definition import Definition
from app.flow.events import MigrationMap
from app.flow.migration.asking import check_reason
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.onboarding.migration.operations import MapUnfit
from app.onboarding.upgrades import events
from app.onboarding.upgrades.queries import Runs, list_runs
from app.onboarding.upgrades.records import ask_for_jobs, find_upgrade, keep_part, keep_upgrade, list_parts
from app.onboarding.upgrades.rules import Line, Part, State, Upgrade, Who
from app.templates.lines.queries import find_overlay, find_published
from app.templates.operations import effective_document
from app.templates.overlay import Effective
from app.templates.queries import TemplateMissing
from app.web.translations import mark
from tenants.sessions import partner_session

MOST = 5_000  # onboardings of one upgrade


class UpgradeStale(Conflict):
    """It was changed since it was read."""


class NotNow(Conflict):
    """An upgrade is not where this can be done to it."""


class PreviewMoved(Conflict):
    """Something else was agreed to than what the dry run shows."""


class NothingToUpgrade(Conflict):
    """Nothing runs the versions that were chosen, or nothing of it can go on."""


class TooMany(Invalid):
    """More onboardings than one upgrade takes."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an upgrade is made from, read from `control` before the home is entered."""

    to: str
    overlay: str | None
    effective: Effective
    from_versions: tuple[str, ...]
    running: tuple[Runs, ...]


def choose(runtime: Runtime, actor: Actor, organisation_id: UUID, to: str, from_versions: Iterable[str]) -> Chosen:
    """The published version of that address with the newest overlay upon it, and who would go on with it.

    Raises NotPermitted, TemplateMissing, TemplateRefused.
    """
    require(AtWork(staff_rights(actor), actor), Permission.ONBOARDING_WRITE)
    versions = tuple(dict.fromkeys(each for each in from_versions if each.isprintable()))
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        document = find_published(session, to) if to.isprintable() else None
        if document is None or "overlay" in document or "id" not in document:  # a package has none
            raise TemplateMissing(f"No published template has the address {to}.")
        overlay = find_overlay(session, to)
        running = list_runs(session, organisation_id, str(document["id"]), versions)
    found = effective_document(runtime, organisation_id, template_digest=to, overlay_digest=overlay)
    return Chosen(to, overlay, found, versions, tuple(running))


def ask_for_upgrade(work: Work, chosen: Chosen, *, wanted: MigrationMap, reason: str) -> Upgrade:
    """Begin the dry run. Nothing is changed until another person has agreed to what it shows.

    Raises NotPermitted, PersonNeeded, ReasonNeeded, MapUnfit, NothingToUpgrade, TooMany.
    """
    require(work, Permission.ONBOARDING_WRITE)
    require_person(work.actor)
    check_reason(reason)
    definition = chosen.effective.compile()
    _check_map(wanted, definition)
    if not chosen.running:
        raise NothingToUpgrade(mark("No onboarding runs these versions now."))
    if len(chosen.running) > MOST:
        raise TooMany(f"One upgrade takes {MOST} onboardings at most. Choose fewer versions.")
    parts = [_part(tenant, list(group)) for tenant, group in groupby(chosen.running, key=lambda one: one.tenant_id)]
    upgrade = _new(chosen, definition, wanted, _who(work, reason), tuple(part.tenant for part in parts))
    for part in parts:
        keep_part(work, upgrade.id, part)
    about, number = _about(upgrade, reason), len(chosen.running)
    work.record(events.UpgradeAsked(definition_digest=upgrade.definition, onboardings=number, **about))
    return _go_on(work, upgrade)


def decide_upgrade(
    work: Work, *, upgrade_id: UUID, agreed: bool, seen: str = "", reason: str = "", versions: frozenset[str]
) -> Upgrade:
    """Agree to exactly what the dry run showed (`seen` is its address), and it begins; or decline it with a reason.

    Raises NotPermitted, PersonNeeded, UpgradeMissing, UpgradeStale, NotNow, SecondPersonNeeded, PreviewMoved,
    NothingToUpgrade, ReasonNeeded.
    """
    require(work, Permission.ONBOARDING_WRITE)
    require_person(work.actor)
    upgrade = _expect(work, upgrade_id, versions, {"looked"}, mark("Only what was looked at and waits can be decided."))
    if not agreed:
        check_reason(reason)
        work.record(events.UpgradeDeclined(**_about(upgrade, reason)))
        return _keep(work, msgspec.structs.replace(upgrade, state="declined", ended=_who(work, reason)))
    require_another(upgrade.asked.id, work.actor)
    if seen != upgrade.preview:
        raise PreviewMoved(mark("This is not what the dry run shows; look at it again, then decide."))
    parts = list_parts(work.session, upgrade_id)
    left = tuple(part.tenant for part in parts if any(line.seen == "goes" for line in part.lines))
    if not left:
        raise NothingToUpgrade(mark("None of these onboardings can go on with that version."))
    entry = work.record(events.UpgradeAgreed(preview=seen, **_about(upgrade, reason or None)))
    who = _who(work, reason)
    begun = msgspec.structs.replace(upgrade, state="applying", agreed=who, agreement=str(entry), left=left)
    return _go_on(work, _next(begun))


def stop_upgrade(work: Work, *, upgrade_id: UUID, versions: frozenset[str]) -> Upgrade:
    """Let the onboardings that it has not met be as they are. What is being done at this moment is finished.

    Raises NotPermitted, UpgradeMissing, UpgradeStale, NotNow.
    """
    require(work, Permission.ONBOARDING_WRITE)
    upgrade = _expect(work, upgrade_id, versions, None, "")
    if not upgrade.is_under_way:
        raise NotNow(mark("It is not under way."))
    work.record(events.UpgradeStopped(**_about(upgrade)))
    return _keep(work, msgspec.structs.replace(upgrade, stopped=True))


def resume_upgrade(work: Work, *, upgrade_id: UUID, versions: frozenset[str]) -> Upgrade:
    """Go on where it was stopped. Raises NotPermitted, UpgradeMissing, UpgradeStale, NotNow."""
    require(work, Permission.ONBOARDING_WRITE)
    upgrade = _expect(work, upgrade_id, versions, None, "")
    if not upgrade.stopped:
        raise NotNow(mark("Nobody has stopped it."))
    work.record(events.UpgradeResumed(**_about(upgrade)))
    return _go_on(work, _next(msgspec.structs.replace(upgrade, stopped=False)))


def take_back_upgrade(
    work: Work, *, upgrade_id: UUID, reason: str, onboarding_id: UUID | None = None, versions: frozenset[str]
) -> Upgrade:
    """Let what went on go back to exactly the definition that it ran before: all of it, or one onboarding.

    Of what was stopped, each that it was about to meet is looked at too: it may have gone on unseen. One person is
    enough: it leads to what ran before, and a bad version is not to wait for a second one. Raises NotPermitted,
    PersonNeeded, ReasonNeeded, UpgradeMissing, UpgradeStale, NotNow.
    """
    require(work, Permission.ONBOARDING_WRITE)
    require_person(work.actor)
    check_reason(reason)
    upgrade = _expect(work, upgrade_id, versions, None, "")
    if upgrade.state not in {"applied", "taken_back"} and not (upgrade.state == "applying" and upgrade.stopped):
        raise NotNow(mark("Only what was done can be taken back. Stop it first, if it is under way."))
    parts = [_marked(part, onboarding_id) for part in list_parts(work.session, upgrade_id)]
    chosen = [line.onboarding for part in parts for line in part.lines if _can_go_back(line, onboarding_id)]
    if not chosen:
        raise NotNow(mark("There is nothing to take back."))
    left = tuple(part.tenant for part in parts if any(line.onboarding in chosen for line in part.lines))
    for part in parts:
        if part.tenant in left:
            keep_part(work, upgrade_id, part)
    work.record(events.UpgradeTakenBack(onboardings=len(chosen), **_about(upgrade, reason)))
    state: State = "taking_back"
    begun = msgspec.structs.replace(upgrade, state=state, stopped=False, undone=_who(work, reason), left=left)
    return _go_on(work, _next(msgspec.structs.replace(begun, back=tuple(chosen))))


def _can_go_back(line: Line, onboarding_id: UUID | None) -> bool:
    return line.can_go_back and onboarding_id in {None, line.onboarding}


def _marked(part: Part, onboarding_id: UUID | None) -> Part:
    """What could not be taken back before is tried again."""
    lines = [
        msgspec.structs.replace(line, back=None, told="") if _can_go_back(line, onboarding_id) else line
        for line in part.lines
    ]
    return msgspec.structs.replace(part, lines=tuple(lines))


def _expect(work: Work, upgrade_id: UUID, versions: frozenset[str], states: set[str] | None, otherwise: str) -> Upgrade:
    """The upgrade, locked until the commit. Raises UpgradeMissing, UpgradeStale, NotNow."""
    upgrade = find_upgrade(work.session, upgrade_id, lock=True)
    if not versions & {"*", f'"{upgrade.number}"'}:
        raise UpgradeStale(mark("It has gone on since you looked at it; look again, then decide."))
    if states is not None and upgrade.state not in states:
        raise NotNow(otherwise)
    return upgrade


def _go_on(work: Work, upgrade: Upgrade) -> Upgrade:
    keep_upgrade(work, upgrade)
    ask_for_jobs(work, upgrade, upgrade.left)
    return upgrade


def _keep(work: Work, upgrade: Upgrade) -> Upgrade:
    kept = _next(upgrade)
    keep_upgrade(work, kept)
    return kept


def _next(upgrade: Upgrade) -> Upgrade:
    return msgspec.structs.replace(upgrade, number=upgrade.number + 1)


def _who(work: Work, reason: str) -> Who:
    return Who(work.actor.id, work.actor.name, work.now, reason.strip())


def _about(upgrade: Upgrade, reason: str | None = None) -> dict[str, Any]:
    said = reason.strip() if reason else None
    return {"subject_id": upgrade.id, "template": upgrade.template, "version": upgrade.version, "reason": said}


def _new(
    chosen: Chosen, definition: Definition, wanted: MigrationMap, asked: Who, tenants: tuple[UUID, ...]
) -> Upgrade:
    return Upgrade(
        id=new_id(),
        number=1,
        state="looking",
        template=definition.id,
        title=str(definition.title.get("en") or next(iter(definition.title.values()), definition.id)),
        from_versions=chosen.from_versions,
        to=chosen.to,
        overlay=chosen.overlay,
        definition=chosen.effective.digest,
        version=definition.version,
        map=wanted,
        asked=asked,
        left=tenants,
        parts=len(tenants),
    )


def _part(tenant: UUID, running: list[Runs]) -> Part:
    lines = [
        Line(onboarding=one.onboarding_id, name=one.name, before=one.definition, version=one.version) for one in running
    ]
    return Part(tenant=tenant, name=running[0].tenant, lines=tuple(lines))


def _check_map(wanted: MigrationMap, definition: Definition) -> None:
    """A place that the new version does not have helps no onboarding. Raises MapUnfit."""
    known = {*definition.items, *definition.repeats}
    known |= {member.key for repeat in definition.repeats.values() for member in repeat.pattern}
    wrong = [f"/map/items/{key}" for key, target in wanted.items.items() if target not in known]
    if wrong:
        reason = mark("The version has nothing of this name.")
        raise MapUnfit(mark("The map names what the version does not have."), errors=[(each, reason) for each in wrong])
