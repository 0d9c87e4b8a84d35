"""The court clock: whose move it is and why, and how much business time each holder of the ball has had. Pure.

From the start to the end somebody always has the ball, also while it is on hold: so the parts add up to the time
that has passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from msgspec import Struct

from app.flow.calendar import BusinessTime
from app.flow.definition import Definition, Item
from app.flow.state import OpenedException, State

Holder = Literal["partner", "customer", "vendor", "third_party", "system"]

OF_REASONS: Final[dict[str, Holder]] = {
    "waiting_customer_admin": "customer",
    "waiting_billing_info": "customer",
    "waiting_technical_credentials": "customer",
    "customer_no_response": "customer",
    "integration_failure": "third_party",
}
PRODUCT_GAP: Final = "product_gap"  # the one exception that only the product's maker can end
_MOVING: Final = frozenset({"open", "running", "blocked"})
_ORDER: Final[tuple[Holder, ...]] = ("partner", "customer", "vendor", "third_party")


class Ball(Struct, frozen=True):
    """Who has to act, and the reason code under which they are waited for, if there is one."""

    holder: Holder
    reason_code: str | None = None


class Stretch(Protocol):
    """A line of the ledger: one holder with one reason, from when to when; the last one goes on."""

    @property
    def began_at(self) -> datetime:
        """When the ball came."""

    @property
    def ended_at(self) -> datetime | None:
        """When it went on."""

    @property
    def holder(self) -> str:
        """Who had it."""

    @property
    def reason_code(self) -> str | None:
        """Why they were waited for."""


class Part(Struct, frozen=True):
    """One holder's part of the elapsed business time, and how much of it lies under each reason code, longest first."""

    holder: str
    spent: timedelta
    reasons: tuple[tuple[str, timedelta], ...] = ()


def whose_move(definition: Definition, state: State) -> Ball | None:
    """Who has to act now; None before the start and after the end.

    On hold it is whoever the hold's reason code names. Else the partner while anything of theirs is open, then the
    customer, then whoever else is waited for. An action under way is the system's only when nobody else could move.
    """
    if state.status != "running":
        return None
    if state.hold is not None:
        return Ball(OF_REASONS.get(state.hold.reason_code, "partner"), state.hold.reason_code)
    moving = [item for item in definition.items.values() if item.kind in {"task", "gate"}]
    moving = [item for item in moving if state.items[item.key].state in _MOVING]
    moving = [item for item in moving if not definition.is_optional(item.key)]  # nobody waits for what is optional
    balls = [_ball_at(state, item) for item in moving if state.items[item.key].state != "running"]
    if not balls:
        return Ball("system") if moving else Ball("partner")
    return min(balls, key=lambda ball: (_ORDER.index(ball.holder), ball.reason_code is not None))


def add_up(stretches: Iterable[Stretch], clock: BusinessTime, until: datetime) -> list[Part]:
    """Each holder's part, largest first; together they are the business time from the first stretch to `until`."""
    sums: dict[str, timedelta] = {}
    reasons: dict[str, dict[str, timedelta]] = {}
    for each in stretches:
        spent = clock.business_between(each.began_at, each.ended_at or until)
        sums[each.holder] = sums.get(each.holder, timedelta()) + spent
        if each.reason_code:
            codes = reasons.setdefault(each.holder, {})
            codes[each.reason_code] = codes.get(each.reason_code, timedelta()) + spent
    return [Part(holder, spent, _longest(reasons.get(holder, {}))) for holder, spent in _longest(sums)]


def _ball_at(state: State, item: Item) -> Ball:
    """Who has to act on one open or blocked item.

    A failed action is its owner's to try again, whatever made it fail.
    """
    blocking = [each for each in state.open_exceptions(item.key) if each.blocks]
    if not blocking or item.action is not None:
        return Ball(item.side)
    return _waited_for(min(blocking, key=lambda each: (each.opened_at, each.id)), item)


def _waited_for(exception: OpenedException, item: Item) -> Ball:
    holder = "vendor" if exception.type == PRODUCT_GAP else OF_REASONS.get(exception.reason_code, item.side)
    return Ball(holder, exception.reason_code)


def _longest(sums: dict[str, timedelta]) -> tuple[tuple[str, timedelta], ...]:
    return tuple(sorted(sums.items(), key=lambda part: part[1], reverse=True))
