"""One change of many steps, in one workspace after the other: counted first, and answered step by step.

What one of them meets stops none of the others; each is a command of its own, in a transaction of its own tenant.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Missing, SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.onboarding.operations.owning import assign_item
from app.onboarding.queues.schemas import BulkLine, BulkResult, BulkWork, BulkWorkOut, Outcome
from app.onboarding.talk.reminding import remind
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant


class WorkUnknown(Missing):
    """The step is not there, or is none of the asker's business."""


class _OnlyTried(Exception):
    """Ends a try: its transaction leaves nothing."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks for what, under which key."""

    runtime: Runtime
    actor: Actor
    wish: BulkWork
    key: str
    trace_id: str

    @property
    def owner(self) -> UUID | None:
        """Whose the steps become."""
        return self.actor.id if self.wish.action == "claim" else self.wish.person


def change_many(
    runtime: Runtime, actor: Actor, wish: BulkWork, *, key: str, trace_id: str, within: Tenant | None = None
) -> BulkWorkOut:
    """Take, hand over or remind of each of the steps, or with `dry_run` only say what would become of it.

    Sent again with its key, each step that was changed answers as it did. Over all customers it is for staff; `within`
    one workspace for whoever works there, and steps of others are not there. Raises NotPermitted, CommandKeyReused.
    """
    if within is None:
        require(AtWork(staff_rights(actor), actor), Permission.TASK_COMPLETE)
    else:
        wish = replace(wish, items=[each for each in wish.items if each.tenant_id == within.id])
    asked = _Asked(runtime, actor, wish, key, trace_id)
    found = [_result(asked, line, number) for number, line in enumerate(wish.items)]
    return BulkWorkOut(
        dry_run=wish.dry_run,
        total=len(found),
        changed=sum(one.outcome == "changed" for one in found),
        unchanged=sum(one.outcome == "unchanged" for one in found),
        refused=sum(one.outcome == "refused" for one in found),
        items=found,
    )


def _result(asked: _Asked, line: BulkLine, number: int) -> BulkResult:
    outcome: Outcome
    try:
        outcome, problem, detail = ("changed" if _change(asked, line, number) else "unchanged"), None, ""
    except SlipwayError as error:
        outcome, problem, detail = "refused", error.slug, error.message
    return BulkResult(line.tenant_id, line.onboarding_id, line.key, outcome, problem, detail)


def _change(asked: _Asked, line: BulkLine, number: int) -> bool:
    tenant = _tenant(asked, line.tenant_id)
    if asked.wish.dry_run:
        return _try(asked, tenant, line)

    def operation(work: Work) -> Result:
        return {"changed": _perform(work, asked, line)}

    sent = [msgspec.to_builtins(line), asked.wish.action, str(asked.owner), asked.wish.note]
    result, _replayed = run_command(
        asked.runtime,
        tenant,
        asked.actor,
        key=f"{asked.key}:{number}",
        mark=fingerprint("work.change", sent),
        trace_id=asked.trace_id,
        operation=operation,
    )
    return bool(result["changed"])


def _try(asked: _Asked, tenant: Tenant, line: BulkLine) -> bool:
    """The very same, in a transaction that is rolled back."""
    changed = False
    with suppress(_OnlyTried), open_work(asked.runtime, tenant, asked.actor, trace_id=asked.trace_id) as work:
        changed = _perform(work, asked, line)
        _leave_nothing()
    return changed


def _leave_nothing() -> NoReturn:
    raise _OnlyTried


def _perform(work: Work, asked: _Asked, line: BulkLine) -> bool:
    if not work.rights:
        raise _unknown()
    if asked.wish.action == "remind":
        return bool(remind(work, onboarding_id=line.onboarding_id, item=line.key, note=asked.wish.note))
    decision = assign_item(work, onboarding_id=line.onboarding_id, item=line.key, person=asked.owner)
    return bool(decision.changes)


def _tenant(asked: _Asked, tenant_id: UUID) -> Tenant:
    with lookup_session(asked.runtime.databases) as (session, _now):
        tenant = find_tenant(session, tenant_id)
    if tenant is None:
        raise _unknown()
    return tenant


def _unknown() -> WorkUnknown:
    return WorkUnknown("This step is not here. It may have been done, or belong to another workspace.")
