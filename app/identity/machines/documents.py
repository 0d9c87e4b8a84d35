"""A service account as its member row keeps it: to and from the row's document. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from app.identity.machines.rules import Account, Credential


def to_document(account: Account) -> dict[str, Any]:
    """What the row's document holds; the id, name and state stand in columns of their own."""
    return {
        "roles": list(account.roles),
        "scopes": list(account.scopes),
        "version": account.version,
        "credentials": [_credential_document(each) for each in account.credentials],
    }


def from_document(said: dict[str, Any], *, account_id: UUID, name: str, state: str, made_at: datetime) -> Account:
    """The account of a row."""
    return Account(
        id=account_id,
        name=name,
        state=state,
        roles=tuple(said["roles"]),
        scopes=tuple(said["scopes"]),
        version=said["version"],
        made_at=made_at,
        credentials=tuple(_credential(each) for each in said["credentials"]),
    )


def _credential_document(one: Credential) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "kind": one.kind,
        "hint": one.hint,
        "made_at": one.made_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "ended_at": one.ended_at and one.ended_at.isoformat(),
        "digest": one.digest,
        "jwk": one.jwk,
    }


def _credential(said: dict[str, Any]) -> Credential:
    return Credential(
        id=UUID(said["id"]),
        kind=said["kind"],
        hint=said["hint"],
        made_at=datetime.fromisoformat(said["made_at"]),
        expires_at=datetime.fromisoformat(said["expires_at"]),
        ended_at=said["ended_at"] and datetime.fromisoformat(said["ended_at"]),
        digest=said["digest"],
        jwk=said["jwk"],
    )
