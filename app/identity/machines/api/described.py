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
_BEYOND = (RolesUnfit, ScopesUnfit, BeyondYours)
_READING = (Permission.TRAIL_READ,)
_SCOPES = (Permission.SERVICE_MANAGE, Permission.TRAIL_READ)


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


def _account(role: str, scope: str) -> dict[str, Any]:
    return {
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


def _making(shown: dict[str, Any], links: dict[str, tuple[str, str]]) -> Described:
    """Making an account."""
    fresh = shown | {"used_at": None, "credentials": []}
    headers = ("Location", "ETag", "Idempotency-Replayed")
    wanted = {"name": "Billing", "roles": shown["roles"], "scopes": shown["scopes"], "reason": _WHY}
    return Described(
        {201: Told("The account.", AccountOut, headers, fresh, links=links, linked_by="account_id")},
        takes=AccountCreate,
        example=wanted,
        headers=("Idempotency-Key",),
        problems=(*_CHANGING, *_SENT, *_ONCE, *_BEYOND, TooManyAccounts),
        scopes=_SCOPES,
    )


def _changing(shown: dict[str, Any]) -> Described:
    """Changing one."""
    told = Told("The account as it is now.", AccountOut, ("ETag",), shown)
    return Described(
        {200: told},
        takes=AccountPatch,
        media=(MERGE_PATCH, JSON),
        example={"scopes": shown["scopes"], "reason": "It needs no more"},
        headers=("If-Match",),
        problems=(
            *(*_CHANGING, *_SENT, *_BEYOND, AccountUnknown),
            *(PreconditionMissing, PreconditionUnfit, AccountStale),
        ),
        scopes=_SCOPES,
    )


def _giving(shown: dict[str, Any]) -> Described:
    """Giving one a credential."""
    means = "The credential. Keep the secret now: it is not shown again."
    example = {"credential": _CREDENTIAL, "secret": "GmW1c0…x7Qk", "account": shown}
    return Described(
        {201: Told(means, CredentialMade, ("ETag", "Idempotency-Replayed"), example)},
        takes=CredentialCreate,
        example={"kind": "key", "public_key": _KEY, "days": 365, "reason": "First key"},
        headers=("Idempotency-Key",),
        problems=(
            *(*_CHANGING, *_SENT, *_ONCE, *_BEYOND, AccountUnknown),
            *(CredentialUnknown, TwoLive, KeyUnfit),
        ),
        scopes=_SCOPES,
    )


def _ending(told: Told, *more: type[SlipwayError]) -> Described:
    """Ending one, or a credential of it."""
    problems = (*_CHANGING, QueryUnfit, AccountUnknown, *more)
    return Described({200: told}, query=WhyQuery, problems=problems, scopes=_SCOPES)


def _story(role: str, scope: str, name: str) -> Story:
    shown = _account(role, scope)
    gone = shown | {"used_at": None, "credentials": [], "state": "removed"}
    as_it_is = Told("The account as it is now.", AccountOut, ("ETag",), shown)
    listed = Told("All of them.", AccountList, example={"items": [shown]})
    led = {verb: (f"{name}.{verb}", "$response.body#/id") for verb in ("read", "update", "give", "remove")}
    return Story(
        list=Described({200: listed}, problems=_ANYWHERE, scopes=_READING),
        create=_making(shown, led if name == "serviceAccounts" else {}),
        read=Described({200: as_it_is}, problems=(*_ANYWHERE, AccountUnknown), scopes=_READING),
        update=_changing(shown),
        remove=_ending(Told("It is gone.", AccountOut, example=gone)),
        give=_giving(shown),
        take=_ending(as_it_is, CredentialUnknown),
    )


PARTNER = _story("csm", Permission.TENANT_READ, "serviceAccounts")
TENANT = _story("viewer", Permission.ONBOARDING_READ, "tenantServiceAccounts")
