"""A connection by OAuth in a partner's home, and the steps that a test takes with it."""

from __future__ import annotations

from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from app.connectors.auth.token_requests import Token
from app.connectors.catalog.hubspot.stand_in import OAUTH_CLIENT
from app.connectors.connecting.journeys import Traveller, begin_journey, end_journey_with
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionSetting, RunRequest, add_connection, request_run
from app.connectors.tokens.state import KEPT
from app.kernel.ids import new_id
from app.vault.keyring import Keyring
from app.vault.operations import take_connection_secrets
from app.vault.secret import Secret
from tests.factories.main_job import MainJob

BACK = "http://northwind.localhost:8000/connections/callback"
HERE = Traveller("session-1", BACK)
CLIENT_ID, CLIENT_SECRET = OAUTH_CLIENT
_numbers = count(1)


class OAuthLine:
    """One connection by OAuth in the partner's home, and what a test does with it."""

    def __init__(self, shop: MainJob) -> None:
        self.shop = shop
        self.manifest = shop.runtime.service(Runner).registry.get("hubspot").manifest
        config = {"auth": {"way": "oauth", "client_id": CLIENT_ID}}
        secrets = {"oauth_client_secret": Secret(CLIENT_SECRET)}
        with shop.installation.work(shop.home, shop.lead) as work:
            setting = ConnectionSetting("hubspot", "HubSpot", config, secrets, state="pending")
            self.id = add_connection(work, setting)

    @property
    def desk(self) -> Any:
        return self.shop.crm.desk

    @property
    def row(self) -> Any:
        return self.shop.installation.rows(self.shop.home, "SELECT * FROM {}.connection WHERE id = %s", self.id)[0]

    def leave(self, traveller: Traveller = HERE) -> dict[str, str]:
        """Begin a journey; what its address asks for."""
        with self.shop.installation.work(self.shop.home, self.shop.lead) as work:
            url = begin_journey(work, self.id, self.manifest, traveller)
        assert url.startswith("https://app.hubspot.com/oauth/authorize?")
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    def allow(self, asked: dict[str, str]) -> dict[str, str]:
        """Say yes at the peer; what comes back."""
        challenge, back = asked["code_challenge"], asked["redirect_uri"]
        return {"state": asked["state"], "code": self.desk.allow("northwind", challenge=challenge, redirect_uri=back)}

    def come(self, answer: dict[str, str], *, session: str = "session-1", who: str = "dana") -> str:
        with self.shop.installation.work(self.shop.home, self.shop.staff[who]) as work:
            return end_journey_with(work, self.id, answer=answer, session=session)

    def connect(self) -> None:
        self.come(self.allow(self.leave()))
        self.shop.run()
        assert self.row.state == "active"

    def ask(self) -> UUID:
        """Ask for a run that reads a deal nobody has."""
        given = {"inputs": [{"id": "1"}]}
        with self.shop.installation.work(self.shop.home, self.shop.lead) as work:
            wanted = RunRequest(new_id(), "task.read", "hubspot", "read_companies", given, next(_numbers))
            return request_run(work, wanted)

    def run_of(self, run_id: UUID) -> Any:
        return self.shop.installation.rows(self.shop.home, "SELECT * FROM {}.run WHERE id = %s", run_id)[0]

    def count(self, grant: str) -> int:
        return sum(form["grant_type"] == grant for form in self.desk.answered)

    def told(self, action: str) -> list[Any]:
        query = "SELECT * FROM {}.trail WHERE action = %s AND subject_id = %s ORDER BY at"
        return self.shop.installation.rows(self.shop.home, query, f"connectors.connection.{action}", self.id)

    def token(self) -> Token:
        with self.shop.installation.work(self.shop.home, self.shop.lead) as work:
            sealed = take_connection_secrets(work, connection_id=self.id, run_id=new_id())
        return Token.read(sealed.open(self.shop.runtime.service(Keyring))[KEPT])[1]

    def check(self) -> dict[str, Any]:
        query = "SELECT body FROM {}.record WHERE kind = 'connection_check' AND key = %s"
        return dict(self.shop.installation.rows(self.shop.home, query, str(self.id))[0].body)
