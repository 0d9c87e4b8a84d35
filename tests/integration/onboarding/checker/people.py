"""People at their browsers, and a CRM at its hook: what they send to the web program, and what they are told."""

from __future__ import annotations

import http.client
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.connectors.catalog.hubspot.stand_in_webhooks import Postman, Subscription
from app.identity.rules import new_token
from app.intake.operations.workflows import create_hook
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.vault.keyring import open_keyring
from app.vault.operations import put_door_secret
from app.vault.rules import DoorPurpose, Program
from app.vault.secret import Secret
from app.web.security import Front
from tests.canaries.marks import marked
from tests.factories.api import Caller, Said
from tests.factories.doors import Browser
from tests.factories.main_job import MainJob

HOST = "northwind.localhost"
_SECRET = Secret(marked("hubspot-client-secret"))
_SESSION = """
    INSERT INTO control.session (token_hash, person_id, organisation_id, made_at, seen_at, expires_at, id, agent)
    VALUES (%s, %s, %s, now(), now(), now() + interval '1 day', %s, 'checker')
"""
_AGAIN = (429, 503)  # not now: sent again, it may be taken


@dataclass
class Desk:
    """Everybody's sessions on one web program, and what it answered that it never should."""

    shop: MainJob
    port: int
    surprises: list[str] = field(default_factory=list)
    _callers: dict[UUID, Caller] = field(default_factory=dict)

    def send(self, person: UUID, method: str, path: str, body: Any, **headers: str) -> Said | None:
        """One request of a person; None where nobody knows what has become of it, or it is to be sent again."""
        try:
            said = self.caller(person).send(method, path, body, headers)
        except (OSError, http.client.HTTPException, ValueError):  # refused, broken off, half an answer
            return None
        if said.status in _AGAIN:
            return None
        if said.status in {401, 403} or said.status >= 500:
            self.surprises.append(f"{said.status} to {method} {path}: {said.body}")
        return None if said.status >= 500 else said

    def caller(self, person: UUID) -> Caller:
        """The person's browser, signed in."""
        if person not in self._callers:
            token = new_token()
            organisation = self.shop.organisation_id
            self.shop.installation.control(_SESSION, token.digest, person, organisation, new_id())
            front = Front.of(f"http://localhost:{self.port}", self.shop.installation.key.id)
            browser = Browser(self.port, HOST, {front.cookie_name("sid"): token.text})
            self._callers[person] = Caller(browser)
        return self._callers[person]

    def hook(self) -> Postman:
        """The CRM's subscription, which tells until it is answered, and sometimes again."""
        keyring = open_keyring(Program.WEB, self.shop.folder / "keys")
        with self.shop.installation.work(self.shop.home, self.shop.lead) as work:
            purpose = DoorPurpose.WEBHOOK_VERIFICATION
            put_door_secret(work, keyring, purpose=purpose, field="client_secret", value=_SECRET)
        token = create_hook(self.shop.runtime, self.shop.lead, self.shop.home, "hubspot", trace_id="hook")
        target = f"http://{HOST}:{self.port}/hooks/{token}"
        subscription = Subscription(target_url=target, client_secret=_SECRET, retry_delays=(0.2,) * 300)
        return Postman(subscription, world_time, threading.Event())
