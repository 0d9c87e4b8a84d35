"""The pages of connections as staff get them: the whole way of a connection, from the form to its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.catalog.hubspot import stand_in as hubspot
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.pages import ConnectionPages, ConnectionReturn
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.operations import make_keys
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Answer, Browser, Doors
from tests.factories.installation import Installation, person

CLIENT_ID, CLIENT_SECRET = hubspot.OAUTH_CLIENT


@pytest.fixture(scope="module")
def crm() -> Iterator[hubspot.HubSpotStandIn]:
    served = hubspot.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def doors(
    shared_installation: Installation,
    tmp_path_factory: pytest.TempPathFactory,
    doors_redis: str,
    crm: hubspot.HubSpotStandIn,
) -> Iterator[Doors]:
    declare_everything()
    shared_installation.own_slots()
    folder: Path = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    client = OutboundClient(AddressBook({("api.hubapi.com", 443): crm.port}))
    services: dict[type, Any] = {
        Keyring: open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys"),
        Runner: Runner(Registry.load(), client, time_limit=2.0),
    }
    controllers = [*FRONT_DOORS, ConnectionPages, ConnectionReturn]
    served = Doors(shared_installation, redis_url=doors_redis, controllers=controllers, services=services)
    before, shared_installation.runtime = shared_installation.runtime, served.runtime
    yield served
    shared_installation.runtime = before
    served.close()


@pytest.fixture(scope="module")
def acme(doors: Doors) -> Tenant:
    tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    with doors.installation.work(tenant, person()) as work:
        make_keys(work, doors.runtime.service(Keyring))
    doors.delegation(tenant, '["technical", "implementation"]')
    for name, role in (("dana", "technical"), ("tom", "implementation"), ("tia", "technical")):
        doors.staff(f"{name}@northwind.example", doors.northwind, role)
    return tenant


class Reader:
    """Somebody at the pages of one workspace."""

    def __init__(self, doors: Doors, tenant: Tenant, name: str) -> None:
        self.doors, self.path = doors, f"/t/{tenant.id}/connections"
        self.browser: Browser = doors.browser()
        doors.sign_in(self.browser, f"{name}@northwind.example", proved=True)

    def get(self, path: str = "") -> Answer:
        return self.browser.get(self.path + path)

    def send(self, path: str = "", **fields: str) -> Answer:
        return self.browser.post(self.path + path, {"command_key": str(new_id()), **fields})

    def run(self) -> None:
        self.doors.installation.run_due(SUBSCRIPTIONS)

    def add(self) -> str:
        """Set HubSpot up by OAuth; the path of its page."""
        fields = {"connector": "hubspot", "way": "oauth", "name": "HubSpot", "auth_client_id": CLIENT_ID}
        made = self.send(**fields, oauth_client_secret=CLIENT_SECRET)
        assert made.status == 303
        return made.headers["location"].removeprefix(self.path)

    def leave(self, page: str) -> dict[str, str]:
        """Press Connect; what the address on the page asks the peer for."""
        shown = self.send(f"{page}/authorization")
        assert shown.status == 200
        url = unescape(re.findall(r'href="(https://app\.hubspot\.com/[^"]+)"', shown.text)[0])
        return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def dana(doors: Doors, acme: Tenant) -> Iterator[Reader]:
    yield Reader(doors, acme, "dana")
    doors.installation.rows(acme, "UPDATE {}.connection SET state = 'removed'")


def allow(crm: hubspot.HubSpotStandIn, asked: dict[str, str]) -> str:
    code = crm.desk.allow("62515", challenge=asked["code_challenge"], redirect_uri=asked["redirect_uri"])
    return "/connections/callback?" + urlencode({"state": asked["state"], "code": code})


class TestConnectionPages:
    def test_let_staff_go_on_to_their_other_pages(self, dana: Reader):
        page = dana.get().text
        assert '<a href="/customers">Customers</a>' in page
        assert 'data-opens="jump"' in page

    def test_name_the_field_of_each_mistake_in_the_summary(self, dana: Reader):
        answer = dana.send(connector="product_admin", name="Workbench")
        assert answer.status == 422
        assert '<a href="#product_admin-api_token">API token: Fill in this field.</a>' in answer.text
        answer = dana.send(connector="hubspot", way="oauth", name="Mine", auth_client_id="a-client")
        assert '<a href="#hubspot-oauth-oauth_client_secret">' in answer.text
        assert 'value="a-client"' in answer.text

    @pytest.mark.parametrize("sent", [{"connector": "nobody"}, {"connector": "hubspot", "way": "magic"}, {}])
    def test_take_no_way_that_there_is_not(self, dana: Reader, sent: dict[str, str]):
        assert dana.send(name="X", access_token="x", **sent).status == 422

    def test_lead_to_the_peer_and_back_and_show_how_it_went(self, dana: Reader, crm: hubspot.HubSpotStandIn):
        page = dana.add()
        assert "It is not connected yet" in dana.get(page).text
        asked = dana.leave(page)
        assert asked["redirect_uri"].endswith("/connections/callback")
        hop = dana.browser.get(allow(crm, asked))
        assert hop.status == 303
        assert dana.browser.get(hop.headers["location"]).headers["location"] == dana.path + page
        assert "It is being connected" in dana.get(page).text
        dana.run()
        shown = dana.get(page).text
        assert "It worked when it was last tried out" in shown
        assert not [secret for secret in (CLIENT_SECRET, asked["state"]) if secret in shown]
        again = dana.browser.get(hop.headers["location"])
        assert (again.status, "used already" in again.text) == (403, True)

    def test_take_an_answer_from_nobody_else(
        self, dana: Reader, doors: Doors, acme: Tenant, crm: hubspot.HubSpotStandIn
    ):
        back = allow(crm, dana.leave(dana.add()))
        tia = Reader(doors, acme, "tia")
        refused = tia.browser.get(tia.browser.get(back).headers["location"])
        assert (refused.status, "somebody else" in refused.text) == (403, True)
        other = dana.browser.get(back.replace(acme.id.hex, UUID(int=7).hex))
        assert dana.browser.get(other.headers["location"]).status == 404
        assert dana.browser.get(f"{back}&code=another").status == 403
        assert dana.browser.get("/connections/callback?code=x").status == 404
        assert doors.browser().get(back).headers["location"].startswith("/sign-in")

    def test_show_why_the_peer_let_nobody_in(self, dana: Reader):
        page = dana.add()
        said = {"state": dana.leave(page)["state"], "error": "access_denied"}
        dana.browser.get(dana.browser.get("/connections/callback?" + urlencode(said)).headers["location"])
        assert "Access was declined there." in dana.get(page).text

    def test_change_test_rename_and_remove(self, dana: Reader, crm: hubspot.HubSpotStandIn):
        crm.tokens["pat-good"] = "62515"
        assert dana.send(connector="hubspot", way="private_app", name="Deals", access_token="pat-good").status == 303
        page = re.findall(rf'href="{dana.path}(/[0-9a-f-]+)"', dana.get().text)[0]
        assert dana.send(page, name=" ").status == 422
        assert dana.send(page, name="Deals of sales").status == 303
        assert dana.send(f"{page}/credentials").status == 422
        assert dana.send(f"{page}/credentials", access_token="pat-wrong").status == 303
        assert "New credentials are being tried out" in dana.get(page).text
        dana.run()
        assert "those before them stay in use" in dana.get(page).text
        assert dana.send(f"{page}/test").status == 303
        dana.run()
        shown = dana.get(page).text
        assert "It worked when it was last tried out" in shown
        assert "pat-" not in shown
        assert dana.send(f"{page}/authorization").status == 409
        assert "Disconnect Deals of sales?" in dana.get(f"{page}/removal").text
        assert dana.send(f"{page}/removal").status == 303
        assert dana.get(page).status == 404

    def test_let_those_who_may_only_look_change_nothing(self, dana: Reader, doors: Doors, acme: Tenant):
        page, tom = dana.add(), Reader(doors, acme, "tom")
        shown = tom.get(page)
        assert (shown.status, "Disconnect" in shown.text) == (200, False)
        for step in ("", "/credentials", "/test", "/authorization", "/removal"):
            assert tom.send(page + step, name="Tom's").status == 403
        assert tom.get(f"{page}/removal").status == 403
