"""What happened to connections and to who came in by them. Never a secret, never a token."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from app.kernel.events import Event


class ConnectionSaved(Event, frozen=True, kw_only=True):
    """An identity provider is trusted like this from now on; `control` follows from this event."""

    type: ClassVar[str] = "identity.sso.saved"
    subject_kind: ClassVar[str] = "sso_connection"

    staff: bool
    name: str
    issuer: str
    client_id: str
    has_secret: bool
    state: str
    required: bool
    domains: list[str]
    settings: dict[str, Any]
    ceiling: list[str]


class DomainConfirmed(Event, frozen=True, kw_only=True):
    """The partner has confirmed that a mail domain belongs to the customer who claims it."""

    type: ClassVar[str] = "identity.sso.domain_confirmed"
    subject_kind: ClassVar[str] = "sso_connection"

    domain: str
    tenant_id: UUID


class AdmittedByProvider(Event, frozen=True, kw_only=True):
    """A person came in by an identity provider; `given` and `taken` are the roles that this changed."""

    type: ClassVar[str] = "identity.sso.admitted"
    subject_kind: ClassVar[str] = "person"
    personal: ClassVar[frozenset[str]] = frozenset({"name", "email"})

    connection_id: UUID
    name: str
    email: str
    given: list[str]
    taken: list[str]
