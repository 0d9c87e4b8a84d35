"""The working copy of one decision: a state being changed, with every changed row and every command noted.

Lives for one call of `decide`; nothing outside `app.flow` sees one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from app.flow.calendar import BusinessTime
from app.flow.commands import Command, Decision, ItemChange
from app.flow.definition import Definition, Duration, Side
from app.flow.events import Evidenced
from app.flow.fields import Value
from app.flow.kinds.signatures import Signature
from app.flow.parts.unfolding import unfold
from app.flow.state import SETTLED, ItemState, Parts, Proof, State
from app.flow.steps.facts import Facts
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
        self.facts = Facts(definition, self)

    @property
    def reference(self) -> str:
        """The onboarding's name for outside systems."""
        return str(self.whole.get("reference", self.before.reference))

    @property
    def inputs(self) -> dict[str, Value]:
        """Inputs as changed so far."""
        return cast("dict[str, Value]", self.whole.get("inputs", self.before.inputs))

    @property
    def packet(self) -> dict[str, Value]:
        """The packet as changed so far."""
        return cast("dict[str, Value]", self.whole.get("packet", self.before.packet))

    @property
    def parts(self) -> dict[str, Parts]:
        """How often repeated parts happen, as changed so far."""
        return cast("dict[str, Parts]", self.whole.get("parts", self.before.parts))

    @property
    def approvals(self) -> dict[str, str]:
        """Whose approval open messages need, as changed so far."""
        return cast("dict[str, str]", self.whole.get("approvals", self.before.approvals))

    @property
    def signatures(self) -> dict[str, tuple[Signature, ...]]:
        """Who has signed what, as changed so far."""
        return cast("dict[str, tuple[Signature, ...]]", self.whole.get("signatures", self.before.signatures))

    def forget_signatures(self, *keys: str) -> None:
        """These tasks begin anew, or are no more: nobody has signed them."""
        if any(key in self.signatures for key in keys):
            self.whole["signatures"] = {key: made for key, made in self.signatures.items() if key not in keys}

    def unfold(self, parts: dict[str, Parts]) -> None:
        """Let repeated parts happen so often; the definition has an item for each."""
        self.whole["parts"] = parts
        self.definition = unfold(self.definition, parts)
        self.facts = Facts(self.definition, self)

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
        removed = tuple(key for key in self.before.items if key not in after.items)
        told = tuple(each for each in changes if each)
        return Decision(state=after, changes=told, commands=tuple(self.commands), removed=removed)

    def set(self, key: str, **attributes: Any) -> None:
        """Change one row."""
        self.items[key] = msgspec.structs.replace(self.items[key], **attributes)

    def is_settled(self, key: str) -> bool:
        """Whether an item is done, skipped or not needed in the draft."""
        return self.items[key].state in SETTLED

    def blocking(self, key: str) -> bool:
        """Whether an unresolved exception holds this item."""
        return any(each.is_open and each.blocks and each.item == key for each in self.exceptions.values())

    def due(self, start: datetime, duration: Duration, side: Side) -> datetime:
        """When work of that side is due: closing time of the n-th joint day, or after so many working hours."""
        return due_after(self.before_or_started(), start, duration, side)

    def before_or_started(self) -> State:
        """The state whose calendars count: those of the Started event while it is being applied."""
        return msgspec.structs.replace(self.before, **self.whole)

    def proof(self, evidence: Evidenced | None, by: str) -> Proof:
        """Checked evidence with its giver. Raises EvidenceMissing, EvidenceRefused."""
        return checked_proof(evidence, by, self.now)


def due_after(state: State, start: datetime, duration: Duration, side: Side) -> datetime:
    """The moment `duration` after `start` in the business time of work of that side."""
    return reach(state.time_for(side), start, duration)


def reach(time: BusinessTime, start: datetime, duration: Duration) -> datetime:
    """The moment `duration` after `start`: closing time of the n-th joint day, or after so many working hours."""
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


_FIELDS = ItemState.__struct_fields__


def _change(key: str, before: ItemState | None, after: ItemState) -> ItemChange | None:
    if before is after:
        return None
    values = msgspec.structs.astuple(after)
    if before is None:
        return ItemChange(item=key, attributes=dict(zip(_FIELDS, values, strict=True)))
    old = msgspec.structs.astuple(before)
    fresh = {name: value for name, value, was in zip(_FIELDS, values, old, strict=True) if value != was}
    return ItemChange(item=key, attributes=fresh) if fresh else None
