"""Finds the templates and overlays of `templates_library/` and checks them all. Reads files; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.kernel.errors import Missing
from app.templates.components import Component
from app.templates.language import Template, read_template
from app.templates.overlay import Effective, Overlay, apply_overlays, read_overlay
from app.templates.rules import Problem
from app.templates.workbench.bench import problems_of
from app.templates.workbench.files import LIBRARY, component_in, find_files, shown, text_of

__all__ = ["LIBRARY", "NotInLibrary", "Shelf", "find_component", "lint_library", "list_shelves", "open_shelf"]


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
    template = read_template(text_of(file), shown(file), lambda wanted: find_component(wanted, folder))
    overlays = [read_overlay(text_of(path), shown(path)) for path in sorted((place / "overlays").glob("*.yaml"))]
    return Shelf(name, template, {str(each.document["partner"]): each for each in overlays})


def find_component(name: str, folder: Path = LIBRARY) -> Component | None:
    """A component by its full name (`component/<id>@<version>`), None where there is none. Raises TemplateRefused."""
    return component_in(folder, name)


def lint_library(folder: Path = LIBRARY) -> list[Problem]:
    """Every problem of every template, of every overlay applied to its base, of their tests, and of every component."""
    return [problem for found in find_files(folder) for problem in problems_of(found)]
