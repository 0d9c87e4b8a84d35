"""HubSpot's signature v3 and webhook body: published vectors, tampering, age, rotation, malformed bodies."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.catalog.hubspot.webhook import WebhookMalformed, read_events
from app.connectors.inbound.schemes import Arrival, DeliveryRefused
from app.connectors.inbound.schemes.hubspot import sign, signed_uri, verify
from app.vault.secret import Secret

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECRET = Secret("client-secret-1")
URI = "https://northwind.example/hooks/abc?x=1"
EVENT = {
    "eventId": 3816279340,
    "subscriptionId": 25,
    "portalId": 62515,
    "appId": 1160452,
    "occurredAt": 1772442000000,
    "subscriptionType": "deal.propertyChange",
    "attemptNumber": 0,
    "objectId": 5100000003,
    "propertyName": "dealstage",
    "propertyValue": "closedwon",
    "changeSource": "CRM_UI",
}
BODY = json.dumps([EVENT]).encode()


def at(moment):
    return str(int(moment.timestamp() * 1000))


def delivery(*, body=BODY, uri=URI, method="POST", secret=SECRET, timestamp=None, **headers):
    timestamp = at(NOW) if timestamp is None else timestamp
    signature = sign(secret, Arrival("POST", URI, (), BODY), timestamp)
    given = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp, **headers}
    return Arrival(method, uri, [(name, value) for name, value in given.items() if value is not None], body)


def reason(sent, *, secrets=(SECRET,), now=NOW):
    with pytest.raises(DeliveryRefused) as refused:
        verify(sent, list(secrets), now)
    return refused.value.reason


class TestSign:
    @pytest.mark.parametrize(
        ("timestamp", "expected"),
        [  # from the test suites of HubSpot's own clients for Python and Ruby
            ("1693657560000", "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y="),
            ("1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
        ],
    )
    def test_gives_what_hubspot_publishes(self, timestamp, expected):
        sent = Arrival("POST", "https://www.example.com/webhook_uri", (), b"{'example_field':'example_value'}")
        assert sign(Secret("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"), sent, timestamp) == expected

    def test_undoes_twelve_escapes_and_no_others(self):
        escaped = "https://a.b/%3a%2F%3f%40%21%24%27%28%29%2A%2C%3B%20%26%3D%25%2B?q=%C3%BC"
        assert signed_uri(escaped) == "https://a.b/:/?@!$'()*,;%20%26%3D%25%2B?q=%C3%BC"


class TestVerify:
    def test_accepts_what_hubspot_sends(self):
        verify(delivery(), [SECRET], NOW)

    def test_accepts_any_spelling_of_the_header_names(self):
        sent = delivery()
        lower = Arrival(sent.method, sent.uri, [(k.lower(), v) for k, v in sent.headers], sent.body)
        verify(lower, [SECRET], NOW)

    def test_accepts_any_active_secret(self):
        verify(delivery(), [Secret("new"), SECRET], NOW)
        verify(delivery(), [SECRET, Secret("new")], NOW)

    @pytest.mark.parametrize(
        "sent",
        [
            delivery(body=BODY + b" "),
            delivery(body=json.dumps([EVENT], separators=(",", ":")).encode()),
            delivery(body=b""),
            delivery(uri=URI + "/"),
            delivery(uri=URI.replace("https", "http")),
            delivery(uri=URI.replace("northwind", "evil")),
            delivery(uri=URI.replace("x=1", "x=2")),
            delivery(method="PUT"),
            delivery(secret=Secret("stolen")),
            delivery(**{"X-HubSpot-Request-Timestamp": at(NOW + timedelta(seconds=1))}),
            delivery(**{"X-HubSpot-Signature-v3": "A" * 44}),
            delivery(**{"X-HubSpot-Signature-v3": "x" * 4_000}),
        ],
    )
    def test_refuses_what_was_changed(self, sent):
        assert reason(sent) == "wrong"

    @pytest.mark.parametrize("name", ["X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"])
    def test_refuses_what_lacks_a_header(self, name):
        assert reason(delivery(**{name: None})) == "missing"
        assert reason(delivery(**{name: ""})) == "missing"

    @pytest.mark.parametrize(
        "text", ["now", "1", "-1772442000000", "1772442000000.5", "1772442000", "\u0661" * 13, "9" * 5000]
    )
    def test_refuses_a_timestamp_that_is_none(self, text):
        assert reason(delivery(timestamp=text)) == "malformed"

    def test_refuses_a_signature_that_is_not_ascii(self):
        assert reason(delivery(**{"X-HubSpot-Signature-v3": "\u00e9" * 44})) == "malformed"

    @pytest.mark.parametrize("age", [timedelta(minutes=5, milliseconds=1), timedelta(days=1), -timedelta(minutes=6)])
    def test_refuses_what_is_not_of_now(self, age):
        assert reason(delivery(timestamp=at(NOW - age))) == ("stale" if age > timedelta() else "early")

    @pytest.mark.parametrize("age", [timedelta(minutes=5), timedelta(), -timedelta(minutes=4)])
    def test_accepts_what_is_of_now(self, age):
        verify(delivery(timestamp=at(NOW - age)), [SECRET], NOW)

    def test_refuses_everything_without_a_secret(self):
        assert reason(delivery(), secrets=()) == "wrong"

    def test_refuses_the_older_signatures(self):
        old = {"X-HubSpot-Signature": "0" * 64, "X-HubSpot-Signature-Version": "v1"}
        assert reason(Arrival("POST", URI, list(old.items()), BODY)) == "missing"

    def test_tells_a_forger_nothing(self):
        with pytest.raises(DeliveryRefused) as refused:
            verify(delivery(secret=Secret("stolen")), [SECRET], NOW)
        assert "client-secret-1" not in f"{refused.value!s}{refused.value!r}"

    @given(st.binary(max_size=200), st.text(max_size=60), st.text(max_size=30))
    def test_never_breaks(self, body, signature, timestamp):
        headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}
        with pytest.raises(DeliveryRefused):
            verify(Arrival("POST", URI, list(headers.items()), body), [SECRET], NOW)


class TestReadEvents:
    def test_reads_a_won_deal(self):
        (event,) = read_events(BODY)
        assert (event.object_id, event.property_value) == (5100000003, "closedwon")
        assert event.moves_deal_to()

    def test_reads_the_generic_form(self):
        generic = {**EVENT, "subscriptionType": "object.propertyChange", "objectTypeId": "0-3"}
        assert read_events(json.dumps([generic]).encode())[0].moves_deal_to()
        contact = {**generic, "objectTypeId": "0-1"}
        assert not read_events(json.dumps([contact]).encode())[0].moves_deal_to()

    def test_knows_stages_of_a_pipeline_of_ones_own(self):
        (event,) = read_events(json.dumps([{**EVENT, "propertyValue": "98231"}]).encode())
        assert event.moves_deal_to({"98231"})
        assert not event.moves_deal_to()

    def test_gives_every_attempt_the_same_key(self):
        first, second = read_events(json.dumps([EVENT, {**EVENT, "attemptNumber": 3}]).encode())
        assert first.delivery_key == second.delivery_key

    def test_gives_another_change_another_key(self):
        first, second = read_events(json.dumps([EVENT, {**EVENT, "objectId": 7}]).encode())
        assert first.delivery_key != second.delivery_key

    @pytest.mark.parametrize(
        "body",
        [
            *(
                b"",
                b"{}",
                b"null",
                b"[1]",
                b"[null]",
                b"[[]]",
                b"[{}]",
                b"\xff\xfe",
                b"[" * 100_000,
                b'[{"eventId": 1}]',
            ),
            json.dumps(EVENT).encode(),
            json.dumps([EVENT] * 101).encode(),
            json.dumps([{**EVENT, "objectId": "5100000003"}]).encode(),
            json.dumps([{**EVENT, "objectId": -1}]).encode(),
            json.dumps([{**EVENT, "objectId": 2**70}]).encode(),
            json.dumps([{**EVENT, "objectId": 1.5}]).encode(),
            json.dumps([{**EVENT, "propertyValue": "x" * 5000}]).encode(),
            json.dumps([{**EVENT, "subscriptionType": None}]).encode(),
        ],
    )
    def test_refuses_what_is_not_documented(self, body):
        with pytest.raises(WebhookMalformed):
            read_events(body)

    def test_takes_a_hundred_and_fields_it_does_not_know(self):
        assert len(read_events(json.dumps([{**EVENT, "isSensitive": False, "new": {}}] * 100).encode())) == 100
