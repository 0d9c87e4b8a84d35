"""The rows of an onboarding's tree: made at its start and for each further part, anew with another version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid5

import msgspec
from sqlalchemy import case, delete, insert, update

from app.flow.commands import Decision
from app.flow.definition import Definition
from app.flow.definition import Item as FlowItem
from app.flow.state import ItemState, State
from app.intake.operations.exceptions import move_exceptions
from app.kernel.work import Work
from app.onboarding.models import Comment, Item, Onboarding
from app.onboarding.talk.watching import follow_items

SYSTEM_ONLY = {
    "change_rows": "part of `advance`",
    "replace_rows": "part of `advance`",
    "column_value": "part of `advance`",
    "item_columns": "part of `advance`",
}


def change_rows(work: Work, onboarding: Onboarding, added: Sequence[FlowItem], decision: Decision) -> set[str]:
    """Rows of what is new, none of what is gone. Returns the keys that have been written so."""
    if decision.removed:
        gone = delete(Item).where(Item.onboarding_id == onboarding.id, Item.key.in_(decision.removed))
        work.session.execute(gone)
    if added:
        _add_rows(work, onboarding, added, decision.state)
    return {item.key for item in added}


def replace_rows(work: Work, onboarding: Onboarding, plan: Definition, state: State) -> None:
    """The tree of another version in place of the one before; exceptions, comments and watchers follow their items."""
    went = state.migrations[-1].items
    work.session.flush()
    work.session.execute(delete(Item).where(Item.onboarding_id == onboarding.id))
    _add_rows(work, onboarding, plan.items.values(), state)
    move_exceptions(work, subject_id=onboarding.id, items=went)
    if went:
        about = case(went, value=Comment.about)
        here = update(Comment).where(Comment.onboarding_id == onboarding.id, Comment.about.in_(went))
        work.session.execute(here.values(about=about), execution_options={"synchronize_session": False})
        follow_items(onboarding, went)


def _add_rows(work: Work, onboarding: Onboarding, items: Iterable[FlowItem], state: State) -> None:
    """A row for each item, as the state has it."""
    rows = [
        {
            "id": uuid5(onboarding.id, item.key),
            "onboarding_id": onboarding.id,
            "position": item.position,
            "kind": item.kind,
            "key": item.key,
            "parent": item.parent,
            "side": item.side,
            "owner_role": item.owner,
            **item_columns(state.items[item.key]),
        }
        for item in items
    ]
    work.session.execute(insert(Item), rows)


def column_value(name: str, value: Any) -> Any:
    """The engine's value as its column keeps it: documents as plain JSON, everything else as it is."""
    if name in {"answers", "result", "evidence"} and value is not None:
        return msgspec.to_builtins(value)
    return value


def item_columns(state: ItemState) -> dict[str, Any]:
    """All engine attributes of an item, as columns of its row."""
    return {name: column_value(name, getattr(state, name)) for name in ItemState.__struct_fields__}
