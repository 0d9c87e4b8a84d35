"""A template with the overlays that stand upon it, the lowest first: found from its top downward. Reads by two asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.kernel.errors import Missing
from app.templates.document import Source
from app.templates.language import Template
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.checked import Checked

DEEPEST = 8  # overlays upon each other: a partner tree is not deeper
CHECKED = Checked()  # what this process has put together before
Document = Mapping[str, Any]


class ChainBroken(Missing):
    """What an overlay stands on is not published here."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where published documents are: by their address; what an overlay stands on; what makes a document.

    An overlay that changes nothing makes what it stands on, so what is beneath one is written down, not looked for.
    """

    find: Callable[[str], Document | None]
    beneath: Callable[[str], str | None]
    leading_to: Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Chain:
    """A template and its overlays, each written for what those before it make."""

    template: Template
    overlays: tuple[Overlay, ...] = ()

    def effective(self) -> Effective:
        """What they make together. Raises TemplateRefused."""
        return apply_overlays(self.template, self.overlays, checked=CHECKED)

    @property
    def versions(self) -> list[Template | Overlay]:
        """The template, and every overlay upon it."""
        return [self.template, *self.overlays]

    @property
    def overlay_digest(self) -> str | None:
        """The address of the uppermost overlay; None where the template stands alone."""
        return self.overlays[-1].digest if self.overlays else None


def find_chain(shelves: Shelves, top: str) -> Chain:
    """The chain whose uppermost version has this address. Raises ChainBroken."""
    overlays: list[Overlay] = []
    address: str | None = top
    while address is not None and len(overlays) <= DEEPEST:
        document = shelves.find(address)
        if document is None:
            break
        if "overlay" not in document:
            return Chain(Template(document, address, _published(document)), tuple(reversed(overlays)))
        overlays.append(Overlay(document, address, _published(document)))
        address = shelves.beneath(address) or overlays[-1].written_for
    raise ChainBroken(_sentence(top, overlays))


def find_beneath(shelves: Shelves, result: str) -> Chain:
    """The chain that makes the document of this address: what an overlay was written for. Raises ChainBroken."""
    top = result if shelves.find(result) is not None else shelves.leading_to(result)
    if top is None:
        raise ChainBroken(f"Nothing published here makes the document {result}.")
    return find_chain(shelves, top)


def uppermost(candidates: Sequence[tuple[str, str | None]]) -> str | None:
    """Of overlays that make the same document, each with what it stands on, the last that no other stands on."""
    trodden = {below for _, below in candidates}
    return next((address for address, _ in candidates if address not in trodden), None)


def _sentence(top: str, overlays: list[Overlay]) -> str:
    if not overlays:
        return f"No published template has the address {top}."
    lowest = overlays[-1]
    return f"“{lowest.id}” stands on a document that is not published here: {lowest.written_for}."


def _published(document: Document) -> Source:
    return Source(file="published", document=document, places={}, key_places={})
