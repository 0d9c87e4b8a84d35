"""The course and exceptions by API: each once for its key and from its version, and what attacks of them come to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.kernel.ids import new_id
from tests.factories.api import Caller, Said
from tests.integration.onboarding.house import GATE, House, Place

REPORT = {"item": GATE, "type": "technical_blocker", "reason_code": "integration_failure", "note": "It is away."}
WHY = {"reason": "So it was agreed"}
HOLD = {"reason_code": "scope_mismatch", **WHY}


def send(who: Caller, house: House, rest: str, body: Any, **more: str) -> Said:
    """A command about Acme's onboarding from the version it has now, with a key of its own."""
    place, method, key = house.acme, more.get("method", "POST"), more.get("key") or new_id().hex
    version = more.get("version") or house.etag(place)
    return who.send(method, f"{place.path}{rest}", body, {"idempotency-key": key, "if-match": version})


def done(said: Said) -> Any:
    assert said.status in {200, 201}, said.body
    return said.body


def agree(who: Any, house: House, path: str, *, agreed: bool) -> Any:
    """What the decision about the proposal that stands there now is answered with."""
    proposal = house.lead.get(f"{house.acme.path}{path}").body["proposal"] or {"digest": "5f2c"}
    return send(who, house, f"{path}/agreement", {"agreed": agreed, "proposal": proposal["digest"]})


def problem(house: House, **other: Any) -> str:
    """A new exception's place below the onboarding."""
    return f"/exceptions/{done(send(house.lead, house, '/exceptions', REPORT | {'blocks': True} | other))['id']}"


def journal(house: House, place: Place) -> int:
    return len(house.installation.rows(place.tenant, "SELECT 1 FROM {}.journal"))


class TestCourse:
    def test_holds_and_goes_on(self, house: House):
        assert done(send(house.lead, house, "/hold", HOLD))["state"] == "held"
        refused = send(house.lead, house, "/items/task.kickoff/skip", WHY)
        assert (refused.status, refused.problem) == (409, "on-hold")
        assert send(house.lead, house, "/hold", HOLD).problem == "on-hold"
        assert done(send(house.lead, house, "/resumption", {}))["state"] == "running"
        assert send(house.lead, house, "/resumption", {}).problem == "not-held"
        assert send(house.lead, house, "/hold", HOLD | {"reason_code": "lunch"}).problem == "hold-refused"

    def test_leaves_a_step_out_gives_one_away_and_begins_a_stage_anew(self, house: House):
        assert done(send(house.lead, house, "/items/task.announce/skip", WHY))["state"] == "skipped"
        assert send(house.lead, house, f"/items/{GATE}/skip", WHY).problem == "skip-refused"
        assert send(house.lead, house, "/items/task.none/skip", WHY).problem == "unknown-item"
        owner = {"person": str(house.lena_id), "reason": "She is here"}
        given = done(send(house.lead, house, "/items/task.kickoff/owner", owner, method="PUT"))
        assert given["assignee"] == str(house.lena_id)
        assert done(send(house.lead, house, "/rollbacks", {"stage": "stage.handoff", **WHY}))["state"] == "running"
        assert send(house.lead, house, "/rollbacks", {"stage": "stage.value", **WHY}).problem == "roll-back-refused"

    def test_is_stopped_for_good(self, house: House):
        path, any_version = house.globex.path, {"if_match": "*"}
        assert done(house.lead.post(f"{path}/cancellation", WHY, **any_version))["state"] == "cancelled"
        over = house.lead.post(f"{path}/hold", HOLD, **any_version)
        assert (over.status, over.problem) == (409, "onboarding-ended")

    @pytest.mark.parametrize(
        ("rest", "body"),
        [
            *[("/hold", HOLD), ("/resumption", {}), ("/cancellation", WHY)],
            *[("/rollbacks", {"stage": "stage.handoff", **WHY}), (f"/items/{GATE}/skip", WHY)],
        ],
    )
    def test_is_for_who_leads_from_the_version_that_was_read(self, house: House, rest: str, body: Any):
        before = journal(house, house.acme)
        for who in (house.olga, house.vera):
            refused = send(who, house, rest, body)
            assert (refused.status, refused.body["permission"]) == (403, "onboarding:onboarding:write")
        assert send(house.gus, house, rest, body).status == 404
        assert send(house.lead, house, rest, body, version='"0"').problem == "onboarding-stale"
        assert house.lead.post(f"{house.acme.path}{rest}", body).status == 428
        assert send(house.lead, house, rest, body | {"more": 1}).problem == "body-unfit"
        assert journal(house, house.acme) == before


