"""Whether a call goes out: by stage, share and the configuration that was let out; which steps that needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.connectors.kit.contract import ActionCall
from app.connectors.kit.limits.release import STAGES, Release, is_in_pilot, mark_of, verdict_on
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.pillars.flows import flow_mark, flows_of
from app.connectors.pillars.rules import (
    NEEDED,
    STEPS,
    Exposure,
    Facts,
    is_back,
    is_good_enough,
    milestone_of,
    missing_for,
    risk_of,
    states_of,
)
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.outcomes import NeedsPerson

REST = Registry.load().get("rest").manifest
HUBSPOT = Registry.load().get("hubspot").manifest
SET: dict[str, Any] = {
    "settings": {"host": "api.partner.example", "base_path": "", "collection": "c", "key_field": "no"},
    "mappings": {"create_record": {"request": {"customer.no": "reference", "mail": "email"}}},
    "level": None,
}
MINE, OTHERS = "019ab6f0-0000-7000-8000-000000000001", [f"019ab6f0-0000-7000-8000-{n:012d}" for n in range(400)]


def kept(stage: str, **more: Any) -> dict[str, Any]:
    return {"stage": stage, "share": 0, "chosen": [], "marks": [mark_of(REST, SET)]} | more


class TestVerdict:
    def test_lets_out_what_was_live_before_there_were_stages(self):
        assert verdict_on(None, REST, SET, "") == "live"

    def test_begins_by_the_connector(self):
        assert verdict_on({}, REST, SET, "") == "off"
        assert verdict_on({}, HUBSPOT, SET, "") == "live"

    @pytest.mark.parametrize(("stage", "found"), [("off", "off"), ("sandbox", "sandbox"), ("all", "live")])
    def test_goes_by_the_stage(self, stage, found):
        assert verdict_on(kept(stage), REST, SET, MINE) == found

    def test_holds_a_changed_configuration_and_lets_the_one_before_out_again(self):
        changed = SET | {"level": "write"}
        assert verdict_on(kept("all"), REST, changed, MINE) == "changed"
        assert verdict_on(kept("all"), REST, SET | {"version": 9}, MINE) == "live", "a number changes nothing"
        assert verdict_on(kept("all"), replace_version("2.0.0"), SET, MINE) == "changed"
        assert verdict_on(kept("all"), replace_version("1.4.2"), SET, MINE) == "live"

    def test_lets_out_the_pilots_onboardings_only(self):
        assert verdict_on(kept("pilot", chosen=[MINE]), REST, SET, MINE) == "live"
        assert verdict_on(kept("pilot", chosen=[MINE]), REST, SET, OTHERS[3]) == "not_chosen"
        assert verdict_on(kept("pilot", share=99), REST, SET, "") == "not_chosen", "what is about none is in no share"

    def test_takes_about_the_share_and_keeps_whom_it_has(self):
        some = {each for each in OTHERS if is_in_pilot(Release("pilot", 10), each)}
        more = {each for each in OTHERS if is_in_pilot(Release("pilot", 30), each)}
        assert 15 <= len(some) <= 70
        assert some < more


def replace_version(version: str) -> Any:
    from msgspec.structs import replace as with_

    return with_(REST, version=version)


class TestRunner:
    def test_sends_nothing_that_is_not_let_out(self):
        runner = Runner(Registry.load(), OutboundClient(AddressBook({})), time_limit=0.2)
        call = ActionCall(
            provider="rest",
            action="list_records",
            input={},
            idempotency_key="k",
            secrets={},
            config=ConnectionConfig.read(SET | {"release": kept("off")}),
        )
        for release, code in ((kept("off"), "held_off"), (kept("pilot"), "held_not_chosen"), ({}, "held_off")):
            report = runner.call(replace(call, config=ConnectionConfig.read(SET | {"release": release})))
            assert (report.code, report.sent, type(report.outcome)) == (code, False, NeedsPerson)
            assert report.certain
        assert not runner.call(replace(call, earlier_unknown=True, attempt=2)).certain, "what was sent before stays so"
        report = runner.call(replace(call, config=ConnectionConfig.read(SET | {"release": kept("sandbox")})))
        assert report.code != "unreachable"
        assert not report.sent


class TestFlows:
    def test_name_what_flows_by_what_the_connection_may_do(self):
        read = flows_of(REST, ConnectionConfig.read(SET))
        assert {each.way for each in read} == {"in"}
        write = flows_of(REST, ConnectionConfig.read(SET | {"level": "write"}))
        out = {(each.field, each.theirs, each.care) for each in write if each.action == "create_record"}
        assert {("email", "mail", "personal"), ("reference", "customer.no", "plain")} <= out
        assert flow_mark(read) != flow_mark(write)

    def test_take_an_iban_for_what_needs_more_care(self):
        told = SET | {"level": "write", "mappings": {"create_record": {"request": {"iban": "reference"}}}}
        assert {each.care for each in flows_of(REST, ConnectionConfig.read(told)) if each.theirs == "iban"} == {
            "sensitive"
        }


class TestRisk:
    def test_is_computed(self):
        assert risk_of({}, Exposure("read", 0, 0)) == "low"
        assert risk_of({}, Exposure("write", 3, 0)) == "medium"
        assert risk_of({"regulated": True, "abroad": True}, Exposure("read", 1, 0)) == "high"
        assert risk_of({}, Exposure("read", 0, 1)) != "low", "fields that need care are never a low risk"

    def test_sample_must_be_large_and_right(self):
        assert is_good_enough(100, 2)
        assert not is_good_enough(100, 3)
        assert not is_good_enough(9, 0)
        assert not is_good_enough(0, 0)


MET = Facts(
    flows="f",
    config="c",
    marks={"scope": "f", "risk": "f", "consent": "f", "quality": "c"},
    risk="low",
    risk_approved=False,
    above_default=False,
    level_approved=False,
    level_waits=False,
    works=True,
    passed=True,
    running=False,
    passed_before=True,
    out=True,
    let_out=True,
    run_succeeded=True,
    sample_good=True,
)


class TestStates:
    def test_are_all_met_by_facts(self):
        assert set(states_of(MET).values()) == {"met"}
        assert missing_for("all", states_of(MET)) == []

    @pytest.mark.parametrize(
        ("change", "step", "state"),
        [
            ({"flows": "other"}, "scope", "stale"),
            ({"flows": "other"}, "consent", "stale"),
            ({"config": "other"}, "quality", "stale"),
            ({"risk": "high"}, "risk", "waits"),
            ({"above_default": True}, "access", "open"),
            ({"above_default": True, "level_approved": True, "level_waits": True}, "access", "waits"),
            ({"works": False}, "connected", "open"),
            ({"passed": False}, "validated", "stale"),
            ({"passed": False, "running": True}, "validated", "waits"),
            ({"let_out": False}, "released", "stale"),
            ({"run_succeeded": False}, "end_to_end", "open"),
            ({"sample_good": False}, "quality", "open"),
        ],
    )
    def test_fall_back_where_a_fact_is_gone(self, change, step, state):
        states = states_of(replace(MET, **change))
        assert states[step] == state
        if step != "released":
            assert step in missing_for("all", states)

    def test_no_stage_is_skipped(self):
        nothing = states_of(replace(MET, marks=dict.fromkeys(MET.marks, ""), works=False, passed=False, out=False))
        for stage in STAGES:
            assert missing_for(stage, nothing) == [step for step in NEEDED[stage] if nothing[step] != "met"]
        assert set(NEEDED["sandbox"]) < set(NEEDED["pilot"]) < set(NEEDED["all"]) <= set(STEPS)
        assert is_back("off", "all", STAGES)
        assert not is_back("all", "pilot", STAGES)

    def test_milestones_have_their_day(self):
        begun = date(2026, 11, 2)
        assert milestone_of("connected", begun, date(2026, 11, 7), date(2026, 12, 1)).state == "reached"
        assert milestone_of("connected", begun, date(2026, 11, 8), date(2026, 12, 1)).state == "reached_late"
        assert milestone_of("connected", begun, None, date(2026, 11, 8)).state == "late"
        assert milestone_of("quality", begun, None, date(2026, 11, 22)).state == "ahead"
