"""Handing credentials over: the values go into the vault, the engine hears that they were given."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.operations import keep_credentials
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.definition import Item
from app.flow.kinds.credentials import Handover
from app.flow.kinds.handing import RENEWABLE
from app.flow.steps.draft import NotOpen
from app.kernel.errors import Invalid
from app.kernel.work import Work
from app.onboarding.handing.rules import why_unfit
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import OnboardingMissing, plan_of, state_of
from app.vault.secret import Secret

_NOTHING = "Fill in what you want to hand over."


class ValuesRefused(Invalid):
    """Values that cannot be taken; each place says why, and none what was typed."""


def hand_over(work: Work, *, onboarding_id: UUID, task: str, values: Mapping[str, Secret]) -> Decision:
    """Hand credentials over, for the first time or anew; blank ones leave what was given before.

    What the engine refuses leaves nothing in the vault: it is one transaction. Raises NotPermitted, OnboardingMissing,
    ValuesRefused, KeysMissing, and what the engine refuses.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    handover = _asked(plan_of(work, onboarding).items, task)
    given = checked_values(handover, values)
    again = state_of(onboarding).items[task].state in RENEWABLE
    by, fields = acting(work, onboarding), tuple(given)
    event: flow.Event = flow.TaskCompleted(by=by, task=task, answers=dict.fromkeys(fields, True))
    if again:
        if not given:
            raise ValuesRefused(_NOTHING, errors=[(f"/values/{handover.fields[0].id}", _NOTHING)])
        event = flow.CredentialsGiven(by=by, task=task, fields=fields)
    if given:
        keep_credentials(work, connector=handover.connector, name=system_of(handover), values=given)
    return advance(work, onboarding, event)


def checked_values(handover: Handover, values: Mapping[str, Secret]) -> dict[str, Secret]:
    """The values that are not blank, without blanks around them. Raises ValuesRefused."""
    known = {each.id: each for each in handover.fields}
    errors = [(f"/values/{name}", "There is no such field.") for name in values if name not in known]
    kept: dict[str, Secret] = {}
    for name, field in known.items():
        value = Secret(values[name].reveal().strip()) if name in values else None
        if value and (reason := why_unfit(field, value)):
            errors.append((f"/values/{name}", reason))
        elif value:
            kept[name] = value
    if errors:
        raise ValuesRefused(f"{len(errors)} of the values cannot be used: {errors[0][1]}", errors=errors)
    return kept


def system_of(handover: Handover) -> str:
    """What the other system is called where nothing else says it: its connector, in words."""
    return handover.connector.replace("_", " ").capitalize()


def _asked(items: Mapping[str, Item], task: str) -> Handover:
    item = items.get(task)
    if item is None:
        raise OnboardingMissing("There is no such step in this onboarding.")
    if item.handover is None:
        raise NotOpen("This is not a step in which credentials are handed over.")
    return item.handover
