"""What every section's reading needs: the document, its texts and the vocabulary that its criteria are checked by."""

from __future__ import annotations

from collections.abc import Mapping

from app.flow.criteria import Criterion, CriterionRefused, Vocabulary
from app.flow.fields import Text
from app.flow.reading.names import declared_names
from app.flow.reading.plain import Document, Path, Texts, path_text

Refused = list[tuple[Path, CriterionRefused]]


class Reader:
    """One document being read. Given a list as `refused`, a criterion that does not type-check is noted there."""

    def __init__(self, document: Document, refused: Refused | None) -> None:
        self.document, self.refused = document, refused
        self.texts = Texts(document)
        self.vocabulary = Vocabulary(declared_names(document))
        self.sides = {role["id"]: role["side"] for role in document["roles"]}

    def say(self, value: Mapping[str, str]) -> Text:
        """A localised text with its placeholders filled."""
        return self.texts.say(value)

    def condition(self, source: str | None, path: Path) -> Criterion | None:
        """A compiled condition, or None where none is written. Raises CriterionRefused."""
        return None if source is None else self.compiled(source, path)

    def compiled(self, source: str, path: Path, *, mapping: bool = False) -> Criterion:
        """A compiled condition, or an expression for a connector's input. Raises CriterionRefused."""
        place = path_text(self.document, path)
        try:
            return self.vocabulary.mapping(source, place) if mapping else self.vocabulary.condition(source, place)
        except CriterionRefused as trouble:
            if self.refused is None:
                raise
            self.refused.append((path, trouble))
            return self.vocabulary.condition("true", place)

    def criteria(self, written: str | Document | None, path: Path) -> tuple[Criterion | None, Criterion | None]:
        """What is written as one criterion, or as one for the business and one for compliance (REQUIREMENTS 1.2)."""
        if written is None or isinstance(written, str):
            return self.condition(written, path), None
        business = self.condition(written.get("business"), (*path, "business"))
        return business, self.condition(written.get("compliance"), (*path, "compliance"))
