"""What every scheme keeps: genuine and of now is taken, by any active secret; altered, old, early or doubled is not."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.inbound.schemes import Arrival, DeliveryRefused, is_usable, proof_headers, verify
from app.vault.secret import Secret
from tests.unit.connectors.inbound.senders import BODY, NOW, SENDERS, URI

every_sender = pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS)
dated = pytest.mark.parametrize(
    "sender", [each for each in SENDERS.values() if each.webhooks.is_dated], ids=[n for n in SENDERS if n != "github"]
)
OTHERS = {"standard_webhooks_public": Secret("whpk_" + "A" * 43 + "="), "ed25519": Secret("a" * 64)}


def another(sender):
    """A secret of the same kind that is not this peer's."""
    name = next(name for name, each in SENDERS.items() if each is sender)
    return OTHERS.get(name, Secret("whsec_" + "B" * 43 + "=" if name.startswith("standard") else "another-" * 4))


def reason(sender, arrival, *secrets):
    with pytest.raises(DeliveryRefused) as refused:
        verify(sender.webhooks, arrival, secrets=secrets or [sender.secret], now=NOW)
    return refused.value.reason


def with_body(arrival, body):
    return Arrival(arrival.method, arrival.uri, arrival.headers, body)


@every_sender
class TestEveryScheme:
    def test_takes_what_the_peer_signed_and_gives_its_bytes(self, sender):
        found = verify(sender.webhooks, sender.arrival(), secrets=[sender.secret], now=NOW)
        assert found.message == BODY
        assert found.at == (NOW if sender.webhooks.is_dated else None)

    def test_takes_any_active_secret_while_they_change(self, sender):
        other = another(sender)
        for secrets in ([other, sender.secret], [sender.secret, other]):
            verify(sender.webhooks, sender.arrival(), secrets=secrets, now=NOW)

    def test_refuses_another_secret_and_none(self, sender):
        assert reason(sender, sender.arrival(), another(sender)) == "wrong"
        with pytest.raises(DeliveryRefused) as refused:
            verify(sender.webhooks, sender.arrival(), secrets=[], now=NOW)
        assert refused.value.reason == "no_secret"

    def test_knows_a_secret_that_could_be_one(self, sender):
        assert is_usable(sender.webhooks, sender.secret)
        assert not is_usable(sender.webhooks, Secret(" "))

    def test_refuses_a_changed_body(self, sender):
        arrival = sender.arrival()
        for body in (b"", BODY + b" ", BODY.replace(b"1", b"2"), b"x" * 100_000):
            assert reason(sender, with_body(arrival, body)) == "wrong"

    @given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
    def test_refuses_a_single_bit_that_was_turned(self, sender, place, bit):
        body = bytearray(BODY)
        body[place] ^= 1 << bit
        assert reason(sender, with_body(sender.arrival(), bytes(body))) == "wrong"

    @given(st.data())
    def test_refuses_a_header_of_the_proof_with_a_character_changed(self, sender, data):
        arrival = sender.arrival()
        name = data.draw(st.sampled_from([each.lower() for each in proof_headers(sender.webhooks)]))
        value = arrival.one(name)
        place = data.draw(st.integers(0, len(value) - 1))
        letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
        changed = value[:place] + letter + value[place + 1 :]
        headers = [(each, changed if each == name else said) for each, said in arrival.headers]
        try:
            verify(sender.webhooks, Arrival("POST", URI, headers, BODY), secrets=[sender.secret], now=NOW)
        except DeliveryRefused:
            return
        assert same(changed, value), changed

    def test_refuses_a_header_that_is_missing_empty_doubled_huge_or_no_ascii(self, sender):
        for name in proof_headers(sender.webhooks):
            arrival = sender.arrival()
            (value,) = arrival.every(name)
            others = [(each, said) for each, said in arrival.headers if each != name.lower()]
            for wrong, why in (
                ([], "missing"),
                ([(name, "")], "missing"),
                ([(name, value), (name.upper(), value)], "repeated"),
                ([(name, value + "x" * 9_000)], "oversized"),
                ([(name, value[:-1] + "\u00e9")], "malformed"),
            ):
                assert reason(sender, Arrival("POST", URI, [*others, *wrong], BODY)) == why

    @given(st.binary(max_size=64), st.text(max_size=80), st.text(max_size=80))
    def test_never_breaks(self, sender, body, one, two):
        names = [*proof_headers(sender.webhooks), "x", "y"]
        headers = list(zip(names, [one, two, one], strict=False))
        with pytest.raises(DeliveryRefused):
            verify(sender.webhooks, Arrival("POST", URI, headers, body), secrets=[sender.secret], now=NOW)

    def test_tells_a_forger_nothing(self, sender):
        with pytest.raises(DeliveryRefused) as refused:
            verify(sender.webhooks, sender.arrival(), secrets=[another(sender)], now=NOW)
        assert str(refused.value) == "The signature of this delivery does not hold."


@dated
class TestAge:
    @pytest.mark.parametrize("age", [timedelta(minutes=5), timedelta(), -timedelta(minutes=5)])
    def test_takes_five_minutes_either_way(self, sender, age):
        if sender.webhooks.scheme == "jwt" and age:
            age = age / 3  # its token is good for two minutes only
        verify(sender.webhooks, sender.arrival(at=NOW - age), secrets=[sender.secret], now=NOW)

    def test_refuses_what_is_older(self, sender):
        assert reason(sender, sender.arrival(at=NOW - timedelta(seconds=301))) == "stale"
        assert reason(sender, sender.arrival(at=NOW - timedelta(days=400))) == "stale"

    def test_refuses_what_is_of_the_future(self, sender):
        assert reason(sender, sender.arrival(at=NOW + timedelta(seconds=301))) == "early"
        assert reason(sender, sender.arrival(at=NOW + timedelta(days=400))) == "early"


def same(one, other):
    """Whether two headers say the same: hexadecimal has two cases, base64 spare bits, Stripe a `v0` nobody reads."""
    if ",v0=" in other and one.split(",")[:2] == other.split(",")[:2]:
        return True
    if one.lower() == other.lower():
        return True
    return one[:-3].lower() == other[:-3].lower() and ("=" in other[-3:] or "." in other)
