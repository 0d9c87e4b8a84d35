"""Sets a connection otherwise, or as it was before. Each time is a version; runs that are under way keep theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import add_document, drop_documents
from app.connectors.connecting.care import get_row
from app.connectors.kit.contract import Connector
from app.connectors.kit.limits.gate import Standing
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import LEVELS, ConnectionConfig, SettingsUnfit, faults_of
from app.connectors.models import Connection
from app.connectors.settings.approving import (
    NothingAsked,
    Wish,
    ask_person,
    decide_for,
    drop_wish,
    find_wish,
    is_beyond,
    keep_wish,
)
from app.connectors.settings.events import AccessAsked, AccessRefused, PauseLifted, SettingsChanged
from app.connectors.settings.versions import KEPT, VERSION, Version, compare, key_of, list_versions
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.work import Work
from app.web.translations import mark

_LONGEST_REASON: Final = 300


class SettingsStale(Conflict):
    """The settings have changed since you read them."""

    status = 412


class NothingSet(Conflict):
    """It is set so already."""


class ReasonMissing(Invalid):
    """Allowing a connection more than it may do now needs a reason."""


class VersionUnknown(Missing):
    """That version of the settings is not kept."""


@dataclass(frozen=True, slots=True)
class SettingsView:
    """How a connection is set: now, before, and how its calls fare."""

    connection_id: UUID
    name: str
    connector: Connector
    config: ConnectionConfig
    versions: list[Version]
    standing: Standing
    wish: Wish | None = None

    @property
    def level(self) -> str:
        """What it may do."""
        return self.config.level or self.connector.manifest.default_level


def get_settings(work: Work, connection_id: UUID) -> SettingsView:
    """How a connection is set. Raises NotPermitted, ConnectionUnknown, ConnectorNotFound."""
    require(work, Permission.CONNECTION_READ)
    row = get_row(work, connection_id)
    return SettingsView(
        connection_id=row.id,
        name=row.name,
        connector=_registry(work).get(row.connector),
        config=ConnectionConfig.read(row.config),
        versions=list_versions(work.session, row.id),
        standing=work.service(Runner).gate.look(str(row.id)),
        wish=find_wish(work.session, row.id, version=row.config.get("version", 0)),
    )


def change_settings(
    work: Work, connection_id: UUID, wanted: ConnectionConfig, *, seen: int, reason: str = ""
) -> Version | Wish:
    """Set a connection otherwise, from the version that was seen. Returns the new version.

    Where it would be allowed more than before and more than its connector gives by itself, nothing changes yet: what
    is wanted is returned, and waits until somebody else approves it (REQUIREMENTS 1.9, P7).

    Raises NotPermitted, ConnectionUnknown, ConnectorNotFound, SettingsStale, SettingsUnfit with every place that is
    wrong, ReasonMissing where it may do more than before, PersonNeeded, NothingSet (REQUIREMENTS 1.9, X15).
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    if row.config.get("version", 0) != seen:
        raise SettingsStale(mark("Somebody has changed these settings meanwhile. Look at them, then change yours."))
    return _set(work, row, wanted, reason=reason)


def roll_back_settings(work: Work, connection_id: UUID, number: int, *, reason: str = "") -> Version | Wish:
    """Take an earlier version again, as a new one, if its connector still takes it. Version 0 is one that nobody set.

    Where no reason is given, the reason of then stands for it.

    Raises NotPermitted, VersionUnknown, and what changing them raises.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    kept = {each.number: (each.config, each.reason) for each in list_versions(work.session, row.id)}
    kept[0] = ConnectionConfig(), ""
    if number not in kept:
        raise VersionUnknown(mark("That version is not kept any more."))
    config, earlier = kept[number]
    return _set(work, row, config, reason=reason or earlier, restored=number)


def approve_access(work: Work, connection_id: UUID) -> Version:
    """Let a connection do what somebody else has asked for. Returns the new version, which names both.

    Raises NotPermitted, ConnectionUnknown, NothingAsked, OwnWish, PersonNeeded, SettingsUnfit.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    wish = decide_for(work, connection_id, version=row.config.get("version", 0))
    wanted = ConnectionConfig.read(wish.config)
    return _saved(work, row, _check(work, row, wanted, reason=wish.reason, restored=wish.restored), wish)


