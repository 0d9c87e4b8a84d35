"""Reads what software sends: a body, a query, the headers that a door asks for. What does not fit is named by place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from litestar import Request

from app.kernel.errors import Invalid
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Shape = TypeVar("Shape")

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
KEY = r"[A-Za-z0-9._:~/+=-]{1,200}"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SAID = re.compile(r"^(?P<said>.*?)(?: - at `(?P<at>[^`]*)`)?$", re.DOTALL)
_STEP = re.compile(r"\[(\d+)\]|\.([^.\[]+)|\[\.\.\.\]")
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_TAGS = re.compile(rf"{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*")


class BodyUnreadable(Invalid):
    """The body is not JSON."""

    status = 400


class BodyUnfit(Invalid):
    """The body is JSON, but not what the door takes; `errors` says where."""


class MediaTypeUnknown(Invalid):
    """The body is of a media type that the door does not take."""

    status = 415


class QueryUnfit(Invalid):
    """The query holds a parameter that there is not, twice, or with a value it cannot have."""

    status = 400


class IdempotencyKeyMissing(Invalid):
    """A request that has effects needs a key, so that sent twice it has them once."""

    status = 400


class IdempotencyKeyUnfit(Invalid):
    """The key is empty, longer than 200 characters, or holds something else than letters, digits and `._:~/+=-`."""

    status = 400


class PreconditionMissing(Invalid):
    """A change has to say which version it was made from, by `If-Match`."""

    status = 428


class PreconditionUnfit(Invalid):
    """`If-Match` holds no ETag."""

    status = 400


def _number(written: str) -> int | float:
    """JSON knows no integers: 12.0 is the number 12."""
    number = float(written)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


_EXACT = 2**53  # above, a float no longer names one integer
_DECODER = msgspec.json.Decoder(float_hook=_number)


def require_media(request: PageRequest, *media: str) -> None:
    """Go on only with a body in one of these media types. Raises MediaTypeUnknown."""
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if said not in media:
        message = mark("Send the body in a media type that this address takes.")
        raise MediaTypeUnknown(message, errors=[("", ", ".join(media))])


def read_body(
    request: PageRequest, raw: bytes, shape: type[Shape], *, media: tuple[str, ...] = (JSON,), lines: str = ""
) -> Shape:
    """The body as this shape; the member `lines` may hold several lines of text.

    Raises MediaTypeUnknown, BodyUnreadable, BodyUnfit.
    """
    require_media(request, *media)
    try:
        plain = _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BodyUnreadable(mark("The body is not JSON."), errors=[("", str(error))]) from error
    unfit = mark("The body is not what this address takes.")
    whole = _in_one_line(plain, lines) if lines and isinstance(plain, dict) else plain
    if (place := _control_place(whole)) is not None:
        raise BodyUnfit(unfit, errors=[(place, _NO_CONTROL)])
    try:
        return msgspec.convert(plain, shape)
    except msgspec.ValidationError as error:
        raise BodyUnfit(unfit, errors=[_place(error)]) from error


def read_query(request: PageRequest, shape: type[Shape]) -> Shape:
    """The query's parameters as this shape: each known, each once. Raises QueryUnfit."""
    unfit = mark("This address does not take these parameters.")
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    given = dict(pairs)
    twice = [name for name in given if sum(name == other for other, _value in pairs) > 1]
    if twice:
        raise QueryUnfit(unfit, errors=[(f"/{name}", _TWICE) for name in twice])
    if (place := _control_place(given)) is not None:
        raise QueryUnfit(unfit, errors=[(place, _NO_CONTROL)])
    try:
        return msgspec.convert(given, shape, strict=False)
    except msgspec.ValidationError as error:
        raise QueryUnfit(unfit, errors=[_place(error)]) from error


def read_key(request: PageRequest) -> str:
    """The `Idempotency-Key`, with or without quotes. Raises IdempotencyKeyMissing, IdempotencyKeyUnfit."""
    said = request.headers.get("idempotency-key")
    if said is None:
        raise IdempotencyKeyMissing(mark("Send an Idempotency-Key: one for each thing that is to happen once."))
    quoted = len(said) > 1 and said[0] == said[-1] == '"'
    key = said[1:-1] if quoted else said
    if not re.fullmatch(KEY, key):
        raise IdempotencyKeyUnfit(mark("An Idempotency-Key has 1 to 200 letters, digits and ._:~/+=-"))
    return key


def read_match(request: PageRequest) -> frozenset[str]:
    """The ETags of `If-Match`; `*` stands for any. Raises PreconditionMissing, PreconditionUnfit."""
    said = request.headers.get("if-match", "").strip()
    if not said:
        raise PreconditionMissing(
            mark("Send If-Match with the ETag of what you read, so that nobody's change is lost.")
        )
    if said == "*":
        return frozenset({"*"})
    if not _TAGS.fullmatch(said):
        raise PreconditionUnfit(mark("Write the ETag into If-Match as you got it, in its quotes."))
    return frozenset(_TAG.findall(said))


def is_known(request: PageRequest, etag: str) -> bool:
    """Whether the sender has this version already (`If-None-Match`, compared weakly)."""
    said = request.headers.get("if-none-match", "").strip()
    return said == "*" or etag in {tag.removeprefix("W/") for tag in _TAG.findall(said)}


def pointer_of(path: str) -> str:
    """A JSON Pointer from a place as msgspec says it: `$.items[3].name` is `/items/3/name`."""
    steps = (index or name for index, name in _STEP.findall(path.removeprefix("$")))
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps if step)


def _place(error: msgspec.ValidationError) -> tuple[str, str]:
    found = _SAID.match(str(error))
    return (pointer_of(found["at"] or ""), found["said"]) if found else ("", str(error))


def _in_one_line(plain: dict[str, Any], lines: str) -> dict[str, Any]:
    """The same with one member's line breaks away: what is left is looked through for what cannot be kept."""
    text = plain.get(lines)
    return plain | {lines: text.replace("\r\n", "").replace("\n", "")} if isinstance(text, str) else plain


def _control_place(plain: Any, at: str = "") -> str | None:
    """Where a text holds a control character, or a name of a member does; PostgreSQL would refuse the first of them."""
    if isinstance(plain, str):
        return at if _CONTROL.search(plain) else None
    inside: Mapping[Any, Any] | dict[int, Any] = {}
    if isinstance(plain, dict):
        inside = plain
        if any(_CONTROL.search(name) for name in plain):
            return at
    elif isinstance(plain, list):
        inside = dict(enumerate(plain))
    places = (
        _control_place(each, f"{at}/{str(name).replace('~', '~0').replace('/', '~1')}") for name, each in inside.items()
    )
    return next((place for place in places if place is not None), None)


_NO_CONTROL = mark("Control characters cannot be kept.")
_TWICE = mark("It is there more than once.")
