"""Signatures as receivers see them: verified by the libraries that they use, and by Ed25519 alone."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
import standardwebhooks
import svix.webhooks
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.webhooks.signing import code_of, digest_of, make_key, public_of, shared_of, sign
from app.vault.secret import Secret

KEY, OTHER = Secret(bytes(range(64))), Secret(bytes(range(64, 128)))
BODY = '{"type":"onboarding.task.completed","data":{"task":"Ausgefüllt"}}'.encode()
ID = "0195c8a0-7b3e-7cc1-9d7a-3f1e5a0c2b4d"
LIBRARIES = [standardwebhooks.Webhook, svix.webhooks.Webhook]


def now():
    return datetime.fromtimestamp(time.time(), tz=UTC)


def signed(*keys, ago=timedelta(), body=BODY):
    return sign(keys or (KEY,), ID, now() - ago, body)


def accepted(library, headers, body=BODY, key=KEY):
    try:
        library(shared_of(key).reveal()).verify(body, headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def of_kind(headers, version):
    pairs = (each.split(",", 1) for each in headers["webhook-signature"].split(" "))
    return [base64.b64decode(text, validate=True) for kind, text in pairs if kind == version]


def verifies(headers, public, body=BODY):
    """The `v1a` of a message, as a receiver would check it that has the public key and nothing else."""
    known = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_"), validate=True))
    told = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    for signature in of_kind(headers, "v1a"):
        try:
            known.verify(signature, told)
        except InvalidSignature:
            continue
        return True
    return False


@pytest.mark.parametrize("library", LIBRARIES)
class TestLibraries:
    def test_accept_what_is_sent(self, library):
        assert accepted(library, signed())
        assert accepted(library, {name.title(): value for name, value in signed().items()})

    def test_accept_the_moment_in_any_zone(self, library):
        there = now().astimezone(timezone(timedelta(hours=5, minutes=45)))
        assert accepted(library, sign([KEY], ID, there, BODY))

    @pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(days=30), -timedelta(minutes=6)])
    def test_refuse_what_is_not_of_now(self, library, age):
        assert not accepted(library, signed(ago=age))

    def test_refuse_what_was_altered(self, library):
        headers = signed()
        assert not accepted(library, headers, BODY + b" ")
        assert not accepted(library, headers, json.dumps(json.loads(BODY)).encode())
        assert not accepted(library, headers | {"webhook-id": ID[:-1] + "e"})
        assert not accepted(library, headers | {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)})
        assert not accepted(library, headers, key=OTHER)
        only_public = " ".join(x for x in headers["webhook-signature"].split(" ") if x.startswith("v1a,"))
        assert not accepted(library, headers | {"webhook-signature": only_public})

    def test_accept_either_key_during_a_rotation_and_the_new_one_after_it(self, library):
        both = signed(OTHER, KEY)
        assert accepted(library, both, key=KEY)
        assert accepted(library, both, key=OTHER)
        assert not accepted(library, signed(OTHER), key=KEY)


class TestPublicKeys:
    def test_verify_what_is_sent(self):
        assert verifies(signed(), public_of(KEY))
        assert verifies(signed(OTHER, KEY), public_of(KEY))
        assert verifies(signed(OTHER, KEY), public_of(OTHER))

    def test_refuse_what_was_altered_or_is_of_another(self):
        headers = signed()
        assert not verifies(headers, public_of(KEY), BODY + b" ")
        assert not verifies(headers | {"webhook-id": "another"}, public_of(KEY))
        assert not verifies(headers | {"webhook-timestamp": "1"}, public_of(KEY))
        assert not verifies(headers, public_of(OTHER))

    def test_and_secrets_come_of_halves_that_say_nothing_of_each_other(self):
        swapped = Secret(KEY.reveal_bytes()[:32] + OTHER.reveal_bytes()[32:])
        assert shared_of(swapped).reveal() == shared_of(KEY).reveal()
        assert public_of(swapped) == public_of(OTHER)


class TestHeaders:
    def test_are_those_three_and_hold_each_key_twice(self):
        headers = signed(OTHER, KEY)
        assert [*headers] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
        assert [x.partition(",")[0] for x in headers["webhook-signature"].split(" ")] == ["v1", "v1", "v1a", "v1a"]
        assert [len(each) for each in of_kind(headers, "v1") + of_kind(headers, "v1a")] == [32, 32, 64, 64]

    def test_show_no_secret(self):
        secret = shared_of(KEY).reveal().removeprefix("whsec_")
        assert secret not in str(signed())
        assert secret not in f"{shared_of(KEY)!r}{shared_of(KEY)}{KEY!r}"

    @given(st.text(alphabet='aä€𝄞\x00\u2028"\\ \n', max_size=60))
    def test_fit_any_text(self, text):
        body = json.dumps({"text": text}, ensure_ascii=False).encode("utf-8", "replace")
        assert standardwebhooks.Webhook(shared_of(KEY).reveal()).verify(body, signed(body=body)) == json.loads(body)


class TestKeys:
    def test_are_new_each_time(self):
        made = [make_key() for _ in range(20)]
        assert len({each.reveal_bytes() for each in made}) == 20
        assert {len(each.reveal_bytes()) for each in made} == {64}
        assert all(shared_of(each).reveal().startswith("whsec_") for each in made)
        assert all(public_of(each).startswith("whpk_") for each in made)


class TestCodes:
    def test_can_be_typed_and_are_the_same_for_the_same(self):
        code = code_of(KEY, ID, "https://hooks.example.com/in", 1)
        assert len(code) == 8
        assert not {*code} & {*"IlLOo01"}
        assert code == code_of(KEY, ID, "https://hooks.example.com/in", 1)
        assert digest_of(f" {code.lower()}\n") == digest_of(code)

    def test_are_others_for_another_try_address_endpoint_or_key(self):
        url = "https://hooks.example.com/in"
        made = {code_of(KEY, ID, url, n) for n in range(50)} | {code_of(KEY, ID, f"{url}{n}", 1) for n in range(50)}
        made |= {code_of(OTHER, ID, url, 1), code_of(KEY, "other", url, 1)}
        assert len(made) == 102

    def test_are_not_to_be_found_by_who_has_the_shared_half(self):
        half = Secret(KEY.reveal_bytes()[:32] + bytes(32))
        assert code_of(half, ID, "https://hooks.example.com/in", 1) != code_of(
            KEY, ID, "https://hooks.example.com/in", 1
        )
