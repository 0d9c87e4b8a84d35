"""Whether an overlay was written for exactly the document that it is laid upon."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.templates.language import Template
from app.templates.overlays.reading import Overlay
from app.templates.rules import Problem


def check_written_for(overlay: Overlay, template: Template, before: Sequence[Overlay], digest: str) -> list[Problem]:
    """What is wrong between an overlay and a template with the overlays `before` it, whose address is `digest`."""
    base = overlay.document["base"]
    if base["id"] != template.id:
        message = f"This overlay is for {base['id']}, not for {template.id}."
        return [overlay.source.problem(("base", "id"), message, "Choose the template that it is for.")]
    if base["version"] != template.version:
        return [_other_version(overlay, template)]
    if base["digest"] == digest:
        return []
    names = ", ".join(f"“{each.id}”" for each in before)
    place = ("base", "digest")
    if before and base["digest"] == template.digest:
        message = f"This overlay was written for the template alone; here {names} comes before it."
        return [overlay.source.problem(place, message, f"Upgrade the overlay to the template with {names}: {digest}.")]
    message = f"This overlay was written for other content of {template.id} {template.version}."
    whose = f"The template with {names} has the address" if before else "The template's address is"
    return [overlay.source.problem(place, message, f"{whose} {digest}.")]


def _other_version(overlay: Overlay, template: Template) -> Problem:
    meant, given = overlay.document["base"]["version"], template.version
    message = f"This overlay is for {template.id} {meant}, and this is {given}"
    if precedence(given) < precedence(meant):
        fix = f"Take {meant} of the template, or merge the overlay back to {given}."
        return overlay.source.problem(("base", "version"), f"{message}: that would be a downgrade.", fix)
    return overlay.source.problem(("base", "version"), f"{message}.", f"Upgrade the overlay to {given} first.")


def precedence(version: str) -> tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]:
    """What semantic versions are ordered by: a version comes after its own pre-releases, and 2 comes before 10."""
    numbers, _, early = version.partition("-")
    parts = tuple((not part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"\.", early))
    return tuple(int(part) for part in numbers.split(".")), not early, parts if early else ()
