"""A component as it is written: its name, what it takes, and the entries of the list that it is written for.

Its parts are checked where they are included, as part of a whole template.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.templates.document import Source, read_yaml
from app.templates.rules import TemplateRefused
from app.templates.schema import check_schema

_KEPT = 64  # texts of components; more than a library of ours has
PLACES = ("milestones", "tasks", "gates", "fields", "exceptions")  # the lists that a component can be written for


@dataclass(frozen=True, slots=True)
class Component:
    """A component that has the right shape."""

    source: Source

    @property
    def name(self) -> str:
        """How templates include it."""
        return f"component/{self.source.document['component']}@{self.source.document['version']}"

    @property
    def place(self) -> str:
        """The list it is written for."""
        return next(place for place in PLACES if place in self.source.document)

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """What it takes, by id."""
        return {each["id"]: each for each in self.source.document.get("parameters", ())}

    def own_keys(self) -> Iterator[str]:
        """The items it is made of, by key, and as `sends.<id>` its communications.

        What it includes itself has the including element's id before it.
        """
        yield from (f"sends.{each['id']}" for each in self.source.document.get("communications", ()))
        for part in self.source.document[self.place]:
            if "include" in part or self.place in {"fields", "exceptions"}:
                continue
            yield f"{self.place.removesuffix('s')}.{part['id']}"
            for task in part.get("tasks", ()) if self.place == "milestones" else ():
                if "include" not in task:
                    yield f"task.{task['id']}"


@lru_cache(maxsize=_KEPT)
def read_component(text: str, file: str) -> Component:
    """Read a component and check its own shape. Raises TemplateRefused.

    The same text is read once: templates of one library include the same components, and nobody changes what was read.
    """
    source = read_yaml(text, file)
    problems = check_schema(source, "component")
    if problems:
        raise TemplateRefused(problems)
    return Component(source)
