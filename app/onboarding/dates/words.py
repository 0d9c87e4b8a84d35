"""Why a date moved, in words that both sides read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import Struct

from app.onboarding.queries.picture import Picture
from app.web.translations import mark

_LATER: Final = mark("“%(step)s” ended later than expected.")
_EARLIER: Final = mark("“%(step)s” ended earlier than expected.")
_OF_STEP: Final = {
    "skipped": mark("“%(step)s” was left out."),
    "repeated": mark("“%(step)s” happens more or fewer times."),
    "not_needed": mark("“%(step)s” was not needed."),
    "reopened": mark("“%(step)s” was opened again."),
    "opened": mark("“%(step)s” could begin only later than expected."),
    "chosen": mark("Another date was chosen for “%(step)s”."),
    "released": mark("“%(step)s” follows the plan again."),
}
_OWN: Final = {
    "opened": mark("It could begin only later than expected."),
    "chosen": mark("This date was chosen."),
    "released": mark("It follows the plan again."),
}
_OF_ALL: Final = {
    "calendar": mark("The working times of one side changed."),
    "replanned": mark("From here on, dates follow what happens."),
    "held": mark("The onboarding was on hold for a while."),
    "rolled_back": mark("A stage and everything after it begin anew."),
    "migrated": mark("The onboarding goes on with another version of its template."),
}
_OTHERWISE: Final = mark("It follows from what happened then.")


class Moved(Struct, frozen=True, kw_only=True):
    """One move of one date, stored or only tried; `seq`, `at`, `by` and `reason` are its journal entry's."""

    item: str
    was: datetime | None
    becomes: datetime
    cause: str
    cause_item: str | None = None
    seq: int | None = None
    at: datetime | None = None
    by: str = ""
    reason: str = ""


def why(picture: Picture, move: Moved) -> str:
    """The cause of a move in the reader's language."""
    say, known = picture.say, picture.definition.items.get(move.cause_item or "")
    if known is None:
        return say(_OF_ALL.get(move.cause, _OTHERWISE))
    if move.cause == "finished":
        later = move.was is None or move.becomes > move.was
        words = _LATER if later else _EARLIER
    else:
        own = _OWN if move.cause_item == move.item else {}
        words = own.get(move.cause) or _OF_STEP.get(move.cause, _OTHERWISE)
    return say(words) % {"step": picture.read(known.title)}
