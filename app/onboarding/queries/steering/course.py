"""The forms that change the course of an onboarding, and what its hold says. Only what may be done now is offered."""

from __future__ import annotations

from typing import Any

from app.access.decisions import can
from app.access.permissions import Permission
from app.connectors.settings.undoing import list_undoable
from app.flow.definition import Item
from app.kernel.trail import find_actor
from app.kernel.work import Work
from app.onboarding.events import OnboardingHeld
from app.onboarding.lifecycle.queries import LIFECYCLES, may_follow
from app.onboarding.outside.showing import outside_of
from app.onboarding.queries.heading import REASONS
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.steering.choices import item_choice, people_choice, stage_choice
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
    undone = undo_forms(work, picture)
    if not may_steer(work):
        return undone
    next_ones = [_next(picture, found)] if (found := may_follow(work, picture)) else []
    if picture.state.status != "running":
        return [*undone, *next_ones]
    if picture.state.hold is not None:
        return [_resume(picture), _assign(picture), _cancel(work, picture)]
    return [_hold(picture), _assign(picture), _skip(picture), _roll_back(picture), *next_ones, _cancel(work, picture)]


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


def _assign(picture: Picture) -> Form:
    steps = [item for item in picture.definition.items.values() if item.kind != "stage" and _is_left(picture, item)]
    nobody = picture.say(mark("Nobody by name: it goes back to its role."))
    return _form(
        picture,
        "assignments",
        title=mark("Give a step to somebody"),
        text=mark("A step is done by the people of its own side who work on this onboarding."),
        fields=[
            item_choice(picture, "item", mark("Step"), steps),
            people_choice(picture) | {"help": nobody},
            _reason(picture, required=False),
        ],
    )


def _skip(picture: Picture) -> Form:
    steps = [item for item in picture.definition.items.values() if item.kind != "gate" and _is_left(picture, item)]
    return _form(
        picture,
        "skips",
        title=mark("Leave a step out"),
        text=mark("The step and all that is open below it are left out. A gate is decided and first value is proven."),
        fields=[item_choice(picture, "item", mark("Step"), steps), _reason(picture)],
    )


def _roll_back(picture: Picture) -> Form:
    return _form(
        picture,
        "rollbacks",
        title=mark("Roll back to a stage"),
        text=mark(
            "This stage and every later one begin anew. What was done in another system cannot be undone from here: "
            "each such call becomes an exception for a person."
        ),
        fields=[stage_choice(picture), _reason(picture)],
    )


def _next(picture: Picture, lifecycles: list[str]) -> Form:
    options = [{"id": each, "label": picture.say(LIFECYCLES[each])} for each in lifecycles]
    choice = {"id": "lifecycle", "label": picture.say(mark("What follows")), "type": "select", "required": True}
    return _form(
        picture,
        "next",
        title=mark("Start what follows"),
        text=mark("A new run begins for this customer, with its people, its calendars and what is known of it."),
        fields=[choice | {"options": options, "help": ""}, _reason(picture)],
    )


def _cancel(work: Work, picture: Picture) -> Form:
    form = _form(
        picture,
        "cancellation",
        title=mark("Cancel the onboarding"),
        text=mark("It stops for good; nothing can be done in it afterwards."),
        fields=[_reason(picture)],
        kind="stop",
    )
    return form | {"outside": outside_of(work, picture)}


def undo_forms(work: Work, picture: Picture) -> list[Form]:
    """A form for each call of a cancelled onboarding that its connector can undo, for those who may connect systems."""
    if picture.state.status != "cancelled" or not can(work.rights, Permission.CONNECTION_WRITE):
        return []
    left, lines = list_undoable(work, picture.onboarding.id), outside_of(work, picture)
    return [_undo(picture, line) for line in lines if line["id"] in left]


def _undo(picture: Picture, line: Form) -> Form:
    form = _form(
        picture,
        f"runs/{line['id']}/compensation",
        title=mark("Undo it in the other system"),
        text=mark("A call that takes back what was done there is made at once. It cannot be taken back itself."),
        fields=[_reason(picture)],
        kind="stop",
    )
    what = f"{line['step']} · {line['system']}"
    return form | {"id": f"undo-{line['id']}", "text": f"{what}. {form['text']}"}


def _is_left(picture: Picture, item: Item) -> bool:
    return not picture.state.is_settled(item.key)


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
