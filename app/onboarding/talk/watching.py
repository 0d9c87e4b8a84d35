"""Who watches an onboarding or a part of it, and what they are still to be told (columns of the onboarding's own row).

A change of an onboarding holds the lock of its row, so whom it concerns and what they will hear commit with it. What
happens within a quarter of an hour is one letter to each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.flow import events as flow
from app.kernel.events import Event
from app.kernel.work import Work
from app.onboarding.models import Onboarding

SYSTEM_ONLY = {
    "follow": "part of an operation that has checked its own permission",
    "unfollow": "part of an operation that has checked its own permission",
    "follow_items": "part of a migration, which an operation calls that has checked its own permission",
    "keep_news": "part of an operation that has checked its own permission",
    "follow_event": "part of `advance`, which an operation calls that has checked its own permission",
    "take_news": "called by the job that tells those who watch",
}
WHOLE = ""  # who watches this watches everything in the onboarding
GATHERED = timedelta(minutes=15)
_KEPT = 200  # pieces of news that wait for one letter; what is beyond is on the page
_NAMES = ("task", "milestone", "gate", "item")


@dataclass(frozen=True, slots=True)
class News:
    """One entry of the trail that those who watch hear of; `staff`: the partner's people alone."""

    entry: UUID
    about: str | None
    staff: bool = False


def watched_by(onboarding: Onboarding, person: UUID) -> frozenset[str]:
    """What this person watches here: keys of items and exceptions, WHOLE for everything."""
    return frozenset(_people(onboarding).get(str(person), ()))


def watchers_of(onboarding: Onboarding, about: str | None) -> list[str]:
    """The ids of everybody who hears of this item or exception; of None: of the onboarding itself."""
    return sorted(one for one, places in _people(onboarding).items() if {WHOLE, about or WHOLE} & set(places))


def watching_at_all(onboarding: Onboarding) -> dict[str, list[str]]:
    """Everybody who watches anything here, with what."""
    return {one: list(places) for one, places in _people(onboarding).items()}


def follow(onboarding: Onboarding, person: UUID, about: str | None) -> bool:
    """Let somebody watch. The row is locked. Returns whether this is new."""
    known = watched_by(onboarding, person)
    if (about or WHOLE) in known:
        return False
    _store(onboarding, people=_people(onboarding) | {str(person): sorted({*known, about or WHOLE})})
    return True


def unfollow(onboarding: Onboarding, person: UUID, about: str | None) -> bool:
    """Let somebody watch this no more; with None nothing of the onboarding. Returns whether anything changed."""
    known, people = watched_by(onboarding, person), _people(onboarding)
    left = known - {about} if about else frozenset()
    if left == known:
        return False
    others = {one: places for one, places in people.items() if one != str(person)}
    _store(onboarding, people=others | ({str(person): sorted(left)} if left else {}))
    return True


def follow_items(onboarding: Onboarding, went: Mapping[str, str]) -> None:
    """Another version calls items by other names: who watched one of them goes on watching it."""
    moved = {one: sorted({went.get(place, place) for place in places}) for one, places in _people(onboarding).items()}
    if moved:
        _store(onboarding, people=moved)


def follow_event(work: Work, onboarding: Onboarding, event: flow.Event, told: Iterable[tuple[UUID, Event]]) -> None:
    """What the engine did: whoever is given a step watches it from now on, and those who watch will hear of it."""
    if isinstance(event, flow.OwnerAssigned) and event.person:
        follow(onboarding, UUID(event.person), event.item)
    keep_news(work, onboarding, [_news(entry, one) for entry, one in told])


def keep_news(work: Work, onboarding: Onboarding, news: list[News]) -> None:
    """Keep what happened for the next letter to those who watch; the first piece of it asks for that letter."""
    if not news or not _people(onboarding):
        return
    kept = list((onboarding.watching or {}).get("news", ()))
    if not kept:
        args: dict[str, object] = {"onboarding_id": onboarding.id}
        when = work.database_now + GATHERED
        work.enqueue("onboarding.tell_watchers", args=args, run_at=when, dedupe_key=f"watch:{news[0].entry}")
    more = [{"entry": str(one.entry), "about": one.about, "staff": one.staff} for one in news]
    _store(onboarding, news=(kept + more)[-_KEPT:])


def take_news(onboarding: Onboarding) -> list[News]:
    """What is to be told, which is then told. The row is locked."""
    kept = (onboarding.watching or {}).get("news", ())
    _store(onboarding, news=[])
    return [News(UUID(one["entry"]), one["about"], one["staff"]) for one in kept]


def _news(entry: UUID, event: Event) -> News:
    about = next((str(value) for name in _NAMES if (value := getattr(event, name, None))), None)
    return News(entry, about, staff=event.type not in SHOWN_TO_CUSTOMERS)


def _people(onboarding: Onboarding) -> dict[str, list[str]]:
    return dict((onboarding.watching or {}).get("people", {}))


def _store(onboarding: Onboarding, **parts: Any) -> None:
    onboarding.watching = {**(onboarding.watching or {}), **parts}  # a new document: the row sees that it changed


# What a customer's people hear of: what their own pages show as well. All else is how the partner works.
SHOWN_TO_CUSTOMERS = frozenset(
    {
        "onboarding.comment.written",
        "onboarding.comment.edited",
        "onboarding.customer_task.opened",
        "onboarding.date.chosen",
        "onboarding.ended",
        "onboarding.first_value.reached",
        "onboarding.go_live.chosen",
        "onboarding.held",
        "onboarding.item.assigned",
        "onboarding.milestone.completed",
        "onboarding.resumed",
        "onboarding.task.completed",
    }
)
