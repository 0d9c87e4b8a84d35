"""What happens next, who has the ball, why the date is what it is, what went wrong: the same answers for both sides."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.flow.dates.backward import look_back
from app.flow.definition import Item
from app.flow.state import OpenedException
from app.flow.steps.ageing import is_overdue
from app.kernel.work import Work
from app.onboarding.dates.queries import dates_of, go_live_of, lines_of, list_moves
from app.onboarding.queries.court import ball_of
from app.onboarding.queries.heading import REASONS, TOLD
from app.onboarding.queries.overview.notes import kind_of
from app.onboarding.queries.picture import MOVING, Picture
from app.web.translations import mark

_MOST = 2  # of each: a look is no list
# What went wrong, as the customer hears of it once it is over.
_WAS_TOLD = {
    "waiting_customer_admin": mark("Your administrator was needed"),
    "waiting_billing_info": mark("Billing details were missing"),
    "waiting_technical_credentials": mark("Technical access was missing"),
    "waiting_internal_provisioning": mark("Something was not set up on our side"),
    "scope_mismatch": mark("It was not clear what had been agreed"),
    "no_success_criteria": mark("It was not clear what success means for you"),
    "customer_no_response": mark("An answer of yours was needed"),
    "ai_uncertainty": mark("Something had to be checked by hand"),
    "integration_failure": mark("A connection between two systems failed"),
}


def answers(work: Work, picture: Picture, *, told: bool = False) -> dict[str, Any]:
    """All four. `told`: as the customer is told, who hears no label of the partner's work."""
    coming = _coming(picture)
    return {
        "next": [_step(picture, item) for item in coming[:_MOST]],
        "ball": _ball(work, picture, coming, TOLD if told else REASONS),
        "date": _date(work, picture),
        "trouble": _trouble(picture, told=told),
    }


def _coming(picture: Picture) -> list[Item]:
    """What somebody can do now; where that is nothing, what comes first after it. The earliest date first."""
    steps = [item for item in picture.definition.items.values() if item.kind in {"task", "gate"}]
    steps = [item for item in steps if not picture.definition.is_optional(item.key)]
    moving = [item for item in steps if picture.of(item.key).state in MOVING]
    found = moving or [item for item in steps if picture.of(item.key).state == "waiting"]
    return sorted(found, key=lambda item: (picture.of(item.key).due_at or picture.now, item.position))


def _step(picture: Picture, item: Item) -> dict[str, Any]:
    state = picture.of(item.key)
    return {
        "title": dict(item.title),
        "path": f"#{item.key}",
        "who": picture.owner(item) if item.action is None else "",
        "side": item.side,
        "by_itself": item.action is not None and state.state != "blocked",
        "state": state.state,
        "due_at": state.due_at,
        "late": picture.is_late(item.key),
    }


def _ball(work: Work, picture: Picture, coming: list[Item], words: Mapping[str, str]) -> dict[str, Any] | None:
    """Who has to act, since when, and why: what is waited for, else their first step."""
    ball = ball_of(work, picture)
    if ball is None:
        return None
    own = [item for item in coming if item.side == ball["holder"] and picture.of(item.key).state in MOVING]
    code = ball["reason_code"]
    why = picture.say(words.get(code, code)) if code else ""
    return ball | {"why": why, "step": dict(own[0].title) if own and not code else {}}


def _date(work: Work, picture: Picture) -> dict[str, Any]:
    """When first value is expected, how that stands to the plan at the start, and what moved it last."""
    item = picture.item(picture.definition.first_value.milestone)
    back = look_back(picture.definition, picture.state)
    moves = lines_of(picture, list_moves(work, picture, item=item.key, most=1))
    dates = dates_of(picture, item, back)
    return {
        "at": picture.onboarding.first_value_at or dates.due_at,
        "reached": picture.onboarding.first_value_at is not None,
        "moved_days": dates.moved_days or 0,
        "why": moves[0]["why"] if moves else "",
        "reason": moves[0]["reason"] if moves else "",
        "go_live": go_live_of(picture.state, back),
        "path": f"{picture.path}/dates",
    }


def _trouble(picture: Picture, *, told: bool) -> dict[str, Any]:
    """Open problems, the oldest first, then solved ones, the newest first."""
    known = picture.state.exceptions.values()
    open_ones = sorted((each for each in known if each.is_open), key=lambda each: each.opened_at)
    solved = [(each.resolved_at, each) for each in known if each.resolved_at is not None]
    solved.sort(key=lambda pair: pair[0], reverse=True)
    shown = [_open(picture, each, told=told) for each in open_ones[:_MOST]]
    return {
        "open": shown,
        "solved": [_solved(picture, each, at, told=told) for at, each in solved[: max(1, _MOST - len(shown))]],
        "count": len(open_ones) + len(solved),
        "path": f"{picture.path}?view=exceptions",
    }


def _open(picture: Picture, exception: OpenedException, *, told: bool) -> dict[str, Any]:
    return {
        "title": picture.say(TOLD[exception.reason_code]) if told else _called(picture, exception),
        "who": _with_whom(picture, exception),
        "since": exception.opened_at,
        "late": not told and is_overdue(exception, picture.now),
    }


def _solved(picture: Picture, exception: OpenedException, at: datetime, *, told: bool) -> dict[str, Any]:
    title = picture.say(_WAS_TOLD[exception.reason_code]) if told else _called(picture, exception)
    return {"title": title, "by": picture.name_of(exception.resolved_by), "at": at}


def _called(picture: Picture, exception: OpenedException) -> str:
    """Its type as the template calls it, and on what."""
    kind, item = kind_of(picture, exception.type), picture.definition.items.get(exception.item)
    return f"{kind}: {picture.read(item.title)}" if item else kind


def _with_whom(picture: Picture, exception: OpenedException) -> str:
    """Its owner by name, else the role that has it."""
    if exception.owner and (name := picture.name_of(f"person:{exception.owner}")):
        return name
    role = picture.definition.roles.get(exception.route[0]) if exception.route else None
    return picture.read(role.label) if role else ""
