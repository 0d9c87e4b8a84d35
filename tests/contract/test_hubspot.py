"""HubSpot against its stand-in: a deal as it was sold, and webhooks as they really arrive."""

import http.client
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.connectors.catalog.hubspot.deals import DealRef, read_deal
from app.connectors.catalog.hubspot.stand_in_webhooks import Subscription
from app.connectors.catalog.hubspot.webhook import read_events
from app.connectors.catalog.stand_in import Fault
from app.connectors.inbound.schemes import Arrival
from app.connectors.inbound.schemes.hubspot import verify
from app.connectors.kit.contract import SignedIn
from app.kernel.outbound.world_clock import world_time
from app.kernel.outcomes import GiveUp, NeedsPerson, TryAgain
from app.vault.secret import Secret
from tests.canaries.marks import marked
from tests.contract.conftest import TOKEN

pytestmark = pytest.mark.parametrize("provider", ["hubspot"])
CLIENT_SECRET = Secret(marked("hubspot-client-secret"))


def api(port, method, path, body=None):
    """A call to the stand-in as any program would make it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        payload = None if body is None else json.dumps(body)
        connection.request(method, path, payload, {"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        assert answer.status < 300
        text = answer.read()
        return json.loads(text) if text else None
    finally:
        connection.close()


def make(bench, kind, links=(), **properties):
    """Create an object; `links` are (association type id, object id)."""
    associations = [
        {"to": {"id": to}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]}
        for type_id, to in links
    ]
    body = {"properties": properties, "associations": associations}
    return api(bench.stand_in.port, "POST", f"/crm/v3/objects/{kind}", body)["id"]


def read(bench, deal_id, **ref):
    return read_deal(bench.runner, DealRef(deal_id, **ref), SignedIn({"access_token": Secret(TOKEN)}))


@pytest.fixture
def deal(bench):
    """A deal that is nearly won: two companies, of which one is the primary, and two people."""
    acme = make(bench, "companies", name="Acme GmbH", domain="acme.example", country="Germany")
    parent = make(bench, "companies", name="Acme Holding")
    ada = make(bench, "contacts", email="ada@acme.example", firstname="Ada", lastname="Moreau", jobtitle="Head of IT")
    api(bench.stand_in.port, "PATCH", f"/crm/v3/objects/contacts/{ada}", {"properties": {"hs_language": "de-at"}})
    bob = make(bench, "contacts", email="bob@acme.example")
    links = [(5, acme), (341, acme), (341, parent), (3, ada), (3, bob)]
    given = {"amount": "18000.50", "deal_currency_code": "EUR", "closedate": "2026-03-02T09:00:00Z"}
    return make(bench, "deals", links, dealname="Acme: Team", dealstage="contractsent", pipeline="default", **given)


class TestReadDeal:
    def test_gives_the_deal_with_its_company_and_people(self, bench, deal):
        api(bench.stand_in.port, "PATCH", f"/crm/v3/objects/deals/{deal}", {"properties": {"dealstage": "closedwon"}})
        sold = read(bench, deal)
        assert (sold.name, sold.amount, sold.currency, sold.won) == ("Acme: Team", Decimal("18000.50"), "EUR", True)
        assert sold.closed_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
        assert [(c.name, c.country, c.primary) for c in sold.companies] == [
            ("Acme GmbH", "Germany", True),
            ("Acme Holding", "", False),
        ]
        assert [(c.email, c.first_name, c.language) for c in sold.contacts] == [
            ("ada@acme.example", "Ada", "de-at"),
            ("bob@acme.example", "", ""),
        ]

    def test_says_when_it_is_not_won_any_more(self, bench, deal):
        assert read(bench, deal).won is False

    def test_reads_what_a_workflow_maps(self, bench):
        deal_id = make(bench, "deals", dealname="X", sold_package="gold", empty_one="")
        sold = read(bench, deal_id, properties=("sold_package", "empty_one", "never_set"))
        assert sold.properties["sold_package"] == "gold"
        assert not {"empty_one", "never_set"} & set(sold.properties)

    def test_gives_a_bare_deal_as_it_is(self, bench):
        sold = read(bench, make(bench, "deals"))
        assert (sold.name, sold.amount, sold.companies, sold.contacts, sold.won) == ("", None, (), (), False)

    @pytest.mark.parametrize("amount", ["NaN", "Infinity", "12,50", "1e5", "", " 7 "])
    def test_takes_an_amount_only_if_it_is_one(self, bench, amount):
        found = read(bench, make(bench, "deals", amount=amount, closedate="soon")).amount
        assert found == {"1e5": Decimal(100000), " 7 ": Decimal(7)}.get(amount)

    def test_leaves_out_a_contact_that_was_deleted(self, bench, deal):
        sold = read(bench, deal)
        api(bench.stand_in.port, "DELETE", f"/crm/v3/objects/contacts/{sold.contacts[0].id}")
        assert [contact.email for contact in read(bench, deal).contacts] == ["bob@acme.example"]

    def test_reads_more_people_than_one_batch_holds(self, bench):
        people = [(3, make(bench, "contacts", email=f"p{n}@acme.example")) for n in range(130)]
        sold = read(bench, make(bench, "deals", people))
        assert len(sold.contacts) == 130

    def test_gives_up_on_a_deal_that_is_gone(self, bench, deal):
        api(bench.stand_in.port, "DELETE", f"/crm/v3/objects/deals/{deal}")
        assert isinstance(read(bench, deal), GiveUp)
        assert isinstance(read(bench, "999"), GiveUp)

    @pytest.mark.parametrize("deal_id", ["", "..", "1/../../companies", "1?archived=true", "abc", "1 ", "\u0661"])
    def test_never_sends_an_id_that_is_none(self, bench, deal_id):
        assert isinstance(read(bench, deal_id), GiveUp)
        assert bench.stand_in.requests == []

    @pytest.mark.parametrize("path", ["/crm/v3/objects/deals", "/crm/v3/objects/companies", "/crm/v3/objects/contacts"])
    def test_comes_back_later_when_any_part_is_limited(self, bench, deal, path):
        bench.stand_in.break_next(Fault("status", path=path, status=429, headers={"Retry-After": "10"}))
        answer = read(bench, deal)
        assert isinstance(answer, TryAgain)
        assert answer.after.total_seconds() == 10

    @pytest.mark.parametrize("status", [423, 477])
    def test_waits_while_the_account_is_locked(self, bench, deal, status):
        bench.stand_in.break_next(Fault("status", status=status))
        assert isinstance(read(bench, deal), TryAgain)

    def test_asks_a_person_when_a_scope_is_missing(self, bench, deal):
        bench.stand_in.break_next(Fault("status", status=403))
        assert isinstance(read(bench, deal), NeedsPerson)


class Inbox(ThreadingHTTPServer):
    """Our own door, as far as HubSpot sees it: keeps deliveries and answers with the next status."""

    daemon_threads = True

    def __init__(self, statuses):
        super().__init__(("127.0.0.1", 0), InboxDoor)
        self.statuses = list(statuses)
        self.deliveries = []
        self.url = f"http://northwind.localhost:{self.server_address[1]}/hooks/tok%2Den?x=1"


class InboxDoor(BaseHTTPRequestHandler):
    server: Inbox

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        uri = f"http://{self.headers['Host']}{self.path}"
        self.server.deliveries.append(Arrival("POST", uri, list(self.headers.items()), body))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def inbox(request):
    server = Inbox(getattr(request, "param", []))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def close(bench, deal, inbox, delays=()):
    postman = bench.stand_in.subscribe(
        Subscription(target_url=inbox.url, client_secret=CLIENT_SECRET, retry_delays=delays)
    )
    event = postman.property_change("deal", deal, "dealstage", "closedwon")
    postman.tell(event).join(10)
    return postman


class TestWebhook:
    def test_is_signed_so_that_we_accept_it(self, bench, deal, inbox):
        close(bench, deal, inbox)
        (sent,) = inbox.deliveries
        verify(sent, [CLIENT_SECRET], world_time())
        (event,) = read_events(sent.body)
        assert event.moves_deal_to()
        assert event.object_id == int(deal)

    @pytest.mark.parametrize("inbox", [[500, 429, 404]], indirect=True)
    def test_comes_again_until_it_is_taken(self, bench, deal, inbox):
        postman = close(bench, deal, inbox, delays=(0.01, 0.01, 0.01))
        events = [read_events(sent.body)[0] for sent in inbox.deliveries]
        assert [attempt.status for attempt in postman.attempts] == [500, 429, 404, 200]
        assert [event.attempt_number for event in events] == [0, 1, 2, 3]
        assert len({event.delivery_key for event in events}) == 1
        for sent in inbox.deliveries:
            verify(sent, [CLIENT_SECRET], world_time())

    @pytest.mark.parametrize("inbox", [[500] * 9], indirect=True)
    def test_is_given_up_at_last(self, bench, deal, inbox):
        assert len(close(bench, deal, inbox, delays=(0.0, 0.0)).attempts) == 3

    def test_follows_a_change_over_the_api(self, bench, deal, inbox):
        wanted = {"target_url": inbox.url, "client_secret": CLIENT_SECRET.reveal()}
        api(bench.stand_in.port, "POST", "/__stand_in__/subscriptions", wanted)
        patch = {"properties": {"dealstage": "closedwon"}}
        api(bench.stand_in.port, "PATCH", f"/crm/v3/objects/deals/{deal}", patch)
        api(bench.stand_in.port, "PATCH", f"/crm/v3/objects/deals/{deal}", patch)
        for thread in threading.enumerate():
            if thread.name == "hubspot-webhook":
                thread.join(5)
        assert len(inbox.deliveries) == 1
        assert read_events(inbox.deliveries[0].body)[0].moves_deal_to()


class TestProcess:
    def test_serves_until_it_is_told_to_stop(self, provider):
        command = [sys.executable, "-m", f"app.connectors.catalog.{provider}.stand_in", "--token", f"{TOKEN}=acme"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            assert api(port, "GET", "/crm/v3/objects/deals?limit=1") == {"results": []}
            process.terminate()
            assert process.wait(5) == 0
