"""From a manifest's `graphql` to the request that carries it: a document from the connector's folder, and variables.

What GraphQL itself says of a document is not checked here: no parser of it is among what the product stands on. Its
system refuses one that does not parse before anything is done, and the stand-in's checks would show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

ACCEPTED: Final = "application/graphql-response+json, application/json;q=0.9"
_LONGEST: Final = 20_000  # letters of a document
_INTROSPECTION: Final = re.compile(r"\b__(schema|type)\b")


class GraphQL(msgspec.Struct, frozen=True):
    """Which operation of which document is sent where. `cost`: where an answer says what a query costs and leaves."""

    document: str
    operation: str
    path: str = "/graphql"
    variables: dict[str, Any] = {}  # Any: JSON of any shape, with `{name}` in it
    headers: dict[str, str] = {}
    cost: str = ""


def request_of(told: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The request that a manifest's `graphql` stands for. Raises OSError, ValueError where there is no document."""
    text = (folder / told["document"]).read_text(encoding="utf-8")
    body = {"query": text, "operationName": told["operation"], "variables": told.get("variables", {})}
    headers = {"Accept": ACCEPTED, **told.get("headers", {})}
    return {"method": "POST", "path": told.get("path", "/graphql"), "headers": headers, "body": body}


def flaws_of_document(told: GraphQL, text: str, effect: Literal["read", "write", "destructive"]) -> Iterator[str]:
    """What is wrong with a document, as far as its words say it."""
    kind = "query" if effect == "read" else "mutation"
    if len(text) > _LONGEST:
        yield f"its document has more than {_LONGEST} letters"
    if text.lstrip().startswith("{") or not re.search(rf"\b{kind}\s+{told.operation}\b", text):
        yield f"its document has no {kind} called {told.operation}"
    if re.search(r"\bsubscription\s+\w", text):
        yield "a subscription has no one answer"
    if _INTROSPECTION.search(text):
        yield "its document asks for the schema: introspection is never sent"
