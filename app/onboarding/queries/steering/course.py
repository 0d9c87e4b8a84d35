"""The forms that change the course of an onboarding, and what its hold says. Only what may be done now is offered."""

from __future__ import annotations

from typing import Any

from app.access.decisions import can
from app.access.permissions import Permission
from app.kernel.trail import find_actor
from app.kernel.work import Work
from app.onboarding.events import OnboardingHeld
from app.onboarding.queries.heading import REASONS
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

Form = dict[str, Any]
_WHY = mark("Reason")
_KEPT = mark("Is kept in the trail.")


def may_steer(work: Work) -> bool:
    """Whether the reader may change the course of onboardings here."""
    return can(work.rights, Permission.ONBOARDING_WRITE)


def hold_of(work: Work, picture: Picture) -> dict[str, Any] | None:
    """Who holds it, since when and why; None where nobody does."""
    hold = picture.state.hold
    if hold is None:
        return None
    return {
        "by": find_actor(work.session, OnboardingHeld.type, picture.onboarding.id),
        "since": hold.since,
        "code": picture.say(REASONS.get(hold.reason_code, hold.reason_code)),
        "reason": hold.reason,
        "resume": f"{picture.path}?view=course" if may_steer(work) else "",
    }


def course_of(work: Work, picture: Picture) -> list[Form]:
    """A form for each way to change the course that this person has now."""
    if not may_steer(work) or picture.state.status != "running":
        return []
    if picture.state.hold is not None:
        return [_resume(picture)]
    return [_hold(picture)]


def _hold(picture: Picture) -> Form:
    say = picture.say
    codes = [{"id": code, "label": say(word)} for code, word in REASONS.items()]
    return _form(
        picture,
        "hold",
        title=mark("Put on hold"),
        text=mark("Nobody can complete, decide or prove anything, and every clock stands still until it is resumed."),
        fields=[
            {"id": "reason_code", "label": say(mark("What it waits for")), "type": "select", "required": True}
            | {"options": codes, "help": ""},
            _reason(picture),
        ],
    )


def _resume(picture: Picture) -> Form:
    return _form(
        picture,
        "resumption",
        title=mark("Resume"),
        text=mark("Clocks go on with the time they had left, and dates move by the business time it was on hold."),
        fields=[_reason(picture, required=False)],
        kind="primary",
    )


def _reason(picture: Picture, *, required: bool = True) -> Form:
    say = picture.say
    return {"id": "reason", "label": say(_WHY), "type": "long_text", "required": required, "help": say(_KEPT)}


def _form(picture: Picture, word: str, *, title: str, text: str, fields: list[Form], kind: str = "plain") -> Form:
    """`word` is the last part of the form's address, and its name on the page."""
    say = picture.say
    return {
        "id": word,
        "title": say(title),
        "text": say(text),
        "action": f"{picture.path}/{word}",
        "fields": fields,
        "kind": kind,
        "given": {},
        "errors": [],
    }
