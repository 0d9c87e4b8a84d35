"""What a comment is about, in words and as an address. Pure."""

from __future__ import annotations

from app.flow.definition import Definition
from app.flow.state import State
from app.onboarding.models import Comment


def title_of(definition: Definition, state: State, about: str | None, name: str) -> dict[str, str]:
    """The item's title; an exception's type; without either the onboarding's name. By language."""
    if about is None:
        return {"en": name}
    if (item := definition.items.get(about)) is not None:
        return dict(item.title)
    opened = state.exceptions.get(about)
    route = definition.exceptions.get(opened.type) if opened else None
    return dict(route.label) if route else {"en": opened.type.replace("_", " ") if opened else about}


def way_to(comment: Comment) -> str:
    """The page of one comment, below the onboarding's address."""
    return f"/comments/{comment.id}"
