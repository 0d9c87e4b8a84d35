"""URL-encoded forms into schemas: every wrong field gets its sentence, and what was typed is never lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.web.translations import mark

if TYPE_CHECKING:  # a worker reads this module for its schemas, and no web framework
    from litestar import Request

Schema = TypeVar("Schema", bound=Struct)
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 500  # fifty groups with each of their roles, and some
CODE_FIELD = "step_up_code"  # any form may bring the proof that its door asks for
_OWN = frozenset({"command_key", "csrf_token", CODE_FIELD})


class WrongContentType(Invalid):
    """A form door was sent something that is not a URL-encoded form."""

    status = 415


class FormUnreadable(Invalid):
    """The form's bytes are not UTF-8, or hold more fields than any page of ours has."""

    status = 400


class CommandKeyMissing(Invalid):
    """A form that changes something came without the key that makes it count once."""


@dataclass(frozen=True, slots=True)
class Filled(Generic[Schema]):
    """A form as it came in: the value when every field is right, else what is wrong and what was typed."""

    value: Schema | None
    typed: dict[str, Any]
    errors: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of one posted form, in the order of the page; a name may come several times."""

    pairs: tuple[tuple[str, str], ...]

    @property
    def command_key(self) -> str:
        """The key that makes this form count once. Raises CommandKeyMissing."""
        key = self.first("command_key")
        try:
            return str(UUID(key))
        except ValueError:
            raise CommandKeyMissing(mark("This form is incomplete.")) from None

    def first(self, name: str, otherwise: str = "") -> str:
        """The first value of a field."""
        return next((value for key, value in self.pairs if key == name), otherwise)

    def every(self, name: str) -> list[str]:
        """All values of a field: the ticked boxes of a group."""
        return [value for key, value in self.pairs if key == name]

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, by field: one value, or a list where a name came several times. Without our own fields."""
        names = dict.fromkeys(name for name, _ in self.pairs if name not in _OWN)
        return {name: values[0] if len(values := self.every(name)) == 1 else values for name in names}

    def fill(self, schema: type[Schema]) -> Filled[Schema]:
        """Read the form into a schema, field by field, so that every mistake is told at once."""
        typed, errors, values = self.typed, [], {}
        for one in fields(schema):
            try:
                values[one.name] = _read(one, self.every(one.encode_name))
            except msgspec.ValidationError as error:
                errors.append((one.encode_name, _sentence(str(error), one)))
            except _Empty:
                errors.append((one.encode_name, mark("Fill in this field.")))
        return Filled(None if errors else schema(**values), typed, errors)


class _Empty(Exception):
    """A field that must be filled is not."""


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The posted form of a request. Raises WrongContentType, FormUnreadable."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise WrongContentType(mark("This door takes forms only. Open the page and send its form."))
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise FormUnreadable(mark("The form could not be read.")) from None
    if any("\x00" in name or "\x00" in value for name, value in pairs):
        raise FormUnreadable(mark("The form could not be read."))
    return Form(tuple((name, value.replace("\r\n", "\n")) for name, value in pairs))


def new_command_key() -> str:
    """The key that a freshly drawn form carries."""
    return str(new_id())


def _read(one: FieldInfo, given: list[str]) -> object:
    """One field's value; an empty text counts as not given, a tick box that is not sent as no."""
    if _is_list(one.type):
        return msgspec.convert([value for value in given if value], one.type, strict=False)
    value = given[0].strip() if given else ""
    if value:
        return msgspec.convert(value, one.type, strict=False)
    if one.default is not NODEFAULT:
        return one.default
    if one.default_factory is not NODEFAULT:
        return one.default_factory()
    if one.type is bool:
        return False
    raise _Empty


def _is_list(kind: object) -> bool:
    inner = get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
    return get_origin(inner) is list


# What msgspec says, by how its sentence begins or what it holds, and what people read instead.
_SENTENCES: Mapping[str, str] = {
    "of length <=": mark("This is too long."),
    "of length >=": mark("This is too short."),
    "matching regex": mark("This does not have the form that is asked for."),
    "Expected `int`": mark("Write a whole number."),
    "Expected `float`": mark("Write a number."),
    ">=": mark("This number is too small."),
    "<=": mark("This number is too large."),
    "date": mark("Write a date as year-month-day, for example 2026-03-12."),
    "Invalid enum value": mark("Choose one of the offers."),
    "Expected `bool`": mark("Tick the box or leave it."),
}


def _sentence(said: str, one: FieldInfo) -> str:
    own = _own_sentence(one)
    return own or next((better for part, better in _SENTENCES.items() if part in said), mark("This cannot be used."))


def _own_sentence(one: FieldInfo) -> str | None:
    """The sentence a schema gives its field: `Annotated[str, Meta(extra={"sentence": mark("…")})]`."""
    for meta in getattr(one.type, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.extra and "sentence" in meta.extra:
            return cast("str", meta.extra["sentence"])
    return None
