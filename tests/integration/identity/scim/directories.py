"""Directories at work: partners and a customer, each with a directory that speaks SCIM over real HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.bootstrap.routes import CONTROLLERS
from app.identity.rules import new_token
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.doors import Doors
from tests.factories.installation import Installation

SCIM = "application/scim+json"
CORE = "urn:ietf:params:scim:schemas:core:2.0:"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_MADE = """
    INSERT INTO control.directory (id, organisation_id, tenant_id, name, state, token_hash, token_made_at, default_role,
        made_by, made_by_name, made_at) VALUES (%s, %s, %s, %s, 'active', %s, now(), %s, %s, 'Ada', now())"""


@dataclass(frozen=True)
class Said:
    """An answer: status, lower-case headers, the JSON in it."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Directory:
    """A customer's or a partner's directory: Entra ID, Okta, whatever holds its token."""

    doors: Doors
    id: UUID
    host: str
    token: str
    tenant: Tenant | None = None
    media: str = field(default=SCIM)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Said:
        """Any request; bytes go as they are."""
        told = {"accept": SCIM, "authorization": f"Bearer {self.token}", "content_type": self.media if body else ""}
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = self.doors.browser(self.host).send(method, f"/scim/v2{path}", body=raw, headers=told | headers)
        return Said(answer.status, answer.headers, json.loads(answer.text) if answer.text else None)

    def get(self, path: str, **headers: str) -> Said:
        """Read."""
        return self.send("GET", path, **headers)

    def create(self, name: str, /, **more: Any) -> Said:
        """Create a user of that name, whose mail goes there too."""
        return self.send("POST", "/Users", {"schemas": [f"{CORE}User"], "userName": name, **more})

    def group(self, name: str, /, *users: str, **more: Any) -> str:
        """Create a group of these users; its id."""
        members = [{"value": each} for each in users]
        body = {"schemas": [f"{CORE}Group"], "displayName": name, "members": members, **more}
        return str(self.send("POST", "/Groups", body).body["id"])

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Said:
        """Change by operations."""
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def active(self, user_id: str, value: Any) -> Said:
        """Let somebody in, or not."""
        return self.patch(f"/Users/{user_id}", {"op": "Replace", "path": "active", "value": value})


class Directories:
    """Northwind and Contoso with homes and directories, and Acme, a customer of Northwind, with one of its own."""

    def __init__(self, installation: Installation, redis_url: str) -> None:
        self.installation = installation
        self.doors = Doors(installation, redis_url=redis_url, controllers=CONTROLLERS)
        northwind, contoso = self.doors.northwind, self.doors.contoso
        self.homes = {each: installation.tenant(each, "Home", kind="home") for each in (northwind, contoso)}
        self.acme = installation.tenant(northwind, "Acme", kind="customer")
        self.northwind = self.make(northwind, "northwind.localhost", default_role="csm")
        self.contoso = self.make(contoso, "contoso.localhost", default_role="csm")
        self.customer = self.make(northwind, "northwind.localhost", tenant=self.acme, default_role="viewer")

    def close(self) -> None:
        """Stop serving."""
        self.doors.close()

    def make(
        self, organisation: UUID, host: str, *, tenant: Tenant | None = None, default_role: str | None = None
    ) -> Directory:
        """A directory with its token."""
        token, made = new_token(), new_id()
        values = (made, organisation, tenant.id if tenant else None, "Entra ID", token.digest, default_role, new_id())
        self.installation.control(_MADE, *values)
        return Directory(self.doors, made, host, token.text, tenant)

    def role(self, group_id: str, role: str | None) -> None:
        """Give a group its role, as the page does."""
        self.installation.control("UPDATE control.staff_group SET role = %s WHERE id = %s", role, group_id)

    def person(self, email: str) -> Any:
        """The person of that address, or None."""
        found = self.installation.control("SELECT * FROM control.person WHERE email = %s", email)
        return found[0] if found else None

    def roles(self, email: str, organisation: UUID | None = None) -> set[str]:
        """The roles somebody holds in the organisation (Northwind)."""
        query = (
            "SELECT a.role FROM control.assignment a JOIN control.person p ON p.id = a.person_id"
            " WHERE p.email = %s AND a.organisation_id = %s"
        )
        rows = self.installation.control(query, email, organisation or self.doors.northwind)
        return {row.role for row in rows}

    def sessions(self, email: str, organisation: UUID | None = None) -> int:
        """How many sessions of somebody are open in the organisation (Northwind)."""
        query = (
            "SELECT s.token_hash FROM control.session s JOIN control.person p ON p.id = s.person_id"
            " WHERE p.email = %s AND s.organisation_id = %s AND s.ended_at IS NULL"
        )
        return len(self.installation.control(query, email, organisation or self.doors.northwind))

    def member(self, email: str) -> tuple[str, str] | None:
        """Role and state of a member of Acme."""
        rows = self.installation.rows(self.acme, "SELECT role, state FROM {}.member WHERE email = %s", email)
        return (rows[0].role, rows[0].state) if rows else None

    def told(self, tenant: Tenant, action: str = "identity.directory.access_followed") -> list[Any]:
        """Entries of a trail, oldest first."""
        return self.installation.rows(tenant, "SELECT * FROM {}.trail WHERE action = %s ORDER BY id", action)
