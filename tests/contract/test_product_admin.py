"""Product administration against its stand-in: one effect per key, whatever happens to the answer."""

import threading

import pytest

from app.connectors.catalog.stand_in import Fault
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain

pytestmark = pytest.mark.parametrize("provider", ["product_admin"])
SPOILED = ["silent_after_effect", "reset_after_effect", "garbage", "oversize", "slow"]


@pytest.fixture
def workspace(bench):
    """The id of a workspace that exists."""
    return bench.call("create_workspace", idempotency_key="setup").outcome.result["id"]


def effects(bench, kind):
    return [effect for effect in bench.stand_in.effects if effect["kind"] == kind]


class TestCreateWorkspace:
    def test_returns_what_was_made(self, bench):
        report = bench.call("create_workspace")
        assert report.outcome.result["external_id"] == "acme-onboarding-1"
        assert (report.code, report.status) == ("done", 201)

    @pytest.mark.parametrize("kind", SPOILED)
    def test_happens_once_when_the_answer_is_lost(self, bench, kind):
        bench.stand_in.break_next(Fault(kind, path="/v1/workspaces"))
        report = bench.call("create_workspace")
        assert (type(report.outcome), report.code, report.certain) == (Done, "found_by_lookup", True)
        assert len(effects(bench, "workspace_created")) == 1

    @pytest.mark.parametrize("kind", SPOILED)
    def test_happens_once_when_the_look_up_is_lost_too(self, bench, kind):
        bench.stand_in.break_next(Fault(kind, path="/v1/workspaces", times=2))
        first = bench.call("create_workspace")
        assert (type(first.outcome), first.certain) == (TryAgain, False)
        second = bench.call("create_workspace", attempt=2, earlier_unknown=True)
        assert isinstance(second.outcome, Done)
        assert len(effects(bench, "workspace_created")) == 1

    def test_happens_once_for_a_worker_killed_before_it_could_record(self, bench):
        for attempt in range(1, 5):
            report = bench.call("create_workspace", attempt=attempt, earlier_unknown=attempt > 1)
            assert isinstance(report.outcome, Done)
        assert [effect["key"] for effect in effects(bench, "workspace_created")] == ["run-1"]

    def test_happens_once_for_eight_at_once(self, bench):
        threads = [threading.Thread(target=bench.call, args=("create_workspace",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(effects(bench, "workspace_created")) == 1

    def test_is_found_when_another_run_made_it(self, bench):
        bench.call("create_workspace")
        report = bench.call("create_workspace", idempotency_key="run-2")
        assert (type(report.outcome), report.code) == (Done, "already_done")
        assert len(effects(bench, "workspace_created")) == 1

    def test_gives_up_when_the_key_was_used_for_something_else(self, bench):
        bench.call("create_workspace")
        other = {"external_id": "other", "name": "Other", "plan": "team"}
        report = bench.call("create_workspace", input=other)
        assert (type(report.outcome), report.status) == (GiveUp, 422)

    def test_keeps_accounts_apart(self, bench):
        bench.stand_in.tokens["second-token"] = "globex"
        bench.call("create_workspace")
        bench.call("create_workspace", token="second-token")
        assert [effect["account"] for effect in effects(bench, "workspace_created")] == ["acme", "globex"]

    def test_survives_a_server_error_and_then_a_rate_limit(self, bench):
        bench.stand_in.break_next(Fault("status", status=500, path="/v1/workspaces", times=2))
        bench.stand_in.break_next(Fault("status", status=429, path="/v1/workspaces", headers={"Retry-After": "2"}))
        outcomes = [bench.call("create_workspace", attempt=n, earlier_unknown=n > 1).outcome for n in (1, 2, 3)]
        assert [type(outcome) for outcome in outcomes] == [TryAgain, TryAgain, Done]
        assert len(effects(bench, "workspace_created")) == 1


class TestAddMember:
    def given(self, workspace):
        return {"workspace_id": workspace, "email": "ada@acme.example", "role": "admin"}

    @pytest.mark.parametrize("kind", SPOILED)
    def test_is_looked_up_when_the_answer_is_lost(self, bench, workspace, kind):
        bench.stand_in.break_next(Fault(kind, path="/v1/workspaces/"))
        report = bench.call("add_member", input=self.given(workspace))
        assert (type(report.outcome), report.code) == (Done, "found_by_lookup")

    def test_is_looked_up_before_it_is_sent_again(self, bench, workspace):
        bench.call("add_member", input=self.given(workspace))
        bench.stand_in.requests.clear()
        report = bench.call("add_member", input=self.given(workspace), attempt=2, earlier_unknown=True)
        assert isinstance(report.outcome, Done)
        assert [method for method, _path in bench.stand_in.requests] == ["GET"]

    def test_is_sent_when_the_look_up_finds_nothing(self, bench, workspace):
        report = bench.call("add_member", input=self.given(workspace), attempt=2, earlier_unknown=True)
        assert isinstance(report.outcome, Done)
        assert len(effects(bench, "member_added")) == 1

    def test_is_not_sent_while_the_look_up_fails(self, bench, workspace):
        bench.stand_in.break_next(Fault("status", status=500, path="/v1/workspaces/"))
        report = bench.call("add_member", input=self.given(workspace), attempt=2, earlier_unknown=True)
        assert (type(report.outcome), report.certain) == (TryAgain, False)
        assert effects(bench, "member_added") == []

    def test_cannot_climb_out_of_its_path(self, bench, workspace):
        for evil in ("..", ".", "../../account", "x/../y", "%2e%2e", "a?b=c", "a#b"):
            report = bench.call("add_member", input={**self.given(workspace), "workspace_id": evil})
            assert isinstance(report.outcome, GiveUp)
        assert effects(bench, "member_added") == []


class TestSendWelcome:
    @pytest.mark.parametrize("kind", SPOILED)
    def test_waits_for_a_person_when_the_answer_is_lost(self, bench, workspace, kind):
        bench.stand_in.break_next(Fault(kind, path="/v1/workspaces/"))
        first = bench.call("send_welcome", input={"workspace_id": workspace})
        second = bench.call("send_welcome", input={"workspace_id": workspace}, attempt=2, earlier_unknown=True)
        assert [type(report.outcome) for report in (first, second)] == [NeedsPerson, NeedsPerson]
        assert not first.certain
        assert len(effects(bench, "welcome_sent")) == 1
