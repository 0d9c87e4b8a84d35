"""Finds the templates and overlays of `templates_library/` and checks them all. Reads files; writes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from app.kernel.errors import Missing
from app.templates.components import Component, read_component
from app.templates.language import Template, read_template
from app.templates.overlay import Effective, Overlay, apply_overlays, read_overlay
from app.templates.rules import Problem, TemplateRefused

LIBRARY = Path(__file__).parents[2] / "templates_library"
_COMPONENT = re.compile(r"component/([a-z][a-z0-9-]+)@(\d+\.\d+\.\d+)")


class NotInLibrary(Missing):
    """The library holds no such template or overlay."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One template of the library with the overlays that lie beside it, by their partner's short name."""

    name: str  # audience/template
    template: Template
    overlays: dict[str, Overlay]

    def effective(self, partner: str | None = None) -> Effective:
        """The template as a partner's customers see it; without a partner, the base. Raises NotInLibrary."""
        if partner is None:
            return apply_overlays(self.template)
        if partner not in self.overlays:
            raise NotInLibrary(f"“{self.name}” has no overlay of “{partner}”.")
        return apply_overlays(self.template, (self.overlays[partner],))


def list_shelves(folder: Path = LIBRARY) -> list[str]:
    """The names (`audience/template`) of all templates, sorted."""
    return sorted(f"{path.parent.parent.name}/{path.parent.name}" for path in folder.glob("*/*/template.yaml"))


def open_shelf(name: str, folder: Path = LIBRARY) -> Shelf:
    """Read one template and its overlays. Raises NotInLibrary, TemplateRefused."""
    if name not in list_shelves(folder):
        raise NotInLibrary(f"The library holds no template “{name}”.")
    place = folder / name
    file = place / "template.yaml"
    template = read_template(_text(file), _shown(file, folder), lambda wanted: find_component(wanted, folder))
    overlays = [read_overlay(_text(path), _shown(path, folder)) for path in sorted((place / "overlays").glob("*.yaml"))]
    return Shelf(name, template, {str(each.document["partner"]): each for each in overlays})


def find_component(name: str, folder: Path = LIBRARY) -> Component | None:
    """A component by its full name (`component/<id>@<version>`), None where there is none. Raises TemplateRefused."""
    found = _COMPONENT.fullmatch(name)
    path = folder / "components" / found[1] / f"{found[2]}.yaml" if found else None
    return read_component(_text(path), _shown(path, folder)) if path and path.is_file() else None


def lint_library(folder: Path = LIBRARY) -> list[Problem]:
    """Every problem of every template and of every overlay applied to its base."""
    problems: list[Problem] = []
    for name in list_shelves(folder):
        try:
            shelf = open_shelf(name, folder)
        except TemplateRefused as trouble:
            problems += trouble.problems
            continue
        for partner in shelf.overlays:
            try:
                shelf.effective(partner)
            except TemplateRefused as trouble:
                problems += trouble.problems
    return problems


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as trouble:
        raise TemplateRefused([Problem(path.name, 1, 1, "The file is not UTF-8 text.")]) from trouble


def _shown(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder.parent))
