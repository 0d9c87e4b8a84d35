"""The components of the library that a package can bring: the newest version of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from app.templates.components import Component
from app.templates.library import LIBRARY, find_component
from app.templates.overlays.versions import precedence


@cache
def list_components(folder: Path = LIBRARY) -> tuple[Component, ...]:
    """Each by its name, the newest version of it. Read once a process: the library comes with the program."""
    return tuple(_newest(folder))


def _newest(folder: Path) -> Iterator[Component]:
    for place in sorted(each for each in (folder / "components").iterdir() if each.is_dir()):
        versions = sorted((file.stem for file in place.glob("*.yaml")), key=precedence)
        found = find_component(f"component/{place.name}@{versions[-1]}", folder) if versions else None
        if found is not None:
            yield found
