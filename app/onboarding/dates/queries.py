"""The dates of one onboarding as both sides read them: date, baseline, what moved it and why, days to spare."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Subquery, Text, column, func, select, true, union_all

from app.flow.calendar import MOMENT, BusinessTime
from app.flow.commands import Decision
from app.flow.dates.backward import GoLive, look_back
from app.flow.definition import Item
from app.flow.state import Plan, State
from app.kernel.work import Work
from app.onboarding.dates.schemas import (
    ClockOut,
    CourtOut,
    GoLiveOut,
    ItemDates,
    MoveOut,
    ReasonOut,
    ScheduleOut,
    TriedOut,
)
from app.onboarding.dates.words import Moved, why
from app.onboarding.models import DateMove, Journal
from app.onboarding.queries.court import court_parts
from app.onboarding.queries.picture import Picture

MOST_MOVES = 2_000
_MOMENT = DateTime(timezone=True)
_MOVE = (
    *(column("item", Text), column("was", _MOMENT), column("becomes", _MOMENT)),
    *(column("cause", Text), column("cause_item", Text)),
)


def read_schedule(work: Work, picture: Picture) -> ScheduleOut:
    """Everything about the dates of an onboarding, as software reads it."""
    back = look_back(picture.definition, picture.state)
    return ScheduleOut(
        seq=picture.state.seq,
        go_live=go_live_of(picture.state, back),
        items=[dates_of(picture, item, back) for item in picture.definition.items.values()],
        moves=[move_out(move) for move in list_moves(work, picture)],
        court=[
            CourtOut(part.holder, part.seconds, part.share, [ReasonOut(*each) for each in part.reasons])
            for part in court_parts(work, picture.onboarding.id, picture.state)
        ],
        clocks=clocks_of(picture),
    )


def clocks_of(picture: Picture) -> list[ClockOut]:
    """The SLA clocks that run, and those that stand still with their reason."""
    found = []
    for name, timer in picture.state.timers.items():
        if timer.armed or timer.paused:
            item, pause = picture.definition.timers[name].item, timer.paused
            why = (pause.since, pause.reason_code, pause.exception) if pause else (None, None, None)
            found.append(ClockOut(name, item, timer.rung, timer.due_at, *why))
    return found


def list_moves(work: Work, picture: Picture, *, item: str | None = None, most: int = MOST_MOVES) -> list[Moved]:
    """The moves of an onboarding, or of one item, newest first, with who caused it and why where a person did."""
    move = _moves_of(picture.onboarding.id)
    same = (Journal.onboarding_id == picture.onboarding.id) & (Journal.seq == move.c.seq)
    query = select(move, Journal.at, Journal.actor_kind, Journal.actor_id, Journal.event["reason"].astext.label("why"))
    query = query.join(Journal, same).order_by(move.c.seq.desc(), move.c.item)
    if item is not None:
        query = query.where(move.c.item == item)
    return [
        Moved(
            item=each.item,
            was=each.was,
            becomes=each.becomes,
            cause=each.cause,
            cause_item=each.cause_item,
            seq=each.seq,
            at=each.at,
            by=picture.name_of(f"{each.actor_kind}:{each.actor_id}"),
            reason=(each.why or "") if _is_chosen(each.cause) else "",
        )
        for each in work.session.execute(query.limit(most))
    ]


def _moves_of(onboarding_id: UUID) -> Subquery:
    """Where moves stand: in the journal's entries, and of older entries in rows of their own."""
    stored = func.jsonb_to_recordset(Journal.moves).table_valued(*_MOVE).render_derived(with_types=True)
    inside = select(Journal.seq, *stored.c).select_from(Journal).join(stored, true())
    older = select(DateMove.seq, DateMove.item_key, DateMove.was, DateMove.becomes, DateMove.cause, DateMove.cause_item)
    both = (inside.where(Journal.onboarding_id == onboarding_id), older.where(DateMove.onboarding_id == onboarding_id))
    return union_all(*both).subquery()


def tried(picture: Picture, decision: Decision) -> TriedOut:
    """What would move, and whether the go-live would be met."""
    moves = [move_out(move) for move in would_move(decision)]
    return TriedOut(moves, go_live_of(decision.state, look_back(picture.definition, decision.state)))


def would_move(decision: Decision) -> list[Moved]:
    """The moves of an event that was only tried."""
    return [
        Moved(item=each.item, was=each.was, becomes=each.becomes, cause=each.cause, cause_item=each.cause_item)
        for each in decision.moves
    ]


