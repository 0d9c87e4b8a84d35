"""Partners' overlays on a template: trees like the template's, merged by id, one upon the other. Pure.

Elements of keyed lists change the one with their `id`; `$add` puts in a new one, `$remove` takes one out, `$after: id`,
`$before: id`, `$first` and `$last` move it. `null` takes a value out; every other list is replaced as a whole. Each
overlay names the address of what it was written for: the template, or the template with the overlays before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.flow.definition import Definition
from app.flow.reading import read_definition
from app.kernel.errors import Missing
from app.templates.document import Position, Source
from app.templates.language import Template, address, check_template
from app.templates.overlays.checked import Checked
from app.templates.overlays.origins import Lock, Origin, locks_in, nearest, origin_in_template
from app.templates.overlays.patching import Patching
from app.templates.overlays.reading import Overlay, read_overlay
from app.templates.overlays.tree import copied, look, path_at, words_at, words_of
from app.templates.overlays.versions import check_written_for
from app.templates.rules import Path, Problem, TemplateRefused

__all__ = ["Effective", "Explanation", "NothingThere", "Overlay", "apply_overlays", "explain", "read_overlay"]


class NothingThere(Missing):
    """Neither the template nor an overlay says anything at this path."""


@dataclass(frozen=True, slots=True)
class Effective:
    """A template with its overlays applied.

    `origin` names, by dotted path, who wrote each changed value (a move under `$position`); a path that is not there,
    nor any path above it, is the template's own. `locks` is what holds for the next overlay.
    """

    document: Mapping[str, Any]
    digest: str
    template: Template
    overlays: tuple[Overlay, ...]
    origin: Mapping[str, Origin]
    locks: tuple[Lock, ...]

    def origin_of(self, path: str) -> Origin:
        """Who set a value, and where."""
        words = words_of(path)
        return nearest(self.origin, words) or origin_in_template(self.template, words)

    def compile(self) -> Definition:
        """Ready to run."""
        return read_definition(self.document, self.digest)


def apply_overlays(
    template: Template, overlays: Sequence[Overlay] = (), *, checked: Checked | None = None
) -> Effective:
    """The effective document: template, then each overlay in turn, checked as a whole. Raises TemplateRefused.

    What `checked` holds by its address is not checked again, and what passes is noted there, as are addresses: of the
    time that an instantiation took, three quarters were spent on finding nothing once more and on hashing the same.
    """
    known = Checked() if checked is None else checked
    work = _begun(template)
    digest = template.digest
    for number, overlay in enumerate(overlays):
        work.problems += check_written_for(overlay, template, overlays[:number], digest)
        if not work.problems:
            work.apply(overlay)
        if work.problems:  # what comes after was written for what this one leads to
            raise TemplateRefused(work.problems)
        digest = known.leads(digest, overlay.digest, partial(address, work.document))
    if not known.holds(digest):
        problems = check_template(_Located(template.source.file, work.document, {}, {}, template, work.origin))
        if problems:
            raise TemplateRefused(problems)
        known.add(digest)
    return Effective(work.document, digest, template, tuple(overlays), work.origin, tuple(work.locks))


@dataclass(frozen=True, slots=True)
class Setting:
    """What somebody set a path to; None: it was taken out."""

    origin: Origin
    value: Any


@dataclass(frozen=True, slots=True)
class Explanation:
    """A path's value, and every value that it had on the way, the template's first."""

    path: str
    settings: tuple[Setting, ...]

    @property
    def value(self) -> Any:
        """What it is now; None: it was taken out."""
        return self.settings[-1].value

    @property
    def origin(self) -> Origin:
        """Who set it to that."""
        return self.settings[-1].origin


def explain(effective: Effective, path: str) -> Explanation:
    """Who set the value at a path, and what it was before. Raises NothingThere."""
    settings = tuple(_settings(effective, path))
    if not settings:
        raise NothingThere(f"Neither {effective.template.id} nor an overlay says anything at “{path}”.")
    return Explanation(path, settings)


def _settings(effective: Effective, path: str) -> Iterator[Setting]:
    words = words_of(path)
    work = _begun(effective.template)
    value = look(work.document, words)
    if value is not None:
        yield Setting(origin_in_template(effective.template, words), copied(value))
    for overlay in effective.overlays:
        work.origin = {}
        work.apply(overlay)
        value = look(work.document, words)
        below = (each for place, each in work.origin.items() if place.startswith(f"{path}.") and "$" not in place)
        origin = nearest(work.origin, words) or next(below, None)
        if origin is not None:
            yield Setting(origin, copied(value))


def _begun(template: Template) -> Patching:
    return Patching(copied(dict(template.document)), locks_in(template.document, "the template"))


@dataclass(frozen=True, slots=True)
class _Located(Source):
    """An effective document whose places are looked up in the file each value came from."""

    template: Template | None = None
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def place(self, path: Path) -> Position:
        """Where a path stands, in whichever file."""
        told = self.problem(path, "")
        return told.line, told.column

    def problem(self, path: Path, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem in the overlay that wrote the value, or in the template at the same place by id."""
        words = words_at(self.document, path)
        found = nearest(self.origins, words)
        if found:
            return Problem(found.file, found.line, found.column, f"{'.'.join(words)}: {message}", fix)
        source = self.template.source if self.template else Source(self.file, self.document, {}, {})
        return source.problem(path_at(source.document, words), message, fix, key=key)
