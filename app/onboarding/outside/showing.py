"""What an onboarding has asked of other systems, and what becomes of it where the onboarding is cancelled."""

from __future__ import annotations

from typing import Any, Final

from app.connectors.lookups import RunLine, runs_of_onboarding
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

_BEFORE: Final = {
    "requested": mark("Not called yet: it will not be."),
    "waiting": mark("Not called yet: it will not be."),
    "running": mark("A call that is under way is finished and its outcome kept; no other is made."),
    "stopping": mark("A call is under way. It is the last one, and its outcome is kept."),
    "succeeded": mark("Done, and it stays there."),
    "unknown": mark("Nobody knows whether it was done. Look there."),
    "cancelled": mark("Stopped before it did anything."),
}


def outside_of(work: Work, picture: Picture) -> list[dict[str, Any]]:
    """Each call that has had, or may have or still get an effect outside: its step, the system, and a sentence.

    What failed has changed nothing and is left out.
    """
    runs = runs_of_onboarding(work.session, picture.onboarding.id)
    return [_line(picture, run) for run in runs if run.state in _BEFORE]


def _line(picture: Picture, run: RunLine) -> dict[str, Any]:
    item = picture.definition.items.get(run.item_key)
    return {
        "id": run.id,
        "step": picture.read(item.title) if item else run.item_key,
        "system": run.connector.replace("_", " ").capitalize(),
        "state": run.state,
        "said": picture.say(_BEFORE[run.state]),
    }
