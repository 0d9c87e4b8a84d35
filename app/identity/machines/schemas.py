"""Shapes of service accounts on the wire and in forms. What they refuse, the OpenAPI document says."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.identity.machines.rules import CREDENTIAL_DAYS, MOST_DAYS
from app.web.translations import mark

_PLAIN = r"^[^\s\u0000-\u001f\u007f]([^\u0000-\u001f\u007f]*[^\s\u0000-\u001f\u007f])?$"
_WORD = r"^[a-z0-9_:!-]+$"

Name = Annotated[
    str, Meta(min_length=1, max_length=80, pattern=_PLAIN, description="What people call it.", examples=["Billing"])
]
Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=_PLAIN, description="Kept in the trail.", examples=["New system"])
]
Word = Annotated[str, Meta(min_length=1, max_length=200, pattern=_WORD)]
Roles = Annotated[
    list[Word], Meta(min_length=1, max_length=10, description="In a workspace exactly one.", examples=[["csm"]])
]
Scopes = Annotated[
    list[Word],
    Meta(
        max_length=100,
        description="The permissions it may use, within what its roles allow.",
        examples=[["tenancy:tenant:read"]],
    ),
]
Days = Annotated[int, Meta(ge=1, le=MOST_DAYS, description="How long it works.", examples=[CREDENTIAL_DAYS])]


class AccountCreate(Struct, forbid_unknown_fields=True):
    """A service account that is wanted. Nobody gives it a role or a scope that they do not hold."""

    name: Name
    roles: Roles
    scopes: Scopes
    reason: Reason


class AccountPatch(Struct, forbid_unknown_fields=True):
    """What is to be another, and why; what is left out stays as it is."""

    reason: Reason
    name: Name | UnsetType = UNSET
    roles: Roles | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    state: Annotated[Literal["active", "disabled"] | UnsetType, Meta(description="Disabled, no token of it works.")] = (
        UNSET
    )


class CredentialCreate(Struct, forbid_unknown_fields=True):
    """A credential that is wanted: a secret, which we make, or a public key, whose other half you keep."""

    kind: Literal["secret", "key"]
    reason: Reason
    days: Days = CREDENTIAL_DAYS
    public_key: Annotated[
        dict[str, Any] | None, Meta(description="Of a key: a public JWK, or a JWK Set with one key (RFC 7517).")
    ] = None


class WhyQuery(Struct, forbid_unknown_fields=True):
    """Why it is done; kept in the trail."""

    reason: Reason


class CredentialOut(Struct):
    """A credential. `hint`: the last characters of a secret, the thumbprint of a key (RFC 7638)."""

    id: UUID
    kind: Literal["secret", "key"]
    hint: str
    state: Literal["live", "expiring", "expired"]
    made_at: datetime
    expires_at: datetime
    used_at: Annotated[datetime | None, Meta(description="To the minute; no part of the version.")]


class AccountOut(Struct):
    """A service account; its id is the `client_id`."""

    id: UUID
    name: str
    state: Literal["active", "disabled", "removed"]
    roles: list[str]
    scopes: list[str]
    made_at: datetime
    used_at: Annotated[datetime | None, Meta(description="To the minute; no part of the version.")]
    credentials: list[CredentialOut]
    token_url: Annotated[str, Meta(description="Where it gets its tokens.")]


class AccountList(Struct):
    """All service accounts of the place; there are never more than a hundred."""

    items: list[AccountOut]


class CredentialMade(Struct):
    """A fresh credential. A secret is shown this once: who asks again with the same key gets null in its place."""

    credential: CredentialOut
    secret: str | None
    account: AccountOut


class AccountForm(Struct, frozen=True):
    """What the form of a new account sends."""

    name: Annotated[str, Meta(max_length=80, pattern=_PLAIN)]
    roles: Annotated[
        list[str], Meta(min_length=1, max_length=10, extra={"sentence": mark("Choose at least one role.")})
    ]
    scopes: Annotated[
        list[str], Meta(min_length=1, max_length=100, extra={"sentence": mark("Tick at least one permission.")})
    ]
    reason: Annotated[str, Meta(max_length=500, pattern=_PLAIN)]


class ChangeForm(Struct, frozen=True):
    """What the form that changes an account sends: all it is to have from now on, and which version was read."""

    roles: Annotated[
        list[str], Meta(min_length=1, max_length=10, extra={"sentence": mark("Choose at least one role.")})
    ]
    scopes: Annotated[
        list[str], Meta(min_length=1, max_length=100, extra={"sentence": mark("Tick at least one permission.")})
    ]
    reason: Annotated[str, Meta(max_length=500, pattern=_PLAIN)]
    version: Annotated[str, Meta(max_length=60)] = ""


class CredentialForm(Struct, frozen=True):
    """What the forms for a secret and for a public key send."""

    reason: Annotated[str, Meta(max_length=500, pattern=_PLAIN)]
    days: Annotated[int, Meta(ge=1, le=MOST_DAYS)] = CREDENTIAL_DAYS
    public_key: Annotated[str, Meta(max_length=20_000)] = ""


class ReasonForm(Struct, frozen=True):
    """Why something is ended, stopped or let go on."""

    reason: Annotated[str, Meta(max_length=500, pattern=_PLAIN)]
