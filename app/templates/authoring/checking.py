"""What a text is, a template or an overlay, and everything that is wrong with it. Reads no database by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.templates.document import read_yaml
from app.templates.language import Template, read_template
from app.templates.library import find_component
from app.templates.lines.chains import Chain, ChainBroken
from app.templates.overlay import Effective, Overlay, apply_overlays, read_overlay
from app.templates.rules import Problem, TemplateRefused

FindBeneath = Callable[[str], Chain]  # what makes the document of an address; raises ChainBroken
FILE = "template.yaml"  # the name that problems give to what was typed


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: the version and what it makes, or the problems."""

    version: Template | Overlay | None
    effective: Effective | None
    problems: tuple[Problem, ...] = ()


def check_text(text: str, find: FindBeneath) -> Checked:
    """Read a text as whatever it says it is; every problem has its place."""
    try:
        return _read(text, find)
    except TemplateRefused as trouble:
        return Checked(None, None, tuple(trouble.problems))


def _read(text: str, find: FindBeneath) -> Checked:
    source = read_yaml(text, FILE)
    if "component" in source.document:
        message = "This is a component. It is not published by itself; it is put into the templates that include it."
        raise TemplateRefused([source.problem(("component",), message, key=True)])
    if "overlay" not in source.document:
        template = read_template(text, FILE, find_component)
        return Checked(template, apply_overlays(template))
    overlay = read_overlay(text, FILE)
    try:
        below = find(overlay.written_for)
    except ChainBroken:
        message = "No published template of yours has this address."
        fix = "Publish the template first, then name its address here."
        raise TemplateRefused([overlay.source.problem(("base", "digest"), message, fix)]) from None
    return Checked(overlay, apply_overlays(below.template, (*below.overlays, overlay)))
