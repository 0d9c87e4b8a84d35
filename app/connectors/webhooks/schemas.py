"""Shapes of webhook endpoints on the wire. What they refuse, the OpenAPI document says."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

_PLAIN = r"^[^\u0000-\u001f\u007f]*$"
_TYPE = r"^([a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?|\*)$"

Address = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=r"^[!-~]+$",
        description="Where events are posted to: https, port 443, on the public internet.",
        examples=["https://partner.example.com/hooks"],
    ),
]
Words = Annotated[str, Meta(max_length=200, pattern=_PLAIN, description="For people.", examples=["Our ticket system"])]
TypeName = Annotated[str, Meta(min_length=1, max_length=100, pattern=_TYPE)]
Types = Annotated[
    list[TypeName],
    Meta(
        min_length=1,
        max_length=100,
        description="Names of the catalogue of events, `onboarding.*` for all that begin so, `*` for every one.",
        examples=[["onboarding.*"]],
    ),
]
Ordered = Annotated[
    bool,
    Meta(description="One onboarding's events one after the other: one that cannot be delivered holds up the next."),
]
Thin = Annotated[bool, Meta(description="Say that something happened, and leave `data` out.")]
Customers = Annotated[
    bool,
    Meta(description="Of a partner's home: hear also what happens in customers' workspaces that let you read it."),
]
Overlap = Annotated[int, Meta(ge=0, le=168, description="Hours for which the key before signs as well.")]
Health = Literal["unverified", "healthy", "failing", "strained", "disabled"]


class EndpointCreate(Struct, forbid_unknown_fields=True):
    """An endpoint that is wanted. It hears nothing before its address has proven itself."""

    url: Address
    types: Types
    description: Words = ""
    ordered: Ordered = False
    thin: Thin = False
    customers: Customers = False


class EndpointPatch(Struct, forbid_unknown_fields=True):
    """What is to be another; what is left out stays as it is. Another address has to prove itself anew."""

    url: Address | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    description: Words | UnsetType = UNSET
    ordered: Ordered | UnsetType = UNSET
    thin: Thin | UnsetType = UNSET
    customers: Customers | UnsetType = UNSET


class CodeSaid(Struct, forbid_unknown_fields=True):
    """The code that arrived at the address."""

    code: Annotated[str, Meta(min_length=1, max_length=40, pattern=_PLAIN, examples=["K7QW2MXR"])]


class RotationWanted(Struct, forbid_unknown_fields=True):
    """Another key, and how long the one before signs beside it."""

    overlap_hours: Overlap = 24


class RepetitionWanted(Struct, forbid_unknown_fields=True):
    """What is sent again: everything that failed or was held back, or what of it the other fields leave."""

    since: Annotated[datetime, Meta(tz=True, description="What happened from then on.")] | UnsetType = UNSET
    until: Annotated[datetime, Meta(tz=True, description="What happened before.")] | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    delivered: Annotated[bool, Meta(description="Also what was delivered: for a receiver that lost it.")] = False


class DeliveryQuery(Struct, forbid_unknown_fields=True):
    """Which page of the deliveries."""

    cursor: Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class KeyOut(Struct):
    """A signing key. `hint`: the last characters of the secret; `until`: when it signs no more."""

    number: int
    hint: str
    public_key: str
    made_at: datetime
    until: datetime | None


class TroubleOut(Struct):
    """An endpoint that does not take what it is sent."""

    since: datetime
    failures: int
    said: str
    again_at: Annotated[datetime | None, Meta(description="Until then it is left alone.")]
    disabled_at: Annotated[datetime, Meta(description="When it is disabled if nothing gets better.")]


class EndpointOut(Struct):
    """An endpoint. `url` is null for who may not change it: an address may hold a secret."""

    id: UUID
    url: str | None
    host: str
    description: str
    types: list[str]
    ordered: bool
    thin: bool
    customers: bool
    health: Health
    reason: Annotated[str, Meta(description="Why it is disabled, or how asking for a proof went wrong.")]
    made_at: datetime
    delivered_at: datetime | None
    keys: list[KeyOut]
    trouble: TroubleOut | None


class EndpointList(Struct):
    """Every endpoint of the workspace, the newest first."""

    items: list[EndpointOut]


class EndpointMade(Struct):
    """An endpoint with the secret of its new key: null where the request was answered before."""

    endpoint: EndpointOut
    secret: str | None


class AttemptOut(Struct):
    """One try. `excerpt` is the start of what the receiver answered: a stranger's text."""

    at: datetime
    code: str
    status: int | None
    milliseconds: int
    excerpt: str


class DeliveryOut(Struct):
    """How an event fares with the endpoint. `tries`: since it was last asked for."""

    event_id: UUID
    type: str
    at: datetime
    state: Literal["waiting", "delivered", "failed", "held"]
    customer: Annotated[UUID | None, Meta(description="The workspace where it happened; null: this one.")]
    tries: int
    next_at: datetime | None
    attempts: list[AttemptOut]


class DeliveryPage(Struct):
    """Deliveries, the newest event first; `next` leads to older ones."""

    items: list[DeliveryOut]
    next: str | None


class Repeated(Struct):
    """How many events are sent again."""

    number: int


class Tried(Struct):
    """The event that is on its way to the endpoint."""

    event_id: UUID
