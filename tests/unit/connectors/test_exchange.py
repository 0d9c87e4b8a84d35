"""From a call to a request and from an answer to a meaning, with input and answers that mean no good."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.kit.answers.meaning import read_answer
from app.connectors.kit.contract import ActionCall
from app.connectors.kit.exchange import (
    LONGEST_RETRY_AFTER,
    InputUnfit,
    excerpt,
    pause_before,
    retry_after,
    shape_request,
    signed,
)
from app.connectors.kit.registry import Registry
from app.kernel.outbound.client import OutboundResponse
from app.kernel.outbound.egress import parse_url
from app.vault.secret import Secret

CONNECTOR = Registry.load().get("product_admin")


def call(action, **given):
    return ActionCall(
        provider="product_admin",
        action=action,
        input=given,
        idempotency_key="run-1",
        secrets={"api_token": Secret("t0ken")},
    )


def request_of(action, **given):
    asked = call(action, **given)
    return signed(CONNECTOR, asked, shape_request(CONNECTOR, CONNECTOR.manifest.actions[action], asked, 5.0))


def meaning_of(action, status, content):
    return read_answer(CONNECTOR, call(action), OutboundResponse(status, {}, content, 0.0))


class TestBuildRequest:
    @given(st.text(min_size=1, max_size=60))
    def test_never_leaves_its_path_and_host(self, workspace_id):
        try:
            request = request_of("find_member", workspace_id=workspace_id, email="a@b.example")
        except InputUnfit:
            return
        assert parse_url(request.url).host == "admin.workbench.example"
        segments = urlsplit(request.url).path.split("/")
        assert segments[:3] == ["", "v1", "workspaces"]
        assert (len(segments), segments[4]) == (5, "members")
        assert segments[3] not in {"", ".", ".."}

    @given(st.text(min_size=1, max_size=60))
    def test_never_adds_a_query(self, email):
        request = request_of("find_member", workspace_id="ws", email=email)
        assert urlsplit(request.url).query.count("=") == 1
        assert "&" not in urlsplit(request.url).query

    def test_leaves_out_what_the_input_leaves_out(self):
        request = request_of("create_workspace", external_id="x", name="\u00dcber", plan="team")
        assert request.content == '{"external_id": "x", "name": "\u00dcber", "plan": "team"}'.encode()

    def test_carries_key_and_token(self):
        headers = request_of("create_workspace", external_id="x", name="X", plan="team").headers
        assert headers["Idempotency-Key"] == "run-1"
        assert headers["Authorization"] == "Bearer t0ken"

    @pytest.mark.parametrize(
        "given", [{}, {"plan": "gold"}, {"seats": "many"}, {"surprise": 1}, {"name": "x" * 500}, {"seats": 0}]
    )
    def test_refuses_input_that_does_not_fit(self, given):
        with pytest.raises(InputUnfit) as unfit:
            request_of(
                "create_workspace", **{"external_id": "x", "name": "X", **({"plan": "team"} if given else {}), **given}
            )
        assert unfit.value.errors


class TestReadAnswer:
    GOOD = b'{"id": "mb", "email": "a@b", "role": "admin", "internal": "dropped"}'

    def test_keeps_only_what_the_output_declares(self):
        assert meaning_of("add_member", 201, self.GOOD).result == {"id": "mb", "email": "a@b", "role": "admin"}

    @pytest.mark.parametrize(
        "content",
        [
            *(b"", b"   ", b"{}", b"[]", b"null", b"7", b'"text"', b"<html>", b"\xff\xfe", b"{", b"[" * 50_000, b"NaN"),
            *(b'{"id": 7, "email": "a", "role": "b"}', b'{"id": "x"}', b'{"id": NaN}', b'{"id": "a"} trailing'),
        ],
    )
    def test_calls_what_it_cannot_use_unreadable(self, content):
        assert meaning_of("add_member", 200, content).word == "unreadable"

    def test_finds_nothing_where_nothing_is(self):
        assert meaning_of("find_member", 200, b'{"items": []}').result is None
        assert meaning_of("find_member", 200, b'{"items": {}}').result is None
        assert meaning_of("find_member", 200, b'{"items": [%s]}' % self.GOOD).result is not None

    @pytest.mark.parametrize(
        ("status", "content", "word"),
        [
            (409, b'{"error": {"code": "member_exists"}}', "already_done"),
            (409, b'{"error": {"code": "other"}}', "fail_permanent"),
            (409, b"not json", "fail_permanent"),
            (409, b'{"error": ["member_exists"]}', "fail_permanent"),
            (401, b"", "refresh_and_retry"),
            (403, b"", "fail_config"),
            (301, b"", "fail_config"),
            (404, b"", "fail_permanent"),
            (408, b"", "retry"),
            (429, b"", "rate_limited"),
            (500, b"[", "retry"),
            (599, b"", "retry"),
        ],
    )
    def test_reads_the_error_table(self, status, content, word):
        assert meaning_of("add_member", status, content).word == word

    @given(st.integers(200, 599), st.binary(max_size=200))
    def test_never_breaks(self, status, content):
        assert meaning_of("add_member", status, content).word


class TestPauses:
    @given(st.integers(1, 10_000), st.text(max_size=20))
    def test_grow_and_stay_bounded(self, attempt, key):
        assert timedelta(seconds=4) <= pause_before(attempt, key) <= timedelta(minutes=17)

    def test_are_the_same_for_the_same_attempt(self):
        assert pause_before(3, "k") == pause_before(3, "k")

    @given(st.text(max_size=40), st.text(max_size=40))
    def test_asked_for_by_the_peer_never_break(self, wait, date):
        assert timedelta() <= retry_after({"retry-after": wait, "date": date}, timedelta(1)) <= LONGEST_RETRY_AFTER

    def test_may_be_dates(self):
        headers = {"retry-after": "Wed, 21 Oct 2026 07:29:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}
        assert retry_after(headers, timedelta(1)) == timedelta(seconds=90)


class TestExcerpt:
    def test_is_short_printable_and_without_secrets(self):
        text = excerpt(b"token t0ken \x1b[31m\x00\n" + b"x" * 5000, call("read_account"))
        assert "t0ken" not in text
        assert text.isprintable()
        assert len(text) <= 500

    def test_hides_a_secret_across_the_cut(self):
        assert "t0ken"[:3] not in excerpt(b"x" * 498 + b"t0ken", call("read_account"))[-5:]
