"""A house in which every field that takes a URL can be reached, over HTTP as people and software do. Not a test."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.secrets import ClientSecrets
from app.kernel.ids import new_id
from app.vault.keyring import Keyring
from app.vault.operations.rotation import make_keys
from tenants.tenant import Tenant
from tests.factories.api import API
from tests.factories.doors import Browser

GOOD = "https://hooks.good.com/in"


@dataclass(frozen=True)
class Refusal:
    """How a door answered: its status, and all that it said."""

    status: int
    said: str

    @property
    def main(self) -> str:
        """What stands in the middle of a page, without its tags."""
        return " ".join(re.sub(r"<[^>]*>", " ", self.said.partition("<main")[2]).split())[:600] or self.said[:600]


@dataclass
class House:
    """The doors of one customer's workspace and of its partner's settings."""

    api: API
    tenant: Tenant
    browser: Browser  # of somebody who may do all of this

    @classmethod
    def over(cls, api: API, tenant: Tenant) -> House:
        """Give the doors what sign-in by a provider needs."""
        api.runtime.services[Providers] = Providers(api.outbound)
        keyring = api.runtime.service(Keyring)
        api.runtime.services[ClientSecrets] = SealedClientSecrets(keyring)
        home = api.installation.tenant(api.doors.northwind, "Northwind", kind="home")
        with api.installation.work(home) as work:
            make_keys(work, keyring)
        return cls(api, tenant, api.admin.browser)

    @property
    def hooks(self) -> str:
        """Where the API has the endpoints."""
        return f"/api/v1/tenants/{self.tenant.id}/webhooks"

    def endpoint(self) -> str:
        """A good endpoint, to be changed."""
        answer = self.api.admin.post(self.hooks, {"url": GOOD, "types": ["*"]})
        assert answer.status == 201, answer.body
        return str(answer.body["endpoint"]["id"])

    def post_hook(self, url: str) -> Refusal:
        """`POST …/webhooks`."""
        return _of(self.api.admin.post(self.hooks, {"url": url, "types": ["*"]}))

    def patch_hook(self, endpoint: str) -> Callable[[str], Refusal]:
        """`PATCH …/webhooks/{id}`."""
        return lambda url: _of(self.api.admin.patch(f"{self.hooks}/{endpoint}", {"url": url}, version="*"))

    def form_hook(self, url: str) -> Refusal:
        """The form of a new endpoint."""
        return self._form(f"/t/{self.tenant.id}/webhooks", url=url, hears="everything")

    def change_form_hook(self, endpoint: str) -> Callable[[str], Refusal]:
        """The form of an endpoint that is there."""
        path = f"/t/{self.tenant.id}/webhooks/{endpoint}"
        seen = self.browser.get(path).hidden["seen"]
        return lambda url: self._form(path, url=url, hears="everything", seen=seen)

    def issuer(self, url: str) -> Refusal:
        """The form of an identity provider."""
        fields = {"name": "Entra", "client_id": "x", "client_secret": "y", "active": "true", "groups_claim": "groups"}
        return self._form("/settings/sso", issuer=url, **fields)

    def _form(self, path: str, **fields: str) -> Refusal:
        answer = self.browser.post(path, fields | {"command_key": str(new_id())})
        return Refusal(answer.status, unescape(answer.text))


def _of(said: Any) -> Refusal:
    if said.status < 400:
        return Refusal(said.status, "")
    return Refusal(said.status, " ".join([said.body["detail"], json.dumps(said.body.get("errors", []))]))


def slice_of(some: Sequence[str], most: int) -> list[str]:
    """As many of them as there is time for, chosen by a printed seed; all of them in soak."""
    if most >= len(some):
        return list(some)
    seed = int(os.environ.get("EGRESS_SEED", random.randrange(10_000)))  # noqa: S311 - a test's choice
    print(f"EGRESS_SEED={seed}: {most} of {len(some)}")  # noqa: T201 - to choose the same again
    return random.Random(seed).sample(list(some), most)  # noqa: S311 - a test's choice
