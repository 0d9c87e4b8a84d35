"""The envelope, what is remembered of a delivery, what an answer says, and whether it gives a code back."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.webhooks.envelope import VERIFICATION, Happened, write_challenge, write_event
from app.connectors.webhooks.log import Attempt, Delivery, key_of
from app.connectors.webhooks.operations.challenges import echoed
from app.connectors.webhooks.rules import MOST_ATTEMPTS
from app.connectors.webhooks.sender import Answer, Sender, _read
from app.connectors.webhooks.signing import digest_of
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient, OutboundResponse, PeerOutcomeUnknown, PeerUnreachable
from app.kernel.outbound.egress import EgressRefused

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TENANT, EVENT, ONBOARDING = (UUID(f"0195c8a0-0000-7000-8000-00000000000{n}") for n in (1, 2, 3))
BODY: dict[str, Any] = {"task": "Kick-off", "evidence": None, "answers": {}}


def event(**given):
    told: dict[str, Any] = {"id": EVENT, "type": "onboarding.task.completed", "at": NOW, "subject_kind": "task"}
    told |= {"subject_id": TENANT, "onboarding_id": ONBOARDING, "trace_id": "0af7", "body": BODY}
    return Happened(**(told | given))


def written(given=None, *, sequence=None, thin=False):
    return json.loads(write_event(TENANT, given or event(), sequence=sequence, thin=thin))


class TestEvents:
    def test_are_written_whole(self):
        assert written(sequence=41) == {
            "specversion": "1.0",
            "id": str(EVENT),
            "source": f"/tenants/{TENANT}",
            "type": "onboarding.task.completed",
            "time": "2026-03-02T09:00:00Z",
            "datacontenttype": "application/json",
            "subject": f"task/{TENANT}",
            "correlationid": "0af7",
            "partitionkey": str(ONBOARDING),
            "sequence": "000000000041",
            "data": BODY,
        }

    def test_say_what_and_nothing_of_it_where_they_are_thin(self):
        assert {*written(sequence=41)} - {*written(sequence=41, thin=True)} == {"data"}

    def test_leave_out_what_there_is_not(self):
        assert not {"partitionkey", "sequence"} & {*written(event(onboarding_id=None))}

    def test_keep_what_the_trail_adds_to_themselves(self):
        assert written(event(body=BODY | {"delegations": [str(TENANT)]}))["data"] == BODY

    def test_are_the_same_bytes_each_time_and_in_every_zone(self):
        there = event(at=NOW.astimezone(timezone(timedelta(hours=-9))))
        once, again = (write_event(TENANT, each, sequence=2, thin=False) for each in (event(), there))
        assert once == again

    @given(st.lists(st.integers(0, 10**12 - 1), min_size=2, max_size=5))
    def test_are_sorted_by_their_numbers_as_text(self, numbers):
        told = [written(sequence=number)["sequence"] for number in numbers]
        assert [int(each) for each in sorted(told)] == sorted(numbers)

    def test_have_no_attribute_that_is_empty(self):
        assert "" not in written(event(trace_id="")).values()

    def test_ask_for_a_code_in_an_envelope_like_theirs(self):
        told = json.loads(write_challenge(TENANT, EVENT, NOW, "ABCD2345"))
        assert (told["type"], told["data"]) == (VERIFICATION, {"challenge": "ABCD2345"})
        assert {*told} - {"data"} == {"specversion", "id", "source", "type", "time", "datacontenttype"}


CODE = "ABCD2345"


class TestEchoes:
    @pytest.mark.parametrize(
        "content",
        [
            *(b"ABCD2345", b" abcd2345\r\n", b'"ABCD2345"', b'{"challenge": "ABCD2345"}'),
            b'{"ok": true, "challenge": "abcd2345"}',
        ],
    )
    def test_are_heard_as_text_and_as_json(self, content):
        assert echoed(content, digest_of(CODE))

    @pytest.mark.parametrize(
        "content",
        [
            *(
                b"",
                b"ok",
                b"{}",
                b"[]",
                b"null",
                b'["ABCD2345"]',
                b'{"challenge": null}',
                b'{"challenge": ["ABCD2345"]}',
            ),
            *(b'{"code": "ABCD2345"}', b"ABCD2346", b"ABCD2345 ABCD2345", b"\xff\xfe", b"\x00", b"challenge=ABCD2345"),
        ],
    )
    def test_are_not_heard_in_anything_else(self, content):
        assert not echoed(content, digest_of(CODE))

    def test_are_not_heard_where_everything_is_sent_back_as_it_came(self):
        assert not echoed(write_challenge(TENANT, EVENT, NOW, CODE), digest_of(CODE))

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b'"\xe4"', id="latin-1"),
            pytest.param(b'{"challenge": "\xff"}', id="bytes"),
            pytest.param(b"[" * 16_384, id="deep"),
        ],
    )
    def test_are_not_heard_in_what_is_no_json(self, content):
        assert not echoed(content, digest_of(CODE))

    @pytest.mark.parametrize("code", ["23456789", "2222E222", "22222E22"])
    def test_are_heard_where_the_code_looks_like_a_number(self, code):
        assert echoed(code.encode(), digest_of(code))

    @given(st.text(alphabet='Z2{}[]":, \\é\n', max_size=40))
    def test_never_break(self, text):
        assert not echoed(text.encode("utf-8", "replace"), digest_of("ZZZZZZZZ")) or text.strip().upper() == "ZZZZZZZZ"


class TestDeliveries:
    def test_remember_the_last_tries_and_count_all(self):
        found = Delivery("onboarding.started", NOW, "waiting")
        for number in range(MOST_ATTEMPTS + 5):
            found = found.with_attempt(Attempt(NOW, "refused", 500, number), "waiting", NOW)
        assert (len(found.attempts), found.tries) == (MOST_ATTEMPTS, MOST_ATTEMPTS + 5)
        assert (found.attempts[0].ms, found.attempts[-1].ms) == (5, MOST_ATTEMPTS + 4)

    def test_begin_anew_with_what_was(self):
        failed = Delivery("onboarding.started", NOW, "waiting", 3).with_attempt(Attempt(NOW, "gone", 410), "failed")
        again = failed.asked_again()
        assert (again.state, again.tries, again.asked, again.attempts) == ("waiting", 0, 1, failed.attempts)

    def test_are_read_as_they_were_written(self):
        found = Delivery("x", NOW, "waiting", 3).with_attempt(Attempt(NOW, "refused", 500, 12, "no"), "waiting", NOW)
        assert msgspec.convert(msgspec.to_builtins(found), Delivery) == found

    def test_of_one_endpoint_stand_in_the_order_of_their_events(self):
        ids = [new_id() for _ in range(50)]
        assert sorted(key_of(TENANT, each) for each in reversed(ids)) == [key_of(TENANT, each) for each in ids]


class TestAnswers:
    @pytest.mark.parametrize(
        ("status", "code"),
        [
            *((200, "delivered"), (204, "delivered"), (299, "delivered"), (410, "gone")),
            *(
                (199, "refused"),
                (302, "refused"),
                (400, "refused"),
                (404, "refused"),
                (429, "refused"),
                (500, "refused"),
            ),
        ],
    )
    def test_are_taken_from_200_to_299_only(self, status, code):
        found = _read(OutboundResponse(status, {}, b"", 0.25))
        assert (found.code, found.taken, found.ms) == (code, code == "delivered", 250)

    @pytest.mark.parametrize(
        ("status", "told", "wished"),
        [
            *((429, "120", 120), (502, "1", 1), (503, "0", 0), (504, "999999999", 86_400), (503, "soon", 0)),
            *((200, "120", None), (500, "120", None), (404, "120", None)),
        ],
    )
    def test_that_ask_for_patience_are_given_it_for_a_day_at_most(self, status, told, wished):
        found = _read(OutboundResponse(status, {"retry-after": told}, b"", 0.1)).wished
        assert found == (None if wished is None else timedelta(seconds=wished))

    @given(st.binary(max_size=3_000))
    def test_are_shown_in_part_and_as_plain_text(self, content):
        shown = Answer("refused", "500", 500, content=content).excerpt
        assert len(shown) <= 500
        assert shown.isprintable()
        json.dumps(shown, ensure_ascii=False).encode()


class Client(OutboundClient):
    """Answers, or fails, as it is told."""

    def __init__(self, outcome):
        self.outcome, self.asked = outcome, []

    def send(self, request):
        self.asked.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


class TestCalls:
    @pytest.mark.parametrize(
        ("outcome", "code"),
        [
            (EgressRefused("private", "no"), "egress_private"),
            (PeerUnreachable("no", "tls"), "unreachable"),
            *((PeerOutcomeUnknown("no", "timeout"), "silent"), (PeerOutcomeUnknown("no", "oversize"), "unreadable")),
            *((PeerOutcomeUnknown("no", "broken"), "unreadable"), (PeerOutcomeUnknown("no", "garbage"), "unreadable")),
        ],
    )
    def test_that_fail_come_back_as_answers(self, outcome, code):
        answer = Sender(Client(outcome)).send("https://hooks.example.com", {}, b"{}", sandbox=False)
        assert (answer.code, answer.taken, answer.said) == (code, False, "no")

    def test_name_nobody_whose_platform_it_is(self):
        client = Client(OutboundResponse(204, {}, b"", 0.1))
        assert Sender(client).send("https://hooks.example.com", {"webhook-id": "1"}, b"{}", sandbox=True).taken
        [request] = client.asked
        assert request.sandbox
        assert "slipway" not in str(dict(request.headers)).lower()

    def test_to_one_tenant_are_twelve_at_once_and_its_places_come_back(self):
        sender = Sender(Client(None))
        with ExitStack() as open_calls:
            free = [open_calls.enter_context(sender.place(TENANT)) for _ in range(14)]
            assert free == [True] * 12 + [False] * 2
            assert open_calls.enter_context(sender.place(uuid4()))
        with pytest.raises(ZeroDivisionError), sender.place(TENANT):
            raise ZeroDivisionError
        with ExitStack() as open_calls:
            assert all(open_calls.enter_context(sender.place(TENANT)) for _ in range(12))
