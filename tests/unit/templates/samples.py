"""Texts of templates and overlays for the tests here: the library's own, changed by one replacement. Not a test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from app.templates.language import Template, read_template
from app.templates.library import LIBRARY
from app.templates.overlay import Effective, Overlay, apply_overlays, read_overlay
from app.templates.rules import Problem, TemplateRefused

FILE = "template.yaml"


@cache
def template_text() -> str:
    return (LIBRARY / "msp" / "managed-services" / FILE).read_text("utf-8")


@cache
def managed_services() -> Template:
    return read_template(template_text(), FILE)


def changed(old: str, new: str, count: int = 1) -> str:
    text = template_text()
    assert old in text, f"the sample no longer holds {old!r}"
    return text.replace(old, new, count)


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(TemplateRefused) as refused:
        read_template(text, FILE)
    return refused.value.problems


def overlay_text(patch: str, *, digest: str | None = None, version: str = "1.0.0") -> str:
    base = managed_services()
    head = (
        'slipway: "1"\noverlay: test-overlay\nversion: 1.0.0\npartner: test\n'
        f"base: {{id: {base.id}, version: {version}, digest: {digest or base.digest!r}}}\npatch:\n"
    )
    return head + "\n".join(f"  {line}" for line in patch.strip("\n").splitlines()) + "\n"


def overlay(patch: str, after: Sequence[Overlay] = (), **more: str) -> Overlay:
    if after:
        more["digest"] = apply_overlays(managed_services(), after).digest
    return read_overlay(overlay_text(patch, **more), "overlay.yaml")


def merged(patch: str) -> Effective:
    return apply_overlays(managed_services(), [overlay(patch)])


def refusals(patch: str, **more: Any) -> list[Problem]:
    with pytest.raises(TemplateRefused) as refused:
        apply_overlays(managed_services(), [overlay(patch, **more)])
    return refused.value.problems
