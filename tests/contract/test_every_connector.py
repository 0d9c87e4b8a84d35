"""What every connector keeps, whatever it talks to; a new folder in the catalogue is tested by being there."""

import json
import logging
import pickle
import traceback
from datetime import timedelta

import pytest

from app.connectors.catalog.stand_in import Fault
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain
from tests.contract.conftest import REGISTRY, TOKEN, actions_where, is_write

PROVIDERS = sorted(REGISTRY.connectors)
ALL = actions_where(lambda _action: True)
READS = actions_where(lambda action: not is_write(action))
WRITES = actions_where(is_write)

every_provider = pytest.mark.parametrize("provider", PROVIDERS)
every_action = pytest.mark.parametrize(("provider", "action"), ALL)
every_read = pytest.mark.parametrize(("provider", "action"), READS)
every_write = pytest.mark.parametrize(("provider", "action"), WRITES)


def test_the_catalogue_is_found():
    assert {"hubspot", "product_admin"} <= set(PROVIDERS)


@every_provider
class TestCredentials:
    def test_good_ones_are_verified(self, bench):
        report = bench.call(bench.connector.manifest.verify)
        assert isinstance(report.outcome, Done), report
        assert report.certain

    def test_bad_ones_are_read_anew_once_then_shown_to_a_person(self, bench):
        verify = bench.connector.manifest.verify
        first, second = bench.call(verify, token="wrong"), bench.call(verify, token="wrong", attempt=2)
        assert isinstance(first.outcome, TryAgain)
        assert isinstance(second.outcome, NeedsPerson)
        assert (second.status, second.certain) == (401, True)

    def test_missing_ones_are_asked_for_without_a_request(self, bench):
        report = bench.call(bench.connector.manifest.verify, secrets={})
        assert (type(report.outcome), report.sent, bench.stand_in.requests) == (NeedsPerson, False, [])

    @pytest.mark.parametrize("token", ["line\nbreak", "a\r\nX: y", "caf\u00e9", "\x00"])
    def test_that_no_header_can_carry_are_refused(self, bench, token):
        report = bench.call(bench.connector.manifest.verify, token=token)
        assert (type(report.outcome), report.sent) == (NeedsPerson, False)

    def test_a_forbidden_call_needs_a_person(self, bench):
        bench.stand_in.break_next(Fault("status", status=403))
        assert isinstance(bench.call(bench.connector.manifest.verify).outcome, NeedsPerson)


@every_action
class TestTrouble:
    def test_rate_limit_waits_as_long_as_it_is_asked_to(self, bench, action):
        bench.stand_in.break_next(Fault("status", status=429, headers={"Retry-After": "37"}))
        report = bench.call(action)
        assert (type(report.outcome), report.certain) == (TryAgain, True)
        assert report.outcome.after == timedelta(seconds=37)

    def test_rate_limit_may_name_a_date(self, bench, action):
        date = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:29:30 GMT"}
        bench.stand_in.break_next(Fault("status", status=429, headers=date))
        assert bench.call(action).outcome.after <= timedelta(days=1)

    @pytest.mark.parametrize("wait", ["-5", "soon", "1e9", "9" * 400, "", "\u0664"])
    def test_rate_limit_survives_a_senseless_wait(self, bench, action, wait):
        headers = {"Retry-After": wait.encode("utf-8").decode("latin-1")}
        bench.stand_in.break_next(Fault("status", status=429, headers=headers))
        report = bench.call(action)
        assert timedelta() <= report.outcome.after <= timedelta(days=1)

    def test_a_refusal_for_good_is_not_repeated(self, bench, action):
        bench.stand_in.break_next(Fault("status", status=400))
        report = bench.call(action)
        assert (type(report.outcome), report.certain) == (GiveUp, True)

    def test_a_redirect_to_a_metadata_address_is_not_followed(self, bench, action):
        bench.stand_in.break_next(Fault("redirect", times=1))
        report = bench.call(action)
        assert (type(report.outcome), report.status) == (NeedsPerson, 302)
        assert bench.stand_in.requests == []

    def test_nobody_there_is_tried_again_within_the_budget(self, bench, action):
        bench.stand_in.stop()
        budget = bench.connector.manifest.limits.max_attempts
        first, last = bench.call(action), bench.call(action, attempt=budget)
        assert (type(first.outcome), first.sent, first.certain) == (TryAgain, False, True)
        assert (type(last.outcome), last.certain) == (NeedsPerson, True)

    def test_unfit_input_is_never_sent(self, bench, action):
        report = bench.call(action, input={"../../admin": "x", "deal_id": "1/../2", "workspace_id": ".."})
        required = bench.connector.manifest.actions[action].input.get("required")
        if required:
            assert (type(report.outcome), report.sent) == (GiveUp, False)


@every_read
class TestReading:
    @pytest.mark.parametrize("kind", ["garbage", "oversize", "reset_after_effect", "silent_after_effect", "slow"])
    def test_is_safe_to_repeat_after_any_broken_answer(self, bench, action, kind):
        bench.stand_in.break_next(Fault(kind))
        report = bench.call(action)
        assert (type(report.outcome), report.certain) == (TryAgain, True), report

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_repeats_server_errors_within_the_budget(self, bench, action, status):
        bench.stand_in.break_next(Fault("status", status=status, times=2))
        budget = bench.connector.manifest.limits.max_attempts
        first, last = bench.call(action), bench.call(action, attempt=budget)
        assert (type(first.outcome), type(last.outcome)) == (TryAgain, NeedsPerson)


@every_write
class TestWriting:
    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_server_error_is_repeated_only_where_that_is_safe(self, bench, action, status):
        bench.stand_in.break_next(Fault("status", status=status))
        report = bench.call(action)
        safe = bench.connector.manifest.actions[action].on_unknown != "queue"
        assert isinstance(report.outcome, TryAgain | NeedsPerson if safe else NeedsPerson)
        assert not report.certain

    def test_an_unknown_outcome_without_a_strategy_is_never_sent_again(self, bench, action):
        if bench.connector.manifest.actions[action].on_unknown != "queue":
            return
        report = bench.call(action, attempt=2, earlier_unknown=True)
        assert (type(report.outcome), report.certain, report.sent) == (NeedsPerson, False, False)
        assert bench.stand_in.requests == []


@every_action
class TestSecret:
    @pytest.mark.parametrize("kind", [None, "garbage", "status", "redirect", "silent_after_effect"])
    def test_is_never_seen(self, bench, action, kind, caplog, capfd):
        caplog.set_level(logging.DEBUG)
        if kind:
            bench.stand_in.break_next(Fault(kind, headers={"X-Echo": TOKEN}))
        report = bench.call(action)
        seen = [repr(report), str(report.outcome), report.excerpt, caplog.text, *capfd.readouterr()]
        assert not [text for text in seen if TOKEN in text]

    def test_is_blotted_out_of_an_answer_that_echoes_it(self, bench, action):
        bench.stand_in.error_shape = lambda _status, _message: {"you_sent": f"Bearer {TOKEN}"}
        bench.stand_in.break_next(Fault("status", status=400))
        report = bench.call(action)
        assert TOKEN not in report.excerpt
        assert "you_sent" in report.excerpt


def test_secrets_stay_out_of_tracebacks_and_pickles():
    from app.vault.secret import Secret

    secret = Secret(TOKEN)
    try:
        pickle.dumps(secret)
    except TypeError:
        text = traceback.format_exc()
    assert TOKEN not in text
    with pytest.raises(TypeError):
        json.dumps(secret)
