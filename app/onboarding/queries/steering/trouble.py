"""What may be done about an open exception beside resolving it at once: answer, retry later, give away, roll back."""

from __future__ import annotations

from typing import Any

from app.access.decisions import can
from app.access.permissions import Permission
from app.flow.state import OpenedException
from app.kernel.actor import Actor
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

Form = dict[str, Any]
_RESOLUTIONS = {
    "done": mark("It was done"),
    "skip": mark("Leave it out"),
    "roll_back": mark("Roll back to a stage"),
}


def response_of(picture: Picture, opened: OpenedException | None) -> dict[str, Any] | None:
    """Who responded first, when, and whether by its time; None while nobody has."""
    if opened is None or opened.answered_at is None:
        return None
    by = picture.name_of(opened.answered_by)
    return {"at": opened.answered_at, "by": by, "in_time": opened.answered_in_time}


def proposal_of(work: Work, picture: Picture, opened: OpenedException | None, path: str) -> dict[str, Any] | None:
    """What is proposed, by whom and why, and where another person decides it; None where nothing is."""
    if opened is None or not opened.is_open or opened.proposal is None:
        return None
    wanted = opened.proposal.resolved
    own = wanted.by.actor == work.actor.label
    return {
        "what": picture.say(_RESOLUTIONS.get(wanted.resolution, wanted.resolution)),
        "by": picture.name_of(wanted.by.actor),
        "at": opened.proposal.at,
        "reason": wanted.reason,
        "own": own,
        "digest": opened.proposal.digest,
        "action": f"{path}/agreement" if not own and _may_agree(work, work.actor) else "",
    }


def ways_of(work: Work, picture: Picture, opened: OpenedException | None, path: str) -> list[Form]:
    """A folded form for each further way that this person has now."""
    if opened is None or not opened.is_open or picture.state.phase != "running":
        return []
    if not can(work.rights, Permission.EXCEPTION_RESOLVE):
        return []
    ways = [_route(picture, path), _roll_back(picture, path)]
    if opened.blocks and picture.of(opened.item).state == "blocked":
        ways.insert(0, _retry(picture, path))
    if opened.answered_at is None:
        ways.insert(0, _answer(picture, path))
    return ways


def _may_agree(work: Work, actor: Actor) -> bool:
    return actor.kind == "person" and can(work.rights, Permission.EXCEPTION_RESOLVE)


def _answer(picture: Picture, path: str) -> Form:
    after = mark("The first response is kept with its time; the exception stays open.")
    return _way(picture, f"{path}/answer", title=mark("Respond"), text=after)


def _retry(picture: Picture, path: str) -> Form:
    zone = picture.say(mark("For example 2026-03-12 14:00, in the time zone %(zone)s."))
    moment = {"id": "at", "label": picture.say(mark("Moment")), "type": "text", "required": True}
    moment["help"] = zone % {"zone": picture.state.partner.zone}
    after = mark("The step is tried once, at that moment. Until then it waits.")
    return _way(picture, f"{path}/retry", title=mark("Try again later"), text=after, fields=[moment])


def _route(picture: Picture, path: str) -> Form:
    roles = [{"id": role.id, "label": dict(role.label)} for role in picture.definition.roles.values()]
    role = {"id": "role", "label": picture.say(mark("Role")), "type": "select", "required": True, "help": ""}
    after = mark("Another role owns the exception, and is told of it.")
    return _way(
        picture, f"{path}/route", title=mark("Give it to another role"), text=after, fields=[role | {"options": roles}]
    )


def _roll_back(picture: Picture, path: str) -> Form:
    begun = [stage for stage in picture.definition.of_kind("stage") if picture.of(stage.key).state != "waiting"]
    stages = [{"id": stage.key, "label": dict(stage.title)} for stage in begun]
    stage = {"id": "stage", "label": picture.say(mark("Stage")), "type": "select", "required": True, "help": ""}
    after = mark("This stage and every later one begin anew. Another person has to agree.")
    way = _way(
        picture,
        f"{path}/resolution",
        title=mark("Roll back to a stage"),
        text=after,
        fields=[stage | {"options": stages}],
    )
    return way | {"button": {"name": "resolution", "value": "roll_back"}}


def _way(picture: Picture, action: str, *, title: str, text: str, fields: list[Form] | None = None) -> Form:
    say = picture.say
    note = {"id": "note", "label": say(mark("Note for the record")), "type": "long_text", "required": True, "help": ""}
    form: Form = {"id": title.lower().replace(" ", "-"), "title": say(title), "text": say(text), "action": action}
    return form | {"fields": [*(fields or []), note], "button": {}}
