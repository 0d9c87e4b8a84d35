"""Says in the OpenAPI document what a JSON door takes and answers: shapes, headers, problems, examples, links.

The shapes are msgspec's own account of what it will accept, so that the document and the door cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Operation

from app.kernel.errors import SlipwayError
from app.web.begin import front_of
from app.web.guard.limits import TooManyRequests
from app.web.wire.problem import Problem
from app.web.wire.reading import JSON, KEY

Json = dict[str, Any]
PROBLEM = "application/problem+json"
FILE = "application/octet-stream"
_FILE: Json = {"schema": {"type": "string", "format": "binary"}, "example": "bundle.json…"}
_REF = "#/components/schemas/{name}"
_TRACE = "3f1c0a5e9b7d4c2e8a6f1b3d5c7e9a0b"


@dataclass(frozen=True, slots=True)
class Told:
    """One answer of a door: what it means, its body, its headers, an example, and where it leads."""

    means: str
    body: type | None = None
    headers: tuple[str, ...] = ()
    example: Any = None
    binary: bool = False  # a file
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # name: operation, where its id stands
    linked_by: str = "tenant_id"  # the parameter that takes the id


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """All there is to say of a door. `problems` beyond those that every door of people has."""

    answers: Mapping[int, Told]
    takes: type | None = None
    binary: str = ""  # what the body is, where it is no JSON but a file
    media: tuple[str, ...] = (JSON,)
    example: Any = None
    query: type | None = None
    headers: tuple[str, ...] = ()
    problems: Sequence[type[SlipwayError]] = ()
    public: bool = False
    scopes: tuple[str, ...] = ()  # the permissions that software needs; without any the door is for people alone

    @property
    def bodies(self) -> list[type]:
        """The shapes of its answers."""
        return [told.body for told in self.answers.values() if told.body]


_STORIES: dict[str, Described] = {}
_SESSION = {
    "type": "apiKey",
    "in": "cookie",
    "description": (
        "The session of a signed-in person; the last six digits of the cookie's name are those of the installation. A"
        " request that changes something also says where it comes from: `Origin`, this very host."
    ),
}
_OAUTH: dict[str, Any] = {
    "type": "oauth2",
    "description": (
        "Software: an access token of a service account, `Authorization: Bearer`, for these scopes. A request with a"
        " token needs no `Origin`, and its cookies count for nothing."
    ),
}
COOKIE = "__Host-sid-000000"  # where no installation is asked

_ASKED: dict[str, Json] = {
    "Idempotency-Key": {
        "description": "One for each thing that is to happen once, kept for 72 hours: sent again, the same answer.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{KEY}$", "minLength": 1, "maxLength": 200},
        "example": "order-4711",
    },
    "If-Match": {
        "description": "The ETag of what the change was made from.",
        "required": True,
        "schema": {"type": "string", "pattern": r'^("[!#-~]*"|\*)$'},
        "example": '"0123456789abcdef0123456789abcdef"',
    },
    "Range": {
        "description": "Only these bytes, `bytes=first-last`; another form is ignored.",
        "required": False,
        "schema": {"type": "string"},
        "example": "bytes=0-1048575",
    },
    "If-Range": {
        "description": "The ETag that the range was begun with: the whole file when it is another one by now.",
        "required": False,
        "schema": {"type": "string"},
        "example": '"0123456789abcdef0123456789abcdef"',
    },
    "If-None-Match": {
        "description": "The ETag of what you have: 304 while nothing has changed.",
        "required": False,
        "schema": {"type": "string"},
        "example": '"0123456789abcdef0123456789abcdef"',
    },
}
_ANSWERED: dict[str, Json] = {
    "ETag": {"description": "The version of this representation.", "required": True, "schema": {"type": "string"}},
    "Location": {"description": "Where it is read.", "required": True, "schema": {"type": "string"}},
    "Content-Range": {
        "description": "Which bytes of how many.",
        "required": True,
        "schema": {"type": "string", "pattern": "^bytes "},
    },
    "Link": {"description": 'The next page, `rel="next"`, if there is one.', "schema": {"type": "string"}},
    "Idempotency-Replayed": {
        "description": "The key was used before: this is the answer of then.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    # draft-ietf-httpapi-ratelimit-headers: a draft, and said to be one
    "RateLimit": {
        "description": "How many requests are left (`r`), and in how many seconds there are more (`t`). An IETF draft.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "How many requests (`q`) in how many seconds (`w`). An IETF draft.",
        "schema": {"type": "string"},
    },
}
_COUNTED = ("RateLimit", "RateLimit-Policy")


def described(story: Described) -> type[Operation]:
    """The class Litestar makes its account of a handler with; ours remembers what there is to say of it."""

    @dataclass
    class Account(Operation):
        """A handler's operation in the document."""

        def __post_init__(self) -> None:
            """Its stable name is known from here on."""
            _STORIES[str(self.operation_id)] = story

    return Account


