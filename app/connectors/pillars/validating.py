"""Has a connection's configuration and its connector's promises tried out in a sandbox; keeps how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import lock_document
from app.connectors.connecting.care import get_row
from app.connectors.kit.limits.release import mark_of
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.models import Connection
from app.connectors.pillars.events import Validated
from app.connectors.pillars.operations import stamped
from app.connectors.pillars.state import TRIAL, Broken, find_trial, keep_guide, keep_trial
from app.connectors.pillars.viewing import gather
from app.connectors.trials.apart import Tried
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.web.translations import mark

SYSTEM_ONLY = {
    "begin_validation": "called by the validation's job",
    "end_validation": "called by the validation's job",
    "give_up_validation": "called by the validation's job",
}
_AT_MOST: Final = timedelta(minutes=10)  # after which a validation that nobody ended may be asked for again
_LONGEST: Final = 300


class ValidationRunning(Conflict):
    """The same configuration is being validated at this moment."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the job needs: the connector, and the configuration as it was when it was asked for."""

    provider: str
    config: Mapping[str, Any]


def ask_validation(work: Work, connection_id: UUID) -> None:
    """Have the configuration of now validated. Nothing leaves the installation.

    Raises NotPermitted, ConnectionUnknown, ConnectorNotFound, ValidationRunning.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    found = mark_of(work.service(Runner).registry.get(row.connector).manifest, row.config)
    lock_document(work, TRIAL, f"{row.id}:{found}")
    before = find_trial(work.session, row.id, found)
    if before.under_way and work.database_now - datetime.fromisoformat(before.asked_at) < _AT_MOST:
        raise ValidationRunning(mark("It is being validated already."))
    asked_at = work.database_now.isoformat()
    keep_trial(work, row.id, found, replace(before, asked_at=asked_at, by=work.actor.name))
    args = {"connection_id": row.id, "mark": found, "asked_at": asked_at}
    work.enqueue("connectors.validate_integration", args=args)


def begin_validation(work: Work, connection_id: UUID, found: str, asked_at: str) -> Asked | None:
    """What is to be tried; None where it was asked for anew, is over, or the connection is set otherwise by now."""
    row = work.session.get(Connection, connection_id)
    if row is None or find_trial(work.session, connection_id, found).asked_at != asked_at:
        return None
    manifest = work.service(Runner).registry.get(row.connector).manifest
    if mark_of(manifest, row.config) != found:
        return None
    return Asked(row.connector, ConnectionConfig.read(row.config).document())


def end_validation(
    work: Work, connection_id: UUID, found: str, asked_at: str, tried: Sequence[Tried], *, said: str = ""
) -> None:
    """Keep how it went; `said` is why the checks could not be run to their end."""
    before = find_trial(work.session, connection_id, found, lock=True)
    if before.asked_at != asked_at or not before.under_way:
        return
    kept = Counter(each.action for each in tried if not each.said)
    broken = tuple(Broken(each.action, each.check, each.said[:_LONGEST]) for each in tried if each.said)
    at = work.database_now.isoformat()
    keep_trial(work, connection_id, found, replace(before, at=at, kept=dict(kept), broken=broken, said=said[:_LONGEST]))
    row = work.session.get(Connection, connection_id)
    if row is not None:
        now = gather(work, row, lock=True)
        keep_guide(work, connection_id, stamped(work, now, now.guide))
    work.announce(Validated(subject_id=connection_id, checks=len(tried), broken=len(broken) + bool(said), mark=found))


def give_up_validation(work: Work, args: Mapping[str, Any], reason: str) -> None:
    """Its job came to no end of its own: a person may ask again."""
    end_validation(work, UUID(args["connection_id"]), str(args["mark"]), str(args["asked_at"]), (), said=reason)
