"""The provisioning API over real HTTP: three organisations, people with roles, and software that speaks JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.bootstrap.routes import CONTROLLERS
from app.bootstrap.seeding import seeder
from app.bootstrap.services.ends import end_services
from app.bootstrap.services.trails import trail_services
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.webhooks.sender import Sender
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.paging import CursorKey
from app.tenancy.folder import BundleFolder
from app.tenancy.operations.creation import Seeder, resume_requests
from app.vault.bundle_keys import BundleSafe, create_bundle_keys, write_bundle_key
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.sessions import DatabaseAway
from tests.factories.doors import Browser, Doors
from tests.factories.installation import Installation
from tests.factories.vault.files import files_in

MOST = 4 << 20  # bytes of the largest bundle that may be uploaded


@dataclass(frozen=True)
class Said:
    """An answer: status, lower-case headers, and the JSON in it."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def problem(self) -> str:
        """The stable name of the problem."""
        return str(self.body["type"]).rsplit("/", 1)[-1]


@dataclass
class Caller:
    """Software that holds the session of a person, as long as there are no tokens."""

    browser: Browser
    origin: bool = True
    accept: str = field(default="application/json")

    def get(self, path: str, **headers: str) -> Said:
        """Read."""
        return self.send("GET", path, None, headers)

    def post(self, path: str, body: Any, *, key: str | None = "", **headers: str) -> Said:
        """Send a command; with a key of its own unless one is given, without one for None."""
        given = {} if key is None else {"idempotency-key": key or new_id().hex}
        return self.send("POST", path, body, given | headers)

    def patch(self, path: str, body: Any, *, version: str | None, **headers: str) -> Said:
        """Change what was read with this ETag."""
        given = {} if version is None else {"if-match": version}
        return self.send("PATCH", path, body, {"content_type": "application/merge-patch+json"} | given | headers)

    def send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Said:
        """Any request; a body of bytes goes as it is."""
        told = {"accept": self.accept, "content_type": "application/json" if body is not None else ""}
        if self.origin:
            told["origin"] = f"http://{self.browser.host}:{self.browser.port}"
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        answer = self.browser.send(method, path, body=raw, headers=told | headers)
        return Said(answer.status, answer.headers, json.loads(answer.text) if answer.text else None)


class API:
    """Northwind with Contoso beside it, and Reseller below Northwind; served by the product's own application."""

    def __init__(self, installation: Installation, folder: Path, redis_url: str) -> None:
        create_keyring(folder / "keys", folder / "worker-keys")
        keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
        create_bundle_keys(folder / "worker-keys")
        self.safe = BundleSafe(folder / "worker-keys")
        own = write_bundle_key(self.safe.open().public_key)
        self.folder = BundleFolder(folder / "bundles", MOST, timedelta(hours=72), frozenset({own}))
        self.outbound = OutboundClient()
        services: dict[type, object] = {
            Keyring: keyring,
            **files_in(folder),
            CursorKey: CursorKey(keyring.cursor_key.reveal_bytes()),
            Seeder: seeder(keyring),
            **end_services(),
            **trail_services(keyring, installation.databases, "http://localhost:8000"),
            Runner: Runner(Registry.load(), OutboundClient(), time_limit=1.0),
            OutboundClient: self.outbound,
            Sender: Sender(self.outbound),
            BundleFolder: self.folder,
        }
        self.installation = installation
        self.doors = Doors(installation, redis_url=redis_url, controllers=CONTROLLERS, services=services)
        self.runtime = self.doors.runtime
        # As a worker's: it has what the doors have, and the keys of bundles.
        self.worker = replace(self.runtime, services=self.runtime.services | {BundleSafe: self.safe})
        self.reseller = self.doors.organisation("reseller", "Reseller", parent=self.doors.northwind)
        self.admin = self.caller("ada@northwind.example", self.doors.northwind)

    def close(self) -> None:
        """Stop serving."""
        self.doors.close()

    def caller(
        self, email: str, organisation: UUID, role: str = "partner_admin", *, host: str = "northwind.localhost"
    ) -> Caller:
        """Somebody with that role in the organisation, signed in on the host."""
        self.doors.staff(email, organisation, role)
        browser = self.doors.browser(host)
        self.doors.sign_in(browser, email, proved=True)
        return Caller(browser)

    def stranger(self) -> Caller:
        """Software without a session."""
        return Caller(self.doors.browser("northwind.localhost"))

    def cell_is_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From here on, until it is undone, no connection to the cell comes about."""

        def refuse(*_: object, **__: object) -> None:
            raise DatabaseAway("The database cannot be reached right now.")

        monkeypatch.setattr("app.tenancy.operations.creation.open_founding", refuse)

    def resume(self) -> int:
        """What the dispatcher does every 15 seconds, without the wait."""
        return resume_requests(self.runtime, job_actor(UUID(int=0), "test"), trace_id="resumed", seconds=0)

    def actions(self, tenant_id: str) -> list[str]:
        """What the tenant's trail says was done to it, oldest first."""
        schema = self.installation.cell("SELECT schema_name FROM cell.slot WHERE tenant_id = %s", tenant_id)[0]
        query = f"SELECT action FROM {schema.schema_name}.trail ORDER BY id"  # noqa: S608 - our own name
        return [row.action for row in self.installation.cell(query) if row.action.startswith("tenancy.")]

    def plan(self, key: str, limits: dict[str, int], weight: int = 1) -> str:
        """A plan of the installation."""
        query = "INSERT INTO control.plan (key, name, weight, limits, made_at) VALUES (%s, %s, %s, %s::jsonb, now())"
        self.installation.control(query, key, key.title(), weight, json.dumps(limits))
        return key
