"""What a connection's settings do to a request: they name a host, no more, and stand where the manifest says."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.kit.answers.meaning import read_answer
from app.connectors.kit.consistency import contradictions
from app.connectors.kit.contract import ActionCall
from app.connectors.kit.exchange import InputUnfit, shape_request
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import NOBODY_SET, ConnectionConfig, SettingsUnfit, host_filled, weak_place
from app.kernel.outbound.client import OutboundClient, OutboundResponse
from app.kernel.outbound.egress import parse_url
from app.kernel.outcomes import NeedsPerson

REGISTRY = Registry.load()
HOSTILE = [
    *(
        "evil.example/x",
        "a@evil.example",
        "a:1",
        "a?b",
        "a#b",
        "..",
        ".a",
        "a.",
        "a..b",
        "-a.b",
        "",
        " ",
        "a b.c",
        "a\n",
    ),
    *("169.254.169.254", "[::1]", "localhost", "\u0430.example", "a\\b.c", "a%2e.b", "A.example", "x" * 64 + ".y"),
]


def ask(provider, action, config=None, **given):
    config = config or REGISTRY.get(provider).example()
    return ActionCall(provider=provider, action=action, input=given, idempotency_key="k", secrets={}, config=config)


def shaped(call):
    connector = REGISTRY.get(call.provider)
    return shape_request(connector, connector.manifest.actions[call.action], call, 5.0)


class TestHost:
    @pytest.mark.parametrize("value", HOSTILE)
    def test_is_a_name_or_nothing(self, value):
        with pytest.raises(SettingsUnfit):
            host_filled("https://{config.host}", {"host": value})
        if value != "localhost":  # below x.example it is a name like any other
            with pytest.raises(SettingsUnfit):
                host_filled("https://{config.site}.x.example", {"site": value})

    @given(st.text(max_size=40))
    def test_stays_below_what_the_manifest_names(self, value):
        try:
            url = host_filled("https://{config.site}.x.example:8443", {"site": value})
        except SettingsUnfit:
            return
        target = parse_url(url)
        assert (target.host.endswith(".x.example"), target.host.count("."), target.port) == (True, 2, 8443)

    @pytest.mark.parametrize(
        "told", [{"type": "string"}, {"pattern": "^.*$"}, {"pattern": "[a-z]+"}, {"pattern": "^[a-z/]+$"}]
    )
    def test_takes_no_setting_whose_pattern_lets_more_through(self, told):
        assert weak_place({"properties": {"site": told}, "required": ["site"]}, "site")

    def test_takes_one_with_a_strict_pattern_or_a_list(self):
        for told in ({"pattern": "^[a-z0-9-]+$"}, {"enum": ["eu", "us"]}):
            assert not weak_place({"properties": {"site": told}, "required": ["site"]}, "site")


class TestRequest:
    def test_of_a_partner_has_the_partners_names(self):
        record = {"reference": "a-1", "name": "Acme", "email": "a@acme.example"}
        request = shaped(ask("rest", "create_record", record=record))
        assert request.url == "https://api.partner.example/api/v2/customers"
        assert msgspec.json.decode(request.content) == {
            "customer_no": "a-1",
            "title": "Acme",
            "contact": {"mail": "a@acme.example"},
        }
        assert shaped(ask("rest", "find_record", record=record)).url.endswith("?limit=1&customer_no=a-1")

    def test_never_asks_for_any_record_in_place_of_one(self):
        with pytest.raises(InputUnfit):
            shaped(ask("rest", "find_record"))

    @pytest.mark.parametrize("evil", ["..", ".", "a/../b", "a/b", "%2e%2e/x", "a?b=c"])
    def test_cannot_be_led_out_of_its_path(self, evil):
        with pytest.raises(InputUnfit):
            shaped(ask("rest", "read_record", id=evil))
        settings = dict(REGISTRY.get("rest").example().settings) | {"base_path": f"/{evil}"}
        try:
            url = shaped(ask("rest", "read_record", ConnectionConfig(settings=settings), id="1")).url
        except InputUnfit:
            return
        assert "/../" not in url
        assert url.endswith("/customers/1")

    def test_of_stripe_is_a_form_in_a_version(self):
        request = shaped(ask("stripe", "create_customer", name="Acme & Söhne", onboarding="o-1"))
        assert request.content == b"name=Acme%20%26%20S%C3%B6hne&metadata%5Bonboarding%5D=o-1"
        assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert request.headers["Idempotency-Key"] == "k"
        assert request.headers["Stripe-Version"]


class TestAnswer:
    @pytest.mark.parametrize(
        ("status", "content", "word"),
        [
            (200, b'{"ok": false, "error": "channel_not_found"}', "fail_permanent"),
            (200, b'{"ok": false, "error": "ratelimited"}', "rate_limited"),
            (200, b'{"ok": false, "error": "token_expired"}', "refresh_and_retry"),
            (200, b'{"ok": false, "error": "missing_scope"}', "fail_config"),
            (200, b'{"ok": false, "error": "fatal_error"}', "retry"),
            (200, b'{"ok": 0, "error": {}}', "unreadable"),
            (200, b'{"ok": true}', "unreadable"),
            (200, b'{"ok": true, "channel": "C1", "ts": "1.2"}', "done"),
            (429, b'{"ok": false, "error": "ratelimited"}', "rate_limited"),
            (503, b"", "retry"),
        ],
    )
    def test_of_slack_is_read_in_its_body(self, status, content, word):
        call = ask("slack", "post_message", channel="C0123456789", text="x")
        assert read_answer(REGISTRY.get("slack"), call, OutboundResponse(status, {}, content, 0.0)).word == word

    def test_may_be_told_by_a_header(self):
        call, connector = ask("stripe", "create_customer", name="A"), REGISTRY.get("stripe")
        for headers, word in (({"stripe-should-retry": "true"}, "retry"), ({}, "fail_permanent")):
            assert read_answer(connector, call, OutboundResponse(409, headers, b"{}", 0.0)).word == word


class TestRun:
    def test_of_an_old_key_is_not_sent_again(self):
        """Stripe has forgotten the key: a second request would be a second customer."""
        runner = Runner(REGISTRY, OutboundClient())
        call = ask("stripe", "create_customer", name="Acme")
        late = replace(call, attempt=2, earlier_unknown=True, unknown_for=timedelta(hours=25))
        report = runner.call(late)
        assert (type(report.outcome), report.certain, report.sent) == (NeedsPerson, False, False)

    def test_of_a_connection_that_nobody_set_may_only_read(self):
        report = Runner(REGISTRY, OutboundClient()).call(ask("stripe", "create_customer", NOBODY_SET, name="Acme"))
        assert (report.code, report.sent) == ("above_level", False)


@pytest.mark.parametrize(
    ("action", "changes", "said"),
    [
        ("create_customer", {"compensate": "nowhere"}, "compensate must name"),
        ("create_customer", {"compensate": "read_customer"}, "compensate must name"),
        ("create_customer", {"access": "read"}, "needs the access"),
        ("create_customer", {"idempotency": "same"}, "a POST makes one more"),
        ("create_customer", {"transform": "[["}, "no JMESPath"),
        ("list_invoices", {"effect": "write", "access": "write"}, "only a read"),
    ],
)
def test_contradictions_are_found(action, changes, said):
    manifest = REGISTRY.get("stripe").manifest
    changed = msgspec.structs.replace(manifest.actions[action], **changes)
    manifest = msgspec.structs.replace(manifest, actions=manifest.actions | {action: changed})
    assert [place for place, sentence in contradictions(manifest) if said in sentence] == [f"actions/{action}"]