def refuse_access(work: Work, connection_id: UUID, *, reason: str = "") -> None:
    """Do not let a connection do what was asked for; who has asked may take it back so.

    Raises NotPermitted, ConnectionUnknown, NothingAsked.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    wish = find_wish(work.session, connection_id, version=row.config.get("version", 0), lock=True)
    if wish is None:
        raise NothingAsked(mark("Nothing waits for a decision here, or the settings have changed since it was asked."))
    drop_wish(work, connection_id)
    work.announce(AccessRefused(subject_id=row.id, level=wish.level, reason=reason.strip()[:_LONGEST_REASON] or None))


def lift_pause(work: Work, connection_id: UUID) -> None:
    """Have a connection called again at once that is left alone, because it failed or its peer asked for a pause.

    Raises NotPermitted, ConnectionUnknown.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id)
    work.service(Runner).gate.lift(str(row.id))
    work.announce(PauseLifted(subject_id=row.id, connector=row.connector))


def _set(work: Work, row: Connection, wanted: ConnectionConfig, *, reason: str, restored: int = 0) -> Version | Wish:
    asked = _check(work, row, wanted, reason=reason, restored=restored)
    if is_beyond(_registry(work).get(row.connector).manifest, wanted, asked.before):
        return _wished(work, row, asked)
    return _saved(work, row, asked)


def _check(work: Work, row: Connection, wanted: ConnectionConfig, *, reason: str, restored: int) -> _Asked:
    connector, before = _registry(work).get(row.connector), ConnectionConfig.read(row.config)
    if faults := faults_of(connector, wanted):
        raise SettingsUnfit(mark("The settings do not fit this connector."), errors=faults)
    changed = compare(before, wanted)
    if not changed:
        raise NothingSet(mark("It is set so already."))
    level, default = wanted.level or connector.manifest.default_level, connector.manifest.default_level
    if LEVELS.index(level) > LEVELS.index(before.level or default) and not reason.strip():
        raise ReasonMissing(
            mark("Say why it may do more."), errors=[("/reason", mark("Say why it may do more than before."))]
        )
    places = [each.place for each in changed]
    return _Asked(before, wanted, level, reason.strip()[:_LONGEST_REASON], restored, places)


@dataclass(frozen=True, slots=True)
class _Asked:
    before: ConnectionConfig
    config: ConnectionConfig
    level: str
    reason: str
    restored: int
    changed: list[str]


def _wished(work: Work, row: Connection, asked: _Asked) -> Wish:
    ask_person(work)
    wish = Wish(
        config=asked.config.document(),
        seen=asked.before.version,
        level=asked.level,
        by=work.actor.name,
        by_id=str(work.actor.id),
        at=work.now.isoformat(),
        reason=asked.reason,
        restored=asked.restored,
    )
    keep_wish(work, row.id, wish)
    work.announce(AccessAsked(subject_id=row.id, level=asked.level, reason=asked.reason))
    return wish


def _saved(work: Work, row: Connection, asked: _Asked, wish: Wish | None = None) -> Version:
    number = asked.before.version + 1
    made = Version(
        number=number,
        config=replace(asked.config, version=number),
        by=wish.by if wish else work.actor.name,
        at=work.now.isoformat(),
        reason=asked.reason,
        restored=asked.restored,
        approved=work.actor.name if wish else "",
    )
    add_document(work, VERSION, key_of(row.id, made.number), made.body())
    drop_documents(work, VERSION, after=f"{row.id}:", before=key_of(row.id, max(made.number - KEPT, 0) + 1))
    drop_wish(work, row.id)
    row.config, row.changed_at = row.config | made.config.document(), work.now
    told: dict[str, Any] = {"connector": row.connector, "version": made.number, "level": asked.level}
    told |= {"restored": asked.restored, "changed": asked.changed}
    work.announce(SettingsChanged(subject_id=row.id, reason=made.reason or None, **told))
    return made


def _registry(work: Work) -> Registry:
    return work.service(Runner).registry
