"""What the OpenAPI document says of the doors of service accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.identity.machines.keys import KeyUnfit
from app.identity.machines.operations.accounts import (
    AccountStale,
    BeyondYours,
    RolesUnfit,
    ScopesUnfit,
    TooManyAccounts,
)
from app.identity.machines.operations.credentials import CredentialUnknown, TwoLive
from app.identity.machines.queries import AccountUnknown
from app.identity.machines.schemas import (
    AccountCreate,
    AccountList,
    AccountOut,
    AccountPatch,
    CredentialCreate,
    CredentialMade,
    WhyQuery,
)
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.work import TenantNotActive
from app.web.begin import NothingHere, NotSignedIn, TokenUnusable
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    JSON,
    MERGE_PATCH,
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

_ID = "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07"
_CREDENTIAL: dict[str, Any] = {
    "id": "01969c2a-11c3-7d20-8a44-5b0f1e2d3c4b",
    "kind": "secret",
    "hint": "x7Qk",
    "state": "live",
    "made_at": "2026-11-21T09:00:00Z",
    "expires_at": "2027-11-21T09:00:00Z",
    "used_at": "2026-11-21T09:05:00Z",
}
_KEY = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
_WHY = "Billing reads our workspaces"
_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, TokenUnusable, NotPermitted, NothingHere, TenantNotActive)
_CHANGING = (*_ANYWHERE, NotFromHere)
_SENT = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_GIVING = (RolesUnfit, ScopesUnfit, BeyondYours)
_READING = (Permission.SERVICE_READ,)
_SCOPES = (Permission.SERVICE_MANAGE, Permission.SERVICE_READ)


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """All that is said of the accounts of one place."""

    list: Described
    create: Described
    read: Described
    update: Described
    remove: Described
    give: Described
    take: Described


def _story(role: str, scope: str) -> Story:
    shown: dict[str, Any] = {
        "id": _ID,
        "name": "Billing",
        "state": "active",
        "roles": [role],
        "scopes": [scope],
        "made_at": "2026-11-21T09:00:00Z",
        "used_at": "2026-11-21T09:05:00Z",
        "credentials": [_CREDENTIAL],
        "token_url": "https://onboarding.example.com/oauth/token",
    }
    fresh = shown | {"used_at": None, "credentials": []}
    version, once = ("ETag",), ("Idempotency-Key",)
    as_it_is = {200: Told("The account as it is now.", AccountOut, headers=version, example=shown)}
    removed = Told("It is gone.", AccountOut, example=fresh | {"state": "removed"})
    made = Told("The account.", AccountOut, headers=("Location", "ETag", "Idempotency-Replayed"), example=fresh)
    given = Told(
        "The credential. Keep the secret now: it is not shown again.",
        CredentialMade,
        headers=("ETag", "Idempotency-Replayed"),
        example={"credential": _CREDENTIAL, "secret": "GmW1c0…x7Qk", "account": shown},
    )
    return Story(
        list=Described(
            {200: Told("All of them.", AccountList, example={"items": [shown]})}, problems=_ANYWHERE, scopes=_READING
        ),
        create=Described(
            {201: made},
            takes=AccountCreate,
            example={"name": "Billing", "roles": [role], "scopes": [scope], "reason": _WHY},
            headers=once,
            problems=(*_CHANGING, *_SENT, *_ONCE, *_GIVING, TooManyAccounts),
            scopes=_SCOPES,
        ),
        read=Described(as_it_is, problems=(*_ANYWHERE, AccountUnknown), scopes=_READING),
        update=Described(
            as_it_is,
            takes=AccountPatch,
            media=(MERGE_PATCH, JSON),
            example={"scopes": [scope], "reason": "It needs no more"},
            headers=("If-Match",),
            problems=(
                *(*_CHANGING, *_SENT, *_GIVING, AccountUnknown),
                *(PreconditionMissing, PreconditionUnfit, AccountStale),
            ),
            scopes=_SCOPES,
        ),
        remove=Described(
            {200: removed}, query=WhyQuery, problems=(*_CHANGING, QueryUnfit, AccountUnknown), scopes=_SCOPES
        ),
        give=Described(
            {201: given},
            takes=CredentialCreate,
            example={"kind": "key", "public_key": _KEY, "days": 365, "reason": "First key"},
            headers=once,
            problems=(
                *(*_CHANGING, *_SENT, *_ONCE, BeyondYours, RolesUnfit, ScopesUnfit),
                *(AccountUnknown, CredentialUnknown, TwoLive, KeyUnfit),
            ),
            scopes=_SCOPES,
        ),
        take=Described(
            as_it_is,
            query=WhyQuery,
            problems=(*_CHANGING, QueryUnfit, AccountUnknown, CredentialUnknown),
            scopes=_SCOPES,
        ),
    )


PARTNER = _story("csm", Permission.TENANT_READ)
TENANT = _story("viewer", Permission.ONBOARDING_READ)