class TestExceptions:
    def test_are_answered_given_away_and_set_for_a_later_try(self, house: House):
        path = problem(house)
        said = done(send(house.lead, house, f"{path}/answer", {"note": "I look at it"}))
        assert (said["answered_by"], said["late"]) == ("Ada", False)
        assert send(house.lead, house, f"{path}/answer", {"note": "Me too"}).problem == "exception-closed"
        to_lena = {"person": str(house.lena_id), "role": "csm", **WHY}
        said = done(send(house.lead, house, f"{path}/route", to_lena, method="PUT"))
        assert (said["owner"], said["owner_name"], said["route"]) == (str(house.lena_id), "Lena", ["csm"])
        for wrong in (house.cleo_id, new_id()):
            body = {"person": str(wrong), **WHY}
            assert send(house.lead, house, f"{path}/route", body, method="PUT").problem == "no-role-here"
        at = (datetime.now(UTC) + timedelta(days=30)).replace(microsecond=0)
        said = done(send(house.lead, house, f"{path}/retry", {"at": at.isoformat(), **WHY}))
        assert datetime.fromisoformat(said["retry_at"]) == at
        for never in (at - timedelta(days=60), at + timedelta(days=400)):
            refused = send(house.lead, house, f"{path}/retry", {"at": never.isoformat(), **WHY})
            assert (refused.problem, refused.body["errors"][0]["pointer"]) == ("resolution-refused", "/at")
        done(send(house.lead, house, f"{path}/resolution", {"resolution": "retry", **WHY}))

    def test_of_high_impact_are_decided_by_another_person(self, house: House):
        path, back = problem(house), {"resolution": "roll_back", "stage": "stage.handoff", **WHY}
        assert send(house.lead, house, f"{path}/resolution", back | {"stage": None}).problem == "resolution-refused"
        assert agree(house.lead, house, path, agreed=True).problem == "proposal-refused"
        said = done(send(house.lead, house, f"{path}/resolution", back))
        assert (said["state"], said["proposal"]["proposed_by"], said["proposal"]["stage"]) == (
            *("open", "Ada", "stage.handoff"),
        )
        assert house.olga.get(f"{house.acme.path}{path}").body["proposal"]["reason"] is None
        assert send(house.lena, house, f"{path}/resolution", back | {"reason": "Mine"}).problem == "proposal-refused"
        assert agree(house.lead, house, path, agreed=True).problem == "second-person-needed"
        assert agree(house.lena, house, path, agreed=False).problem == "reason-needed"
        said = done(agree(house.lena, house, path, agreed=True))
        assert (said["state"], said["resolution"], said["proposal"]) == ("resolved", "roll_back", None)
        late = agree(house.lena, house, path, agreed=True)
        assert (late.status, late.problem) == (409, "exception-closed")

    def test_that_closed_meanwhile_take_no_decision(self, house: House):
        path, back = problem(house), {"resolution": "roll_back", "stage": "stage.handoff", **WHY}
        done(send(house.lead, house, f"{path}/resolution", back))
        done(send(house.lena, house, f"{path}/resolution", {"resolution": "retry", **WHY}))
        assert agree(house.lena, house, path, agreed=True).problem == "exception-closed"

    def test_of_two_who_resolve_one_at_once_only_one_does(self, house: House):
        path, version = problem(house), house.etag(house.acme)
        ways = [(house.lead, version), (house.lena, "*")]
        with ThreadPoolExecutor(2) as both:
            said = list(both.map(
                lambda way: send(way[0], house, f"{path}/resolution", {"resolution": "retry", **WHY}, version=way[1]),
                ways,
            ))  # fmt: skip
        assert sorted(each.status for each in said) in ([200, 409], [200, 412])
        assert house.lead.get(f"{house.acme.path}{path}").body["resolved_by"] in {"Ada", "Lena"}

    def test_on_what_was_left_out_close(self, house: House):
        path = problem(house, item="task.kickoff")
        done(send(house.lead, house, "/items/task.kickoff/skip", WHY))
        assert house.lead.get(f"{house.acme.path}{path}").body["resolution"] == "skip"
        assert send(house.lead, house, f"{path}/retry", {"at": "2031-01-06T09:00:00Z", **WHY}).status == 409
        assert send(house.lead, house, f"{path}/resolution", {"resolution": "done", **WHY}).status == 409

    def test_are_acted_on_once_for_a_key_that_holds_one_body(self, house: House):
        path, version, key = problem(house), house.etag(house.acme), new_id().hex
        first, again = (
            send(house.lead, house, f"{path}/answer", {"note": "Seen"}, version=version, key=key) for _ in "12"
        )
        assert (first.status, first.body, again.headers["idempotency-replayed"]) == (200, again.body, "true")
        other = send(house.lead, house, f"{path}/answer", {"note": "Not seen"}, version=version, key=key)
        assert (other.status, other.problem) == (422, "command-key-reused")
        done(send(house.lead, house, f"{path}/resolution", {"resolution": "retry", **WHY}))

    def test_are_not_for_the_other_side_or_other_tenants(self, house: House):
        path = problem(house)
        before = journal(house, house.acme)
        bodies: dict[str, Any] = {"answer": {"note": "Mine"}, "agreement": {"agreed": True, "proposal": "5f2c"}}
        bodies |= {"retry": {"at": "2031-01-06T09:00:00Z", **WHY}, "resolution": {"resolution": "retry", **WHY}}
        for rest, body in bodies.items():
            refused = send(house.olga, house, f"{path}/{rest}", body)
            assert (refused.status, refused.body["permission"]) == (403, "onboarding:exception:resolve")
            assert send(house.gus, house, f"{path}/{rest}", body).status == 404
        elsewhere = f"{house.globex.path}{path}/answer"
        assert house.lead.post(elsewhere, {"note": "Mine"}, if_match="*").problem == "exception-missing"
        assert journal(house, house.acme) == before