class DocumentPlugin(JsonRenderPlugin):
    """The document with our shapes in it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        """The document as JSON."""
        cookie = front_of(request).cookie_name("sid")
        return super().render(request, complete(openapi_schema, cookie=cookie))


def complete(document: Json, *, cookie: str = COOKIE) -> Json:
    """The document with all that the doors' stories say, and the shapes they refer to.

    `cookie` is what this installation calls the session's.
    """
    told = {story for item in document["paths"].values() for story in _tell(item)}
    shapes = {Problem} | {shape for story in told for shape in (story.takes, *story.bodies) if shape}
    by_name = sorted(shapes, key=lambda one: one.__name__)
    _refs, schemas = msgspec.json.schema_components(by_name, ref_template=_REF)
    components = dict(document.get("components", {}))
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **schemas}.items()))
    components["securitySchemes"] = {"session": _SESSION | {"name": cookie}, "oauth": _oauth(document)}
    return {**document, "components": components}


def _oauth(document: Json) -> Json:
    """How software signs in, and what each scope opens."""
    opened: dict[str, list[str]] = {}
    for item in document["paths"].values():
        for operation in item.values():
            story = _STORIES.get(operation["operationId"])
            for scope in story.scopes if story else ():
                opened.setdefault(scope, []).append(operation["operationId"])
    scopes = {scope: ", ".join(sorted(names)) for scope, names in sorted(opened.items())}
    return _OAUTH | {"flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}}}


def _tell(item: Json) -> Iterator[Described]:
    """Put the story of each operation of a path in the place of what Litestar could guess."""
    for operation in item.values():
        story = _STORIES.get(operation["operationId"])
        if story is None:
            continue
        kept = [each for each in operation.get("parameters", ()) if each["in"] == "path"]
        operation["parameters"] = [*kept, *_query(story.query), *_asked(story.headers)]
        operation["responses"] = _answers(story)
        operation.pop("requestBody", None)
        if (body := _body(story)) is not None:
            operation["requestBody"] = body
        if not story.public:
            operation["security"] = [{"session": []}, *([{"oauth": list(story.scopes)}] if story.scopes else [])]
        yield story


def _query(shape: type | None) -> list[Json]:
    if shape is None:
        return []
    _refs, shapes = msgspec.json.schema_components([shape], ref_template=_REF)
    needed = shapes[shape.__name__].get("required", ())
    parameters = []
    for name, schema in shapes[shape.__name__]["properties"].items():
        rest = {key: value for key, value in schema.items() if key not in {"description", "examples"}}
        said = {"name": name, "in": "query", "required": name in needed, "description": schema.get("description", "")}
        example = {"example": schema["examples"][0]} if schema.get("examples") else {}
        parameters.append(said | example | {"schema": rest})
    return parameters


def _asked(names: Sequence[str]) -> list[Json]:
    return [{"name": name, "in": "header"} | _ASKED[name] for name in names]


def _body(story: Described) -> Json | None:
    if story.binary:
        return {"required": True, "description": story.binary, "content": {FILE: _FILE}}
    if story.takes is None:
        return None
    one: Json = {"schema": {"$ref": _REF.format(name=story.takes.__name__)}}
    if story.example is not None:
        one["example"] = story.example
    return {"required": True, "content": dict.fromkeys(story.media, one)}


def _answers(story: Described) -> Json:
    answers: Json = {str(status): _answer(told) for status, told in story.answers.items()}
    by_status: dict[int, list[type[SlipwayError]]] = {}
    for kind in story.problems:
        by_status.setdefault(kind.status, []).append(kind)
    by_status.setdefault(TooManyRequests.status, []).append(TooManyRequests)
    for status, kinds in sorted(by_status.items()):
        answers.setdefault(str(status), _problems(status, kinds))
    for answer in answers.values():
        answer["headers"] = answer.get("headers", {}) | {name: _ANSWERED[name] for name in _COUNTED}
    return answers


def _answer(told: Told) -> Json:
    answer: Json = {"description": told.means}
    if told.headers:
        answer["headers"] = {name: _ANSWERED[name] for name in told.headers}
    if told.binary:
        answer["content"] = {FILE: _FILE}
    elif told.body is not None:
        content: Json = {"schema": {"$ref": _REF.format(name=told.body.__name__)}}
        answer["content"] = {
            PROBLEM if told.body is Problem else JSON: content
            | ({} if told.example is None else {"example": told.example})
        }
    if told.links:
        answer["links"] = {
            name: {"operationId": operation, "parameters": {told.linked_by: where}}
            for name, (operation, where) in told.links.items()
        }
    return answer


def _problems(status: int, kinds: Sequence[type[SlipwayError]]) -> Json:
    """The answer for all troubles of one status, each with its stable name and what it means."""
    said = {kind.slug: (kind.__doc__ or "").split("\n")[0] for kind in kinds}
    content = {
        "schema": {"$ref": _REF.format(name="Problem")},
        "examples": {slug: {"summary": means, "value": _example(status, slug, means)} for slug, means in said.items()},
    }
    answer: Json = {
        "description": "\n".join(f"- `{slug}`: {means}" for slug, means in said.items()),
        "content": {PROBLEM: content},
    }
    if any(hasattr(kind, "retry_after") for kind in kinds):
        always = all(hasattr(kind, "retry_after") for kind in kinds)
        answer["headers"] = {"Retry-After": _ANSWERED["Retry-After"] | ({"required": True} if always else {})}
    return answer


def _example(status: int, slug: str, means: str) -> Json:
    kind = f"https://onboarding.example.com/problems/{slug}"
    title = HTTPStatus(status).phrase
    return {"type": kind, "title": title, "status": status, "detail": means, "trace_id": _TRACE}
