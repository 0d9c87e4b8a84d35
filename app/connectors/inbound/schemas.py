"""Shapes of hooks, and of what came in, on the wire. No secret, no signature, no body is among them but what is set."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.connectors.inbound.rules import LONGEST_OVERLAP, OVERLAP, State

Overlap = Annotated[int, Meta(ge=0, le=LONGEST_OVERLAP, description="Hours for which the one before goes on.")]


class AddressWanted(Struct, forbid_unknown_fields=True):
    """Another address, and how long the one before answers beside it."""

    overlap_hours: Overlap = OVERLAP


class SecretWanted(Struct, forbid_unknown_fields=True):
    """What the system signs with, as it shows it; and how long the one before counts beside it."""

    value: Annotated[str, Meta(min_length=1, max_length=8_000, extra_json_schema={"writeOnly": True})]
    overlap_hours: Overlap = OVERLAP


class ArrivalQuery(Struct, forbid_unknown_fields=True):
    """Which page of what came in, or of the quarantine."""

    held: Literal["true", "false"] = "false"
    cursor: Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class AddressOut(Struct):
    """An address that answers. `hint`: how its token begins; `until`: when it answers no more."""

    hint: str
    made_at: datetime
    until: datetime | None


class HookKeyOut(Struct):
    """A secret that counts; never what it is."""

    number: int
    set_at: datetime
    until: datetime | None


class HookOut(Struct):
    """How messages reach a connection; it has the connection's id."""

    id: UUID
    connector: str
    name: str
    state: Annotated[str, Meta(description="Of the connection: only an `active` one takes messages.")]
    scheme: str
    types: Annotated[list[str], Meta(description="The types of message that are listened for.")]
    addresses: list[AddressOut]
    secrets: list[HookKeyOut]


class HookList(Struct):
    """Every connection that can take messages."""

    items: list[HookOut]


class AddressMade(Struct):
    """A hook with its new address: null where the request was answered before."""

    hook: HookOut
    url: str | None


class MessageOut(Struct):
    """One message, in the sender's words."""

    id: str
    type: str
    object: str


class HeaderOut(Struct):
    """A header that may be shown."""

    name: str
    value: str


class ArrivalOut(Struct):
    """What came in. `reason`: why it is in quarantine; `replayable`: whether it may be worked on again."""

    id: UUID
    at: datetime
    state: State
    held: bool
    reason: str
    said: str
    size: Annotated[int, Meta(description="Bytes of the body.")]
    sha256: str
    headers: list[HeaderOut]
    messages: list[MessageOut]
    asked: Annotated[int, Meta(description="How often somebody had it worked on again.")]
    replayable: bool


class ArrivalPage(Struct):
    """Deliveries, the newest first; `next` leads to older ones."""

    items: list[ArrivalOut]
    next: str | None


class Replayed(Struct):
    """The delivery that is worked on again."""

    delivery_id: UUID
