"""One onboarding as everybody's pages need it: definition, state, rows, names. Read once, in the reader's own scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.access.permissions import Permission
from app.access.require import require
from app.flow.definition import Definition
from app.flow.definition import Item as FlowItem
from app.flow.state import SETTLED, ItemState, State
from app.kernel.trail import find_name, find_reason
from app.kernel.work import Work
from app.onboarding.events import SandboxLeftEmpty
from app.onboarding.models import Onboarding
from app.onboarding.people import Holder, holders
from app.onboarding.queries.stored import OnboardingMissing, plan_of, state_of

OVER = frozenset({"reached", "cancelled"})
MOVING = frozenset({"open", "running", "blocked"})


@dataclass(frozen=True)
class Picture:
    """What is known of one onboarding at this moment."""

    onboarding: Onboarding
    definition: Definition
    state: State
    tenant_id: UUID
    tenant_name: str
    now: datetime
    say: Callable[[str], str]  # a message id in the reader's language
    language: str = "en"  # the reader's, for the definition's own texts
    sandbox: bool = False
    acted: Callable[[str], str] = lambda _person: ""  # the name under which a person acted here, by id

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/t/{self.tenant_id}/onboardings/{self.onboarding.id}"

    @property
    def template(self) -> str:
        """The template's title and version."""
        return f"{self.read(self.definition.title)} {self.definition.version}"

    def read(self, text: Mapping[str, str]) -> str:
        """A text of the definition in the reader's language, else in English, else in the first it has."""
        return text.get(self.language) or text.get("en") or next(iter(text.values()), "")

    def item(self, key: str) -> FlowItem:
        """An item of the plan. Raises OnboardingMissing where there is none of that key."""
        try:
            return self.definition.items[key]
        except KeyError:
            raise OnboardingMissing("There is no such step in this onboarding.") from None

    def of(self, key: str) -> ItemState:
        """The state of an item."""
        return self.state.items.get(key) or ItemState()

    def is_late(self, key: str) -> bool:
        """Whether an item that someone could act on is past its date."""
        item = self.of(key)
        if self.definition.is_optional(key):
            return False  # nobody waits for it
        return item.state in MOVING and item.due_at is not None and item.due_at < self.now

    def is_overdue(self, key: str) -> bool:
        """Whether an item is past its date, begun or not; nobody waits for what is optional."""
        due = self.of(key).due_at
        return due is not None and due < self.now and not self.definition.is_optional(key)

    def owner(self, item: FlowItem) -> str:
        """The names of whoever holds the item: its assignee, or the holders of the role that has to act.

        Who took a message that needs approval, and cannot give it, is not who it waits for.
        """
        assignee, held = self.of(item.key).assignee, holders(self.onboarding, self.state.acts(item))
        able = held if item.key in self.state.approvals else self.everybody()
        people = [person for person in able if str(person.id) == assignee] if assignee else []
        named = people or [person for person in held if person.side == item.side]
        return ", ".join(person.name for person in named)

    def name_of(self, label: str | None) -> str:
        """The person behind an actor label such as `person:0192…`; what acts by itself has no name.

        Who holds no role (any more, or as in a sandbox, where staff play everybody) is named as the trail names them.
        """
        kind, _, id_ = (label or "").partition(":")
        if kind != "person":
            return ""
        return next((person.name for person in self.everybody() if str(person.id) == id_), "") or self.acted(id_)

    def everybody(self) -> list[Holder]:
        """Everyone who holds a role here, each once."""
        found = [person for role in self.onboarding.people for person in holders(self.onboarding, role)]
        return list({person.id: person for person in found}.values())

    def health(self) -> str:
        """One word for how it goes: on_track, behind, stuck, held, or how it ended."""
        if self.state.phase != "running":
            return self.state.phase
        if any(self.of(key).state == "blocked" for key in self.state.items):
            return "stuck"
        return "behind" if any(self.is_late(key) for key in self.state.items) else "on_track"

    def first_value_due(self) -> datetime | None:
        """When first value is expected."""
        return self.of(self.definition.first_value.milestone).due_at


def get_picture(work: Work, onboarding_id: UUID, *, say: Callable[[str], str] = str, language: str = "en") -> Picture:
    """The picture of one onboarding. Raises NotPermitted, OnboardingMissing."""
    require(work, Permission.ONBOARDING_READ)
    onboarding = work.session.get(Onboarding, onboarding_id)
    if onboarding is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    return picture_of(work, onboarding, say=say, language=language)


def picture_of(work: Work, onboarding: Onboarding, *, say: Callable[[str], str] = str, language: str = "en") -> Picture:
    """The same of one that has been read; part of what has checked its own permission."""
    return Picture(
        onboarding=onboarding,
        definition=plan_of(work, onboarding),
        state=state_of(onboarding),
        tenant_id=work.tenant.id,
        tenant_name=work.tenant.name,
        now=work.now,
        say=say,
        language=language,
        sandbox=work.tenant.kind == "sandbox",
        acted=cache(lambda person: find_name(work.session, onboarding.id, UUID(person))),
    )


def list_onboardings(work: Work) -> list[tuple[UUID, str]]:
    """Every onboarding of this tenant, newest first: id and name. Raises NotPermitted."""
    require(work, Permission.ONBOARDING_READ)
    query = select(Onboarding.id, Onboarding.name).order_by(Onboarding.started_at.desc())
    return [(row.id, row.name) for row in work.session.execute(query)]


def why_empty(work: Work) -> str:
    """Why a sandbox holds nothing to look at, as its trail says; "" while it is still being filled."""
    return find_reason(work.session, SandboxLeftEmpty.type)


def milestones(picture: Picture) -> list[dict[str, Any]]:
    """The milestones as stops on the way: reached, late, current (where work is going on), ahead, or cancelled."""
    stops: list[dict[str, Any]] = []
    current = False
    for item in picture.definition.of_kind("milestone"):
        state = picture.of(item.key)
        word = "ahead"
        if state.state == "cancelled":
            word = "cancelled"
        elif state.state in SETTLED:
            word = "reached"
        elif picture.is_overdue(item.key):
            word, current = "late", True
        elif not current and state.state != "waiting":
            word, current = "current", True
        stops.append(
            {
                "name": dict(item.title),
                "state": word,
                "at": state.settled_at if word in OVER else state.due_at,
                "takes": dict(item.evidence.label) if item.evidence and word not in OVER else "",
            }
        )
    return stops
