"""Reads a whole document."""

from __future__ import annotations

from collections.abc import Iterable

from app.flow.definition import Definition, HandoffField, Item
from app.flow.fields import Field
from app.flow.parts.unfolding import fold
from app.flow.reading.items import Tree
from app.flow.reading.plain import Document, read_fields
from app.flow.reading.reader import Reader, Refused
from app.flow.reading.sections import Sections


def read_definition(document: Document, digest: str, *, refused: Refused | None = None) -> Definition:
    """Compile a document. Raises CriterionRefused at the first criterion that does not type-check.

    Given a list as `refused`, it adds (path, refusal) there instead and reads on.
    """
    reader = Reader(document, refused)
    tree, sections = Tree(reader), Sections(reader)
    tree.read()
    inputs, handoff = read_fields(document.get("inputs", ()), reader.say), sections.handoff()
    items, repeats = fold(tree.items, tree.repeats)
    return Definition(
        id=document["id"],
        version=document["version"],
        digest=digest,
        title=reader.say(document["title"]),
        locales=tuple(document["locales"]),
        roles=sections.roles(),
        inputs=inputs,
        handoff=handoff,
        items=items,
        timers=sections.timers(),
        exceptions=sections.exceptions(),
        controls=sections.controls(),
        communications=sections.communications(),
        first_value=sections.first_value(),
        clocks=sections.clocks(),
        fields=_named(inputs, handoff, tree.items.values()),
        texts=reader.texts.named,
        lifecycle=document.get("lifecycle", "onboarding"),
        then=sections.successors(),
        repeats={repeat.key: repeat for repeat in repeats},
    )


def _named(inputs: Iterable[Field], handoff: Iterable[HandoffField], items: Iterable[Item]) -> dict[str, Field]:
    """Every typed field by the name that criteria use."""
    named = {f"inputs.{field.id}": field for field in inputs}
    named |= {f"packet.{each.field.id}": each.field for each in handoff}
    for item in items:
        named |= {f"answers.{item.id}.{field.id}": field for field in item.fields}
        named |= {f"results.{item.id}.{field.id}": field for field in (item.action.outputs if item.action else ())}
    return named
