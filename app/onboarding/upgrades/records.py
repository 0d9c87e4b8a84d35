"""Where an upgrade is kept: a document of the partner's home, and one for each workspace that it meets."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec
from sqlalchemy.orm import Session

from app.audit.operations.documents import keep_document
from app.audit.queries.documents import Kept, find_document, list_documents
from app.kernel.errors import Missing
from app.kernel.work import Work
from app.onboarding.upgrades.rules import Part, Upgrade
from app.web.translations import mark

UPGRADE, PART = "template.upgrade", "template.upgrade.part"
JOB = "onboarding.upgrade"
QUEUE = "bulk"  # behind all that somebody waits for


class UpgradeMissing(Missing):
    """There is no such upgrade in this home."""


def find_upgrade(session: Session, upgrade_id: UUID, *, lock: bool = False) -> Upgrade:
    """The upgrade; with `lock` until the commit nobody else's. Raises UpgradeMissing."""
    kept = find_document(session, UPGRADE, str(upgrade_id), lock=lock)
    if kept is None:
        raise UpgradeMissing(mark("This upgrade is not here. It may belong to another partner."))
    return msgspec.convert(kept.body, Upgrade)


def keep_upgrade(work: Work, upgrade: Upgrade) -> None:
    """Write it down."""
    keep_document(work, UPGRADE, str(upgrade.id), _plain(upgrade))


def list_upgrades(session: Session) -> list[Upgrade]:
    """All upgrades of the home, the last first."""
    return sorted((msgspec.convert(each.body, Upgrade) for each in list_documents(session, UPGRADE)), key=_newest)


def find_part(session: Session, upgrade_id: UUID, tenant_id: UUID) -> Part:
    """What it holds of one workspace. Raises UpgradeMissing."""
    kept = find_document(session, PART, f"{upgrade_id}:{tenant_id}")
    if kept is None:
        raise UpgradeMissing(mark("This upgrade has nothing to do with that workspace."))
    return _part(kept)


def list_parts(session: Session, upgrade_id: UUID) -> list[Part]:
    """What it holds of all workspaces, by their names."""
    found = [_part(kept) for kept in list_documents(session, PART, prefix=f"{upgrade_id}:")]
    return sorted(found, key=lambda part: (part.name, str(part.tenant)))


def keep_part(work: Work, upgrade_id: UUID, part: Part) -> None:
    """Write down what it holds of one workspace."""
    keep_document(work, PART, f"{upgrade_id}:{part.tenant}", _plain(part))


def ask_for_jobs(work: Work, upgrade: Upgrade, tenants: Iterable[UUID]) -> None:
    """One job for each workspace, in the home: a job of a workspace that rests would never end.

    The number is part of the key: what was stopped and goes on asks anew, what is asked twice is done once.
    """
    for tenant in tenants:
        args: dict[str, object] = {"upgrade_id": upgrade.id, "tenant_id": tenant, "step": upgrade.state}
        key = f"upgrade:{upgrade.id}:{upgrade.number}:{tenant}"
        work.enqueue(JOB, args=args, queue=QUEUE, dedupe_key=key)


def _part(kept: Kept) -> Part:
    return msgspec.convert(kept.body, Part)


def _plain(document: Upgrade | Part) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(document)
    return plain


def _newest(upgrade: Upgrade) -> float:
    return -upgrade.asked.at.timestamp()
