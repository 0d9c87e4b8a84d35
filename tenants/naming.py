"""Names and passwords of an installation's roles. Roles belong to the whole server, so each starts with its prefix."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b32encode
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleNames:
    """The roles of one installation.

    door: looks up and enters an organisation's scope in `control` · partner: NOLOGIN, that scope ·
    app: NOLOGIN, what every tenant may do in `cell` · founder: NOLOGIN, gives a new tenant its place ·
    dispatcher: jobs, timers, outbox · registry: slots and states.
    """

    prefix: str

    @property
    def door(self) -> str:
        """Login role of the doors in `control`: lookup functions only, no table."""
        return f"{self.prefix}_door"

    @property
    def partner(self) -> str:
        """NOLOGIN role of an organisation's scope in `control`, under row-level security."""
        return f"{self.prefix}_partner"

    @property
    def app(self) -> str:
        """NOLOGIN role that every tenant role inherits: its insert-only rights in `cell`."""
        return f"{self.prefix}_app"

    @property
    def founder(self) -> str:
        """NOLOGIN role that a gateway takes to give a new tenant its place; it may call two functions and no more."""
        return f"{self.prefix}_founder"

    @property
    def dispatcher(self) -> str:
        """Login role that moves jobs, timers and outbox rows of every tenant."""
        return f"{self.prefix}_dispatcher"

    @property
    def registry(self) -> str:
        """Login role that claims slots and sets tenant states in `cell`."""
        return f"{self.prefix}_registry"

    def gateway(self, number: int) -> str:
        """Login role of one bucket of tenants; owns no tenant right until it takes a tenant's role."""
        return f"{self.prefix}_gw_{number:02d}"

    def tenant(self, schema: str) -> str:
        """NOLOGIN role of the tenant in that schema."""
        return f"{self.prefix}_{schema}"


def new_schema_name() -> str:
    """An opaque, never renamed schema name: `t_` and 16 characters, 80 random bits."""
    return "t_" + b32encode(secrets.token_bytes(10)).decode().lower()


def role_password(secret: bytes, role: str) -> str:
    """The password of a login role, derived so that nothing but the installation's secret has to be kept."""
    return hmac.new(secret, role.encode(), hashlib.sha256).hexdigest()
