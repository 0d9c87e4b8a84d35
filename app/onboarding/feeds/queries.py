"""What stands in a feed: the dates that the reader's page of dates shows, or the steps that are theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from sqlalchemy import select

from app.flow.calendar import MOMENT
from app.flow.definition import Item
from app.kernel.work import Work
from app.onboarding.feeds.ical import Entry
from app.onboarding.models import Journal
from app.onboarding.queries.picture import Picture, get_picture, list_onboardings
from app.web.translations import mark

GO_LIVE: Final = "go_live"
_GOING_LIVE = mark("Going live")
_DONE = mark("Done.")
_LEFT_OUT = mark("Left out.")
_STILL_OPEN = mark("Still to be done.")
_MOST: Final = 200  # onboardings of one workspace that are looked through for somebody's own steps


def dates_feed(work: Work, picture: Picture, *, origin: str) -> list[Entry]:
    """Every date of one onboarding, as its page of dates shows it, and the day of going live."""
    about = _About(work, picture, origin)
    entries = [about.entry(item) for item in picture.definition.items.values() if item.kind != "stage"]
    plan = picture.state.plan
    if plan is not None and plan.go_live is not None:
        entries.append(about.made(GO_LIVE, plan.go_live, picture.say(_GOING_LIVE), ""))
    return [entry for entry in entries if entry is not None]


def own_steps_feed(work: Work, *, say: Callable[[str], str], language: str, origin: str) -> list[Entry]:
    """The steps of this workspace that wait for the reader, by name or by a role. Raises NotPermitted."""
    entries: list[Entry | None] = []
    for onboarding_id, _name in list_onboardings(work)[:_MOST]:
        picture = get_picture(work, onboarding_id, say=say, language=language)
        if picture.state.status == "running":
            about = _About(work, picture, origin)
            mine = (item for item in picture.definition.items.values() if _is_mine(picture, item, work.actor.id))
            entries += [about.entry(item) for item in mine]
    return [entry for entry in entries if entry is not None]


def _is_mine(picture: Picture, item: Item, person: UUID) -> bool:
    if item.kind not in {"task", "gate"} or picture.state.is_settled(item.key):
        return False
    if assignee := picture.of(item.key).assignee:
        return assignee == str(person)
    return any(entry["id"] == str(person) for entry in picture.onboarding.people.get(picture.state.acts(item), []))


class _About:
    """Makes the entries of one onboarding."""

    def __init__(self, work: Work, picture: Picture, origin: str) -> None:
        self.picture, self.origin = picture, origin
        same = Journal.onboarding_id == picture.onboarding.id, Journal.seq == picture.state.seq
        self.changed_at = work.session.scalars(select(Journal.at).where(*same)).one()

    def entry(self, item: Item) -> Entry | None:
        """The step's day; None where it has none."""
        picture, state = self.picture, self.picture.of(item.key)
        done, over = state.state == "done", state.state in {"skipped", "cancelled"}
        at = state.settled_at if done else state.due_at
        if at is None:
            return None
        own = picture.state.time_for(item.side).owner
        title = picture.read(item.title)
        said = _DONE if done else _LEFT_OUT if over else _STILL_OPEN
        day = own.day_at(at if done else at - MOMENT)
        return self.made(item.key, day, f"✓ {title}" if done else title, picture.say(said), cancelled=over)

    def made(self, key: str, day: date, title: str, said: str, *, cancelled: bool = False) -> Entry:
        """One entry."""
        picture, page = self.picture, f"{self.origin}{self.picture.path}/dates"
        return Entry(
            uid=f"{uuid5(picture.onboarding.id, key)}@{self.origin.partition('://')[2].partition(':')[0]}",
            day=day,
            summary=f"{title} · {picture.onboarding.name}",
            description=f"{said} {page}".strip(),
            url=page,
            sequence=picture.state.seq,
            changed_at=self.changed_at,
            cancelled=cancelled,
        )
