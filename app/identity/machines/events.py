"""What happens to service accounts; each entry of the trail says who did it and why."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


class AccountCreated(Event, frozen=True, kw_only=True):
    """Software may act here, with these roles and only these scopes, once it has a credential."""

    type: ClassVar[str] = "identity.service_account.created"
    subject_kind: ClassVar[str] = "service_account"

    name: str
    roles: list[str]
    scopes: list[str]


class AccountChanged(Event, frozen=True, kw_only=True):
    """What the account is called, may do, or whether it may act at all, is another now. `before` holds what was."""

    type: ClassVar[str] = "identity.service_account.changed"
    subject_kind: ClassVar[str] = "service_account"

    name: str
    roles: list[str]
    scopes: list[str]
    state: str
    before: dict[str, object]


class CredentialAdded(Event, frozen=True, kw_only=True):
    """The account can prove itself by one more secret or key, until then."""

    type: ClassVar[str] = "identity.service_credential.added"
    subject_kind: ClassVar[str] = "service_account"

    credential_id: UUID
    kind: str
    hint: str
    expires_at: str


class CredentialEnded(Event, frozen=True, kw_only=True):
    """A secret or key is no good any more, nor is any token that it was given for."""

    type: ClassVar[str] = "identity.service_credential.ended"
    subject_kind: ClassVar[str] = "service_account"

    credential_id: UUID
    kind: str
    hint: str
