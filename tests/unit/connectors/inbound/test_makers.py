"""The makers' own published vectors and libraries, both ways; and what only one scheme has."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import svix
from joserfc.jwk import ECKey, OKPKey, RSAKey

from app.connectors.inbound.schemes import Arrival, DeliveryRefused, is_usable, verify
from app.connectors.webhooks.signing import make_key, public_of, shared_of, sign
from app.vault.secret import Secret
from tests.unit.connectors.inbound.senders import BODY, JWT, NOW, SENDERS, SHARED, URI, claims_of, declared, mac, token

SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    b"&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
    b"&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
PUBLISHED = {
    "github": (
        "It's a Secret to Everybody",
        b"Hello, World!",
        0,
        {"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    ),
    "slack": (
        "8f742231b10e8888abcd99yyyzzz85a5",
        SLACK_BODY,
        1531420618,
        {
            "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            "X-Slack-Request-Timestamp": "1531420618",
        },
    ),
    "standard_webhooks": (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        1614265330,
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    ),
}


def refused(webhooks, arrival, secret, now=NOW):
    with pytest.raises(DeliveryRefused) as error:
        verify(webhooks, arrival, secrets=[secret], now=now)
    return error.value.reason


@pytest.mark.parametrize("scheme", PUBLISHED)
def test_takes_the_vector_that_the_maker_publishes(scheme):
    secret, body, at, headers = PUBLISHED[scheme]
    arrival = Arrival("POST", URI, list(headers.items()), body)
    now = datetime.fromtimestamp(at, UTC)
    assert verify(declared(scheme=scheme), arrival, secrets=[Secret(secret)], now=now).message == body
    assert refused(declared(scheme=scheme), arrival, Secret(secret + "x" * 4), now) == "wrong"


class TestStandardWebhooks:
    @pytest.mark.parametrize("prefix", ["webhook", "svix"])
    @pytest.mark.parametrize("library", [standardwebhooks.Webhook, svix.Webhook])
    def test_takes_what_the_libraries_sign(self, library, prefix):
        secret, at = "whsec_" + base64.b64encode(SHARED).decode(), datetime.now(UTC)
        signed = library(secret).sign("msg_1", at, BODY.decode())
        headers = {"id": "msg_1", "timestamp": str(int(at.timestamp())), "signature": signed}
        arrival = Arrival("POST", URI, [(f"{prefix}-{name}", value) for name, value in headers.items()], BODY)
        webhooks = declared(scheme="standard_webhooks", header_prefix=prefix)
        assert verify(webhooks, arrival, secrets=[Secret(secret)], now=at).message == BODY
        other = "svix" if prefix == "webhook" else "webhook"
        assert refused(declared(scheme="standard_webhooks", header_prefix=other), arrival, Secret(secret)) == "missing"

    def test_takes_what_we_send_by_either_half_of_the_key_and_the_libraries_take_what_it_takes(self):
        keys, at = [make_key(), make_key()], datetime.now(UTC)
        headers = sign(keys, "msg_1", at, BODY)
        arrival = Arrival("POST", URI, list(headers.items()), BODY)
        for key in keys:
            for secret in (shared_of(key), Secret(public_of(key))):
                assert verify(declared(scheme="standard_webhooks"), arrival, secrets=[secret], now=at).at
            assert standardwebhooks.Webhook(shared_of(key).reveal()).verify(BODY, headers) == json.loads(BODY)

    def test_refuses_an_id_that_could_be_read_as_another_one(self):
        sender = SENDERS["standard_webhooks"]
        assert refused(sender.webhooks, sender.arrival(webhook_id="msg.1"), sender.secret) == "malformed"
        assert refused(sender.webhooks, sender.arrival(webhook_id="m" * 300), sender.secret) == "malformed"

    def test_passes_over_versions_that_nobody_knows_yet_and_refuses_too_many(self):
        sender = SENDERS["standard_webhooks"]
        signed = sender.arrival().one("webhook-signature")
        verify(sender.webhooks, sender.arrival(webhook_signature=f"v2,zz! {signed}"), secrets=[sender.secret], now=NOW)
        many = " ".join([signed] * 17)
        assert refused(sender.webhooks, sender.arrival(webhook_signature=many), sender.secret) == "oversized"
        assert refused(sender.webhooks, sender.arrival(webhook_signature="v2,zz!"), sender.secret) == "wrong"
        assert refused(sender.webhooks, sender.arrival(webhook_signature="v1"), sender.secret) == "malformed"


class TestStripe:
    @pytest.mark.parametrize(
        ("header", "why"),
        [
            ("v1={right}", "malformed"),
            ("t={now},v0={right}", "malformed"),
            ("t={now},t=1,v1={right}", "malformed"),
            ("t={now}", "malformed"),
            ("t={now},v1", "malformed"),
            ("t={now},v1=zz", "malformed"),
            ("t=-1,v1={right}", "malformed"),
            ("t={now},v1={wrong}", "wrong"),
        ],
    )
    def test_refuses(self, header, why):
        sender, now = SENDERS["stripe"], str(int(NOW.timestamp()))
        right = mac(f"{now}.".encode() + BODY).hex()
        said = header.format(now=now, right=right, wrong="0" * 64)
        assert refused(sender.webhooks, sender.arrival(stripe_signature=said), sender.secret) == why

    def test_takes_one_of_several_while_the_secret_is_rolled(self):
        sender = SENDERS["stripe"]
        said = sender.arrival().one("stripe-signature").replace("v1=", f"v1={'0' * 64},v1=")
        verify(sender.webhooks, sender.arrival(stripe_signature=said), secrets=[sender.secret], now=NOW)


RSA = RSAKey.generate_key(2048, private=True)
EC = ECKey.generate_key("P-256", private=True)
OKP = OKPKey.generate_key("Ed25519", private=True)
PUBLIC = {
    "RS256": (RSA, Secret(RSA.as_pem(private=False))),
    "PS256": (RSA, Secret(json.dumps(RSA.as_dict(private=False)))),
    "ES256": (EC, Secret(EC.as_pem(private=False))),
    "EdDSA": (OKP, Secret(json.dumps(OKP.as_dict(private=False)))),
}


def bearer(text, body=BODY):
    return Arrival("POST", URI, [("authorization", f"Bearer {text}")], body)


class TestToken:
    @pytest.mark.filterwarnings("ignore:.*EdDSA")
    @pytest.mark.parametrize("algorithm", PUBLIC)
    def test_takes_public_keys_as_pem_or_jwk(self, algorithm):
        key, secret = PUBLIC[algorithm]
        webhooks = declared(scheme="jwt", jwt=JWT | {"algorithms": [algorithm]})
        arrival = bearer(token(claims_of(BODY, NOW), key=key, algorithm=algorithm))
        assert verify(webhooks, arrival, secrets=[secret], now=NOW).claims["jti"] == "j-1"
        assert is_usable(webhooks, secret)

    def test_never_takes_a_public_key_for_a_shared_one(self):
        pem = RSA.as_pem(private=False)
        webhooks = declared(scheme="jwt", jwt=JWT | {"algorithms": ["RS256"]})
        signed = token(claims_of(BODY, NOW)).rpartition(".")[0]
        forged = f"{signed}.{base64.urlsafe_b64encode(mac(signed.encode(), key=pem)).decode().rstrip('=')}"
        assert refused(webhooks, bearer(forged), Secret(pem)) == "malformed"
        assert refused(declared(scheme="jwt", jwt=JWT), bearer(forged), Secret(pem)) == "wrong"
        assert not is_usable(declared(scheme="jwt", jwt=JWT), Secret(pem))

    def test_refuses_private_and_weak_keys(self):
        webhooks = declared(scheme="jwt", jwt=JWT | {"algorithms": ["RS256", "ES256"]})
        assert not is_usable(webhooks, Secret(RSA.as_pem(private=True)))
        assert not is_usable(webhooks, Secret("short"))
        assert not is_usable(declared(scheme="jwt", jwt=JWT), Secret("short"))

    @pytest.mark.parametrize(
        ("changed", "why"),
        [
            ({"aud": "them"}, "unfit"),
            ({"aud": ["them"]}, "unfit"),
            ({"aud": None}, "unfit"),
            ({"iss": "mallory"}, "unfit"),
            ({"exp": int(NOW.timestamp()) - 61}, "stale"),
            ({"exp": None}, "missing"),
            ({"iat": None}, "missing"),
            ({"iat": "soon"}, "malformed"),
            ({"iat": True}, "malformed"),
            ({"nbf": int(NOW.timestamp()) + 120}, "early"),
            ({"body_sha256": "0" * 64}, "wrong"),
            ({"body_sha256": None}, "malformed"),
            ({"body_sha256": "zz"}, "malformed"),
        ],
    )
    def test_refuses_a_token_that_says_something_else(self, changed, why):
        webhooks = declared(scheme="jwt", jwt=JWT)
        arrival = bearer(token(claims_of(BODY, NOW) | changed))
        assert refused(webhooks, arrival, Secret(SHARED)) == why

    def test_takes_an_audience_among_several(self):
        arrival = bearer(token(claims_of(BODY, NOW) | {"aud": ["them", "us"]}))
        verify(declared(scheme="jwt", jwt=JWT), arrival, secrets=[Secret(SHARED)], now=NOW)

    @pytest.mark.parametrize("head", [{"alg": "none"}, {"alg": "HS512"}, {"alg": "HS256", "crit": ["x"], "x": 1}, {}])
    def test_refuses_other_algorithms_and_what_must_be_understood(self, head):
        text = base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")
        rest = token(claims_of(BODY, NOW)).split(".", 1)[1]
        forged = bearer(f"{text}.{rest}")
        assert refused(declared(scheme="jwt", jwt=JWT), forged, Secret(SHARED)) in {"malformed", "wrong"}

    def test_reads_a_body_that_is_the_token(self):
        webhooks = declared(scheme="jwt", jwt=JWT | {"in_body": True})
        text = token({"id": "m1"} | claims_of(b"", NOW)).encode()
        found = verify(webhooks, Arrival("POST", URI, [], text), secrets=[Secret(SHARED)], now=NOW)
        assert json.loads(found.message)["id"] == "m1"
        later = NOW + timedelta(minutes=6)
        assert refused(webhooks, Arrival("POST", URI, [], text), Secret(SHARED), later) == "stale"
        assert refused(webhooks, Arrival("POST", URI, [], b"{}"), Secret(SHARED)) == "malformed"
