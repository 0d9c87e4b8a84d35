"""Whose move it is, written down whenever the ball changes hands: the ledger of the court clock."""

from __future__ import annotations

from sqlalchemy import select

from app.flow.clocks.court import Ball, whose_move
from app.flow.parts.unfolding import unfold
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import CourtInterval, Onboarding
from app.onboarding.queries.stored import definition_of

SYSTEM_ONLY = {"pass_the_ball": "part of `advance`"}


def pass_the_ball(work: Work, onboarding: Onboarding, before: State, after: State) -> None:
    """Close the running interval and open the next one, if the ball has changed hands or is held for another reason.

    Most steps leave it where it was, which the two states tell without a query.
    """
    ball = _ball(work, after)
    if ball == _ball(work, before):
        return
    query = select(CourtInterval).where(CourtInterval.onboarding_id == onboarding.id, CourtInterval.ended_at.is_(None))
    running = work.session.scalars(query).one_or_none()
    same = ball and running and (running.holder, running.reason_code) == (ball.holder, ball.reason_code)
    if same:
        return
    if running is not None and running.began_at == work.now:
        work.session.delete(running)  # held for no time at all
        work.session.flush()
    elif running is not None:
        running.ended_at = work.now
    if ball is not None:
        work.session.add(
            CourtInterval(
                onboarding_id=onboarding.id, began_at=work.now, holder=ball.holder, reason_code=ball.reason_code
            )
        )


def _ball(work: Work, state: State) -> Ball | None:
    return whose_move(unfold(definition_of(work, state.definition), state.parts), state)
