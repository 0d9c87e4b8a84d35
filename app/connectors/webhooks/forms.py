"""What the forms of the webhook pages send, and what of it names events."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from app.connectors.webhooks.operations.keys import LONGEST_OVERLAP, OVERLAP
from app.connectors.webhooks.rules import hears
from app.web.translations import mark

EVERYTHING: Final = "*"
_PLAIN = r"^[^\u0000-\u001f\u007f]*$"
_Name = Annotated[str, Meta(max_length=120)]


class EndpointForm(Struct, frozen=True):
    """An endpoint as it is to be. `types` are boxes that were ticked, `names` what was typed beside them."""

    url: Annotated[str, Meta(max_length=4096)]
    description: Annotated[str, Meta(max_length=200, pattern=_PLAIN)] = ""
    hears: Literal["everything", "some"] = "some"
    types: Annotated[list[_Name], Meta(max_length=300)] = []
    names: Annotated[str, Meta(max_length=8_000)] = ""
    ordered: bool = False
    thin: bool = False
    customers: bool = False
    seen: Annotated[str, Meta(max_length=64)] = ""  # the version that was read before it was changed

    @property
    def wanted(self) -> dict[str, Any]:
        """How it is to be, in the words of the operations."""
        told = {name: getattr(self, name) for name in ("url", "description", "ordered", "thin", "customers")}
        return told | {"types": self.all_types()}

    def all_types(self) -> list[str]:
        """What it is to hear, each once; what another name covers is not said again."""
        if self.hears == "everything":
            return [EVERYTHING]
        chosen = dict.fromkeys([*self.types, *self.names.replace(",", " ").split()])
        return [name for name in chosen if not any(wide != name and hears(wide, name) for wide in chosen)]


class CodeForm(Struct, frozen=True):
    """The code that an address was sent."""

    code: Annotated[str, Meta(max_length=40)]


class KeyForm(Struct, frozen=True):
    """For how long the key before goes on signing beside the new one."""

    hours: Annotated[
        int,
        Meta(ge=0, le=LONGEST_OVERLAP, extra={"sentence": mark("Write a whole number from 0 to 168.")}),
    ] = OVERLAP
