"""What a task of the kind `credential` asks for. The engine knows that a value was given, and never sees one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from app.flow.criteria import Criterion
from app.flow.fields import AnswersRefused, Field, Text, Value

LONGEST_VALUE = 8_000  # a private key with its chain fits
NEEDED = "This is needed."
TYPED = "typed.value"  # the one name that the shape of a value may read


class CredentialField(Struct, frozen=True, kw_only=True):
    """One value of a credential: typed unseen (`secret`), or in the open, like an address or a user name.

    `shape` judges what is typed; lengths count characters.
    """

    id: str
    label: Text
    help: Text = {}
    type: Literal["secret", "text", "url"] = "secret"
    required: bool = True
    shape: Criterion | None = None
    shortest: int = 1
    longest: int = LONGEST_VALUE


class Handover(Struct, frozen=True, kw_only=True):
    """Whose connection is filled, and with what."""

    connector: str
    fields: tuple[CredentialField, ...]


def given_fields(handover: Handover) -> tuple[Field, ...]:
    """What the engine keeps of it: for each value whether it was given."""
    return tuple(
        Field(id=each.id, label=each.label, help=each.help, type="boolean", required=each.required)
        for each in handover.fields
    )


def checked_given(handover: Handover, given: Mapping[str, Value], before: Mapping[str, Value]) -> dict[str, Value]:
    """Which values are there now, with those given before. Raises AnswersRefused; no value is ever in what it says."""
    known = {each.id for each in handover.fields}
    errors = [(f"/values/{name}", "There is no such field.") for name in given if name not in known]
    now = {name for name in known if given.get(name) is True or before.get(name) is True}
    errors += [(f"/values/{each.id}", NEEDED) for each in handover.fields if each.required and each.id not in now]
    if errors:
        raise AnswersRefused(f"{len(errors)} of the values cannot be used: {errors[0][1]}", errors=errors)
    return {each.id: True for each in handover.fields if each.id in now}
