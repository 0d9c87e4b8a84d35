"""Reads a whole document."""

from __future__ import annotations

from app.flow.definition import Definition, Item
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
    fields = {f"inputs.{field.id}": field for field in inputs}
    fields |= {f"packet.{each.field.id}": each.field for each in handoff}
    for item in tree.items.values():
        fields |= _fields_of(item)
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
        fields=fields,
        texts=reader.texts.named,
        lifecycle=document.get("lifecycle", "onboarding"),
        then=sections.successors(),
        repeats={repeat.key: repeat for repeat in repeats},
    )


def _fields_of(item: Item) -> dict[str, Field]:
    """A task's typed fields by the names that criteria use."""
    named = {f"answers.{item.id}.{field.id}": field for field in item.fields}
    return named | {f"results.{item.id}.{field.id}": field for field in (item.action.outputs if item.action else ())}
