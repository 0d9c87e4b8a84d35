"""The template language, read end to end: YAML, schema, lint, canonical form, content address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import rfc8785

from app.flow.definition import Definition
from app.flow.reading import read_definition
from app.templates.components import FindComponent, expand, has_includes, no_components
from app.templates.document import Source, read_yaml
from app.templates.linting import lint_document
from app.templates.rules import Problem, TemplateRefused
from app.templates.schema import check_schema


@dataclass(frozen=True, slots=True)
class Template:
    """A template that passed every check: its plain document, content address and source."""

    document: Mapping[str, Any]
    digest: str
    source: Source

    @property
    def id(self) -> str:
        """The template's own name."""
        return str(self.document["id"])

    @property
    def version(self) -> str:
        """Its semantic version."""
        return str(self.document["version"])

    def compile(self) -> Definition:
        """Ready to run."""
        return read_definition(self.document, self.digest)


def read_template(text: str, file: str, find: FindComponent = no_components) -> Template:
    """Read a template, put in the components it includes, and check it. Raises TemplateRefused with every problem."""
    source = read_yaml(text, file)
    if has_includes(source.document):
        problems = check_schema(source, "template")
        if problems:
            raise TemplateRefused(problems)
        source = expand(source, find)
    problems = check_template(source)
    if problems:
        raise TemplateRefused(problems)
    return Template(source.document, address(source.document), source)


def check_template(source: Source) -> list[Problem]:
    """All problems of a parsed template; the lint runs only on what the schema accepts."""
    return check_schema(source, "template") or lint_document(source)


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one byte form of a document (RFC 8785), whatever its order and layout."""
    return rfc8785.dumps(dict(document))


def address(document: Mapping[str, Any]) -> str:
    """The content address: `sha256:` and the hash of the canonical form."""
    return f"sha256:{hashlib.sha256(canonical(document)).hexdigest()}"
