"""Finds every place where somebody could name a URL: in the API's document and in the forms of pages. Not a test."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[4]
DOCUMENT: Final = ROOT / "docs" / "api" / "openapi.json"
_FORMATS: Final = {"uri", "url", "iri", "uri-reference", "iri-reference", "uri-template", "hostname", "ipv4", "ipv6"}
_WORDS: Final = {
    *("url", "urls", "uri", "uris", "address", "addresses", "endpoint", "issuer", "logo", "icon", "image", "redirect"),
    *("link", "links", "host", "hosts", "domain", "domains", "site", "website", "callback", "webhook", "jwks", "href"),
    *(
        "proxy",
        "origin",
        "base",
        "server",
        "feed",
        "location",
        "avatar",
        "picture",
        "fetch",
        "remote",
        "mirror",
        "peer",
    ),
}
_FIELD: Final = re.compile(r"""(?:\bname="|"id":\s*"|\b(?:line|area|field)\(")([a-z][a-z0-9_.-]*)\"""")
_READ: Final = re.compile(r"""\bform\.(?:first|all)\("([a-z][a-z0-9_.-]*)"\)""")
_URL_TYPE: Final = re.compile(r"""(?:type="url"|"type":\s*"url")""")


def looks_like_a_url(name: str, schema: dict[str, Any]) -> bool:
    """Whether somebody would put an address of another system there."""
    return schema.get("format") in _FORMATS or bool(_WORDS & set(re.split(r"[^a-z0-9]+", name.lower())))


def of_the_api(document: dict[str, Any]) -> Iterator[str]:
    """`METHOD /path name` of every parameter, and with a pointer of every field of a body, that looks like a URL."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict):
                continue
            asked = [(each["name"], each.get("schema", {})) for each in operation.get("parameters", [])]
            for name, schema in asked:
                if looks_like_a_url(name.removesuffix("_id") if name.endswith("_id") else name, schema) and not (
                    name.endswith("_id") and schema.get("format") == "uuid"
                ):
                    yield f"{method.upper()} {path} {name}"
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for pointer, name, schema in _properties(document, content.get("schema", {}), "", 0):
                    if looks_like_a_url(name, schema):
                        yield f"{method.upper()} {path} {pointer}"


def _properties(
    document: dict[str, Any], schema: dict[str, Any], at: str, depth: int
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    schema = _followed(document, schema)
    if depth > 9:
        return
    for kind in ("oneOf", "anyOf", "allOf"):
        for part in schema.get(kind, []):
            yield from _properties(document, part, at, depth + 1)
    if isinstance(schema.get("items"), dict):
        yield from _properties(document, schema["items"], f"{at}/*", depth + 1)
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _properties(document, schema["additionalProperties"], f"{at}/*", depth + 1)
    for name, part in schema.get("properties", {}).items():
        yield f"{at}/{name}", name, _followed(document, part)
        yield from _properties(document, part, f"{at}/{name}", depth + 1)


def _followed(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found.get(part.replace("~1", "/").replace("~0", "~"), {})
    return dict(found)


def of_forms(texts: dict[str, str]) -> Iterator[str]:
    """`path name` of every field of a form that looks like a URL, in pages and where Python reads it."""
    for path, text in texts.items():
        found = set((_READ if path.endswith(".py") else _FIELD).findall(text))
        typed = {name for line in text.splitlines() if _URL_TYPE.search(line) for name in _FIELD.findall(line)}
        for name in sorted({name for name in found if looks_like_a_url(name, {})} | typed):
            yield f"{path} {name}"


def document() -> dict[str, Any]:
    """The API's own document, as committed."""
    found: dict[str, Any] = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return found


def texts() -> dict[str, str]:
    """Every page and fragment, and every source that reads a form, by its path."""
    files = [*(ROOT / "frontend").rglob("*.html"), *(ROOT / "app").rglob("*.py")]
    kept = (file for file in files if not {"node_modules", "static"} & set(file.parts))
    return {file.relative_to(ROOT).as_posix(): file.read_text(encoding="utf-8") for file in kept}