def dates_of(picture: Picture, item: Item, back: GoLive | None) -> ItemDates:
    """The dates of one step."""
    state, plan = picture.of(item.key), picture.state.plan or Plan()
    told = picture.state.reminders.get(item.key)
    baseline = plan.baseline.get(item.key)
    at = state.settled_at if picture.state.is_settled(item.key) else state.due_at
    latest = back.latest.get(item.key) if back else None
    time = picture.state.time_for(item.side)
    return ItemDates(
        key=item.key,
        state=state.state,
        due_at=state.due_at,
        settled_at=state.settled_at,
        baseline_at=baseline,
        moved_days=_days(time, baseline, at) if baseline and at else None,
        latest_at=latest.due_at if latest else None,
        to_spare=latest.to_spare if latest else None,
        chosen=plan.pins.get(item.key),
        reminders_sent=told.sent if told else 0,
        reminded_at=told.last_at if told else None,
        reminder_at=told.due_at if told and told.armed else None,
    )


def go_live_of(state: State, back: GoLive | None) -> GoLiveOut | None:
    """The wanted go-live and whether it is met."""
    if back is None or state.plan is None or state.plan.go_live is None:
        return None
    return GoLiveOut(state.plan.go_live, back.expected, back.late_by)


def move_out(move: Moved) -> MoveOut:
    """A move on the wire."""
    return MoveOut(
        move.item, move.was, move.becomes, move.cause, move.cause_item, move.seq, move.at, move.reason
    )  # fmt: skip


def shown_dates(work: Work, picture: Picture, words: dict[str, str]) -> dict[str, Any]:
    """The rows of the page: each step with its dates, its bar, and why it moved, newest first.

    `words` are the reason codes as the reader's side says them.
    """
    back = look_back(picture.definition, picture.state)
    moves: dict[str, list[Moved]] = {}
    for move in list_moves(work, picture):
        moves.setdefault(move.item, []).append(move)
    steps = [item for item in picture.definition.items.values() if item.kind != "stage"]
    rows = [_row(picture, item, dates_of(picture, item, back), moves.get(item.key, []), words) for item in steps]
    known = [at.timestamp() for row in rows for at in (row["baseline_at"], row["at"]) if at]
    first = picture.onboarding.started_at.timestamp()
    width = max([*known, first + 1]) - first
    for row in rows:
        for name, at in (("x_baseline", row["baseline_at"]), ("x_at", row["at"])):
            row[name] = round(max(0.0, at.timestamp() - first) / width * 1000, 1) if at else None
    return {"rows": rows, "go_live": go_live_of(picture.state, back)}


def lines_of(picture: Picture, moves: list[Moved]) -> list[dict[str, Any]]:
    """Moves as lines: from, to, by how many working days, and why."""
    return [_line(picture, move, picture.state.time_for(picture.item(move.item).side)) for move in moves]


def _row(picture: Picture, item: Item, dates: ItemDates, moves: list[Moved], words: dict[str, str]) -> dict[str, Any]:
    return {
        "key": item.key,
        "kind": item.kind,
        "title": dict(item.title),
        "side": item.side,
        "state": dates.state,
        "late": picture.is_late(item.key),
        "at": dates.settled_at if picture.state.is_settled(item.key) else dates.due_at,
        "baseline_at": dates.baseline_at,
        "moved_days": dates.moved_days,
        "latest_at": dates.latest_at,
        "to_spare": dates.to_spare,
        "chosen": dates.chosen is not None,
        "why": lines_of(picture, moves),
        "reminders": dates.reminders_sent,
        "reminded_at": dates.reminded_at,
        "reminder_at": dates.reminder_at,
        "paused": _paused(picture, item, words),
    }


def _paused(picture: Picture, item: Item, words: dict[str, str]) -> list[dict[str, Any]]:
    """Since when the step's deadlines stand still, and why, in the reader's words."""
    clocks = [each for each in clocks_of(picture) if each.item == item.key and each.reason_code]
    return [{"since": each.paused_since, "why": picture.say(words[str(each.reason_code)])} for each in clocks]


def _line(picture: Picture, move: Moved, time: BusinessTime) -> dict[str, Any]:
    return {
        "title": dict(picture.item(move.item).title),
        "was": move.was,
        "becomes": move.becomes,
        "days": _days(time, move.was, move.becomes) if move.was else None,
        "why": why(picture, move),
        "at": move.at,
        "by": move.by if _is_chosen(move.cause) else "",
        "reason": move.reason,
    }


def _days(time: BusinessTime, was: datetime, becomes: datetime) -> int:
    """Working days from one date to another: the same day is none, whatever the hour."""
    closing = [time.owner.hours_of(time.owner.day_at(moment - MOMENT))[1] for moment in (was, becomes)]
    return time.days_between(*closing)


def _is_chosen(cause: str) -> bool:
    return cause in {"chosen", "released", "calendar", "migrated"}
