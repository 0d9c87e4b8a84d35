"""The working copy of one decision: a state being changed, with every changed row and every command noted.

Lives for one call of `decide`; nothing outside `app.flow` sees one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.flow.commands import Command, Decision, ItemChange
from app.flow.definition import Definition, Duration, Item, Side
from app.flow.events import Evidenced
from app.flow.fields import Field, Value, as_criterion_value, is_given
from app.flow.state import SETTLED, ItemState, Proof, State
from app.kernel.errors import Conflict, Invalid

LONGEST_STATEMENT = 2_000
HOUR = timedelta(hours=1)


class EvidenceMissing(Invalid):
    """An item that must be proven came without a statement or link."""


class EvidenceRefused(Invalid):
    """Evidence that is too long, or a link that is not a web address."""


class NotOpen(Conflict):
    """The item is not waiting for this now."""


class Draft:
    """One state under change at one moment."""

    def __init__(self, definition: Definition, state: State, now: datetime) -> None:
        self.definition, self.before, self.now = definition, state, now
        self.items = dict(state.items)
        self.timers = dict(state.timers)
        self.exceptions = dict(state.exceptions)
        self.whole: dict[str, Any] = {}  # fields of State that change, of many types
        self.commands: list[Command] = []
        self.facts = facts_of(definition, state)

    @property
    def state(self) -> State:
        """The state as changed so far."""
        return msgspec.structs.replace(
            self.before, items=self.items, timers=self.timers, exceptions=self.exceptions, **self.whole
        )

    def decision(self) -> Decision:
        """What follows, with `changes` in the tree's order."""
        after = msgspec.structs.replace(self.state, seq=self.before.seq + 1)
        changes = (_change(key, self.before.items.get(key), after.items[key]) for key in self.definition.items)
        return Decision(state=after, changes=tuple(each for each in changes if each), commands=tuple(self.commands))

    def set(self, key: str, **attributes: Any) -> None:
        """Change one row; keeps the facts that criteria read in step."""
        self.items[key] = msgspec.structs.replace(self.items[key], **attributes)
        if "state" in attributes or "answers" in attributes or "result" in attributes:
            self.refresh(key)

    def refresh(self, key: str) -> None:
        """Let criteria read the row as it is now; a value that was taken back is gone."""
        item = self.definition.items[key]
        for field in (*item.fields, *(item.action.outputs if item.action else ())):
            self.facts.pop(f"answers.{item.id}.{field.id}", None)
            self.facts.pop(f"results.{item.id}.{field.id}", None)
        self.facts.update(item_facts(item, self.items[key]))

    def is_settled(self, key: str) -> bool:
        """Whether an item is done or skipped in the draft."""
        return self.items[key].state in SETTLED

    def blocking(self, key: str) -> bool:
        """Whether an unresolved exception holds this item."""
        return any(each.is_open and each.blocks and each.item == key for each in self.exceptions.values())

    def due(self, start: datetime, duration: Duration, side: Side) -> datetime:
        """When work of that side is due: closing time of the n-th joint day, or after so many working hours."""
        return due_after(self.before_or_started(), start, duration, side)

    def before_or_started(self) -> State:
        """The state whose calendars count: those of the Started event while it is being applied."""
        return msgspec.structs.replace(self.before, **self.whole) if self.whole else self.before

    def proof(self, evidence: Evidenced | None, by: str) -> Proof:
        """Checked evidence with its giver. Raises EvidenceMissing, EvidenceRefused."""
        return checked_proof(evidence, by, self.now)


def due_after(state: State, start: datetime, duration: Duration, side: Side) -> datetime:
    """The moment `duration` after `start` in the business time of work of that side."""
    time = state.time_for(side)
    if duration.business_hours is not None:
        return time.add_business(start, duration.business_hours * HOUR)
    return time.add_days(start, duration.business_days or 0)


def checked_proof(evidence: Evidenced | None, by: str, now: datetime) -> Proof:
    """Evidence that says something. Raises EvidenceMissing, EvidenceRefused."""
    if evidence is None or not (evidence.statement.strip() or evidence.link.strip()):
        raise EvidenceMissing("This needs evidence: write what proves it, or give a link to it.")
    if max(len(evidence.statement), len(evidence.link)) > LONGEST_STATEMENT:
        raise EvidenceRefused(f"Evidence may have {LONGEST_STATEMENT} characters; put longer proof behind a link.")
    link = evidence.link.strip()
    if link and not link.startswith(("https://", "http://")):
        raise EvidenceRefused("A link to evidence must start with https://.")
    return Proof(statement=evidence.statement.strip(), link=link, given_by=by, given_at=now)


def facts_of(definition: Definition, state: State) -> dict[str, object]:
    """Every declared name that has a value now."""
    facts: dict[str, object] = {}
    for field in definition.inputs:
        facts |= _field_facts("inputs", field, state.inputs.get(field.id))
    for each in definition.handoff:
        facts |= _field_facts("packet", each.field, state.packet.get(each.field.id))
    for key, item_state in state.items.items():
        facts |= item_facts(definition.items[key], item_state)
    return facts


def item_facts(item: Item, state: ItemState) -> dict[str, object]:
    """The names one item declares."""
    settled = "passed" if item.kind == "gate" else "done"
    facts: dict[str, object] = {f"{item.key}.{settled}": state.state == "done"}
    facts[f"{item.key}.skipped"] = state.state == "skipped"
    for field in item.fields:
        facts |= _field_facts(f"answers.{item.id}", field, state.answers.get(field.id))
    for field in item.action.outputs if item.action else ():
        facts |= _field_facts(f"results.{item.id}", field, state.result.get(field.id))
    return facts


def _field_facts(prefix: str, field: Field, value: Value) -> dict[str, object]:
    name = f"{prefix}.{field.id}"
    given = is_given(value)
    facts: dict[str, object] = {f"{name}.given": given}
    if given:
        facts[name] = as_criterion_value(field, value)
    return facts


def _change(key: str, before: ItemState | None, after: ItemState) -> ItemChange | None:
    if before is after:
        return None
    old = before or ItemState()
    fresh = {
        name: getattr(after, name)
        for name in ItemState.__struct_fields__
        if before is None or getattr(after, name) != getattr(old, name)
    }
    return ItemChange(item=key, attributes=fresh) if fresh else None
