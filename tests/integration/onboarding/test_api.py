"""The API of running work over real HTTP: read it, change it once and from the version that was read, and attack it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.flow.definition import REASON_CODES
from app.kernel.ids import new_id
from app.onboarding.queries.wire.words import WORDS
from tests.factories.api import Caller, Said
from tests.integration.onboarding.house import GATE, House, Place

WISH = {"item": "task.confirm_goals", "type": "timeline_risk", "reason_code": REASON_CODES[6], "note": "Nobody answers"}

FITTING: dict[str, Any] = {"boolean": True, "integer": 3, "date": "2026-12-07", "email": "a@example.org"}
FITTING |= dict.fromkeys(("text", "long_text"), "As agreed")


def send(who: Caller, house: House, place: Place, rest: str, body: Any, **more: str) -> Said:
    """A POST from the version the onboarding has now, with a key of its own."""
    method, version = more.pop("method", "POST"), more.pop("version", "") or house.etag(place)
    key = more.pop("key", "") or new_id().hex
    return who.send(method, f"{place.path}{rest}", body, {"idempotency-key": key, "if-match": version})


def journal(house: House, place: Place) -> list[Any]:
    return house.installation.rows(place.tenant, "SELECT seq, event FROM {}.journal ORDER BY seq")


class TestReading:
    def test_lists_onboardings_by_state_with_a_cursor_of_this_very_list(self, house: House):
        page = house.lead.get(f"{house.acme.folder}?state=running&limit=1")
        assert [each["name"] for each in page.body["items"]] == ["Acme"]
        assert house.lead.get(f"{house.acme.folder}?state=finished").body == {"items": [], "next": None}
        assert house.lead.get(f"{house.acme.folder}?limit=201").problem == "query-unfit"
        assert house.lead.get(f"{house.acme.folder}?cursor=forged").problem == "cursor-foreign"

    def test_shows_items_with_the_version_that_a_change_names(self, house: House):
        read = house.lead.get(f"{house.acme.path}/items?kind=task&side=customer")
        assert read.headers["etag"] == house.etag(house.acme) == f'"{read.body["seq"]}"'
        assert {each["side"] for each in read.body["items"]} == {"customer"}
        one = house.lead.get(f"{house.acme.path}/items/task.confirm_goals")
        assert one.body in read.body["items"]
        assert house.lead.get(f"{house.acme.path}/items/task.nothing").problem == "onboarding-missing"

    def test_shows_the_eight_parts_of_a_gate(self, house: House):
        gate = house.lead.get(f"{house.acme.path}/gates/{GATE}").body
        assert gate["shows"], "what the reviewer sees"
        assert {"source", "value", "rule"} <= set(gate["records"][0])
        assert {"draft", "override_reason"} <= set(gate)
        assert all(each["passed"] in {True, False, None} for each in gate["checks"])
        assert {each["effect"] for each in gate["decisions"]} >= {"pass", "override"}
        assert all(each["role"] for each in gate["must_escalate"])
        assert "decision" in gate["logged"]
        assert gate["may_decide"] is True
        assert house.lena.get(f"{house.acme.path}/gates/task.kickoff").status == 404

    def test_tells_a_customer_nothing_that_staff_wrote_for_themselves(self, house: House):
        raised = send(house.lead, house, house.globex, "/exceptions", WISH | {"item": "task.kickoff", "note": "Hush"})
        assert raised.status == 201, raised.body
        path = f"{house.globex.path}/exceptions/{raised.body['id']}"
        assert house.lead.get(path).body["note"] == "Hush"
        assert house.gus.get(path).body["note"] is None
        shown = house.gus.get(f"{house.globex.path}/items/task.kickoff").body
        assert (shown["answers"], shown["evidence"], shown["reason"]) == (None, None, None)

    def test_pages_the_journal_in_words_and_as_it_is_kept(self, house: House):
        found, path = [], f"{house.globex.path}/journal?limit=1"
        while path:
            page = house.lead.get(path)
            found += page.body["items"]
            path = page.headers["link"].split(">")[0][1:] if page.body["next"] else ""
        assert [each["seq"] for each in found] == list(range(1, len(found) + 1))
        assert found[0]["words"] == "The onboarding began"
        assert [each["event"] for each in found] == [row.event for row in journal(house, house.globex)]

    def test_shows_the_journal_only_to_who_may_read_the_trail(self, house: House):
        assert house.olga.get(f"{house.acme.path}/journal").status == 200
        refused = house.vera.get(f"{house.acme.path}/journal")
        assert (refused.status, refused.body["permission"]) == (403, "audit:trail:read")

    def test_has_words_for_every_event_of_this_build(self):
        assert all(word[0].isupper() for word in WORDS.values())


class TestCommands:
    def test_takes_a_key_and_a_version(self, house: House):
        path = f"{house.acme.path}/items/{GATE}/claim"
        bare: dict[str, str] = {"if-match": house.etag(house.acme)}
        assert house.lead.send("POST", path, None, bare).problem == "idempotency-key-missing"
        assert house.lead.post(path, None).status == 428

    def test_is_refused_from_an_old_version_which_it_is_told(self, house: House):
        before = journal(house, house.acme)
        stale = send(house.lead, house, house.acme, f"/items/{GATE}/claim", None, version='"0"')
        assert (stale.status, stale.problem) == (412, "onboarding-stale")
        assert stale.headers["etag"] == stale.body["etag"] == house.etag(house.acme)
        assert journal(house, house.acme) == before

    def test_happens_once_for_its_key(self, house: House):
        version, key = house.etag(house.acme), new_id().hex
        first, again = (
            send(house.lead, house, house.acme, f"/items/{GATE}/claim", None, version=version, key=key) for _ in "12"
        )
        assert (first.status, again.status) == (200, 200), first.body
        assert first.body == again.body
        assert first.body["assignee"] == str(house.ada_id)
        assert again.headers["idempotency-replayed"] == "true"
        assert first.headers["etag"] == again.headers["etag"] == house.etag(house.acme)
        other = send(house.lead, house, house.acme, "/items/task.kickoff/claim", None, version=version, key=key)
        assert other.status == 422 or other.problem == "command-key-reused"

    def test_of_two_at_once_from_one_version_happens_only_one(self, house: House):
        version, before = house.etag(house.acme), len(journal(house, house.acme))
        wishes = [WISH | {"note": f"Said by {name}"} for name in ("one", "two")]
        with ThreadPoolExecutor(2) as both:
            said = list(
                both.map(lambda wish: send(house.lead, house, house.acme, "/exceptions", wish, version=version), wishes)
            )
        assert sorted(each.status for each in said) == [201, 412]
        assert len(journal(house, house.acme)) == before + 1

    def test_of_a_stranger_finds_nothing(self, house: House):
        before = journal(house, house.acme)
        for rest, body in (("/packet", {"facts": {"business_outcome": "Mine"}}), ("/exceptions", WISH)):
            method = "PATCH" if rest == "/packet" else "POST"
            assert send(house.gus, house, house.acme, rest, body, method=method).status == 404
        inside = f"{house.globex.folder}/{house.acme.onboarding_id}/exceptions"
        assert house.gus.post(inside, WISH, if_match="*").problem == "onboarding-missing"
        assert journal(house, house.acme) == before

    def test_of_too_small_a_role_is_refused_by_name(self, house: House):
        refused = send(house.vera, house, house.acme, "/exceptions", WISH)
        assert (refused.status, refused.body["permission"]) == (403, "onboarding:task:complete")


class TestOwners:
    def test_are_people_of_the_items_side_who_hold_a_role_here(self, house: House):
        rest, place = "/items/task.confirm_goals/owner", house.globex
        wrong = send(house.lead, house, place, rest, {"person": str(house.ada_id)}, method="PUT")
        assert (wrong.status, wrong.problem) == (403, "other-side")
        mine = send(house.gus, house, place, "/items/task.confirm_goals/claim", None)
        assert (mine.status, mine.body["owners"]) == (200, ["Gus"])
        theirs = send(house.gus, house, place, rest, {"person": str(house.ada_id)}, method="PUT")
        assert (theirs.status, theirs.problem) == (422, "no-role-here")
        back = send(house.gus, house, place, rest, {"person": None}, method="PUT")
        assert (back.status, back.body["assignee"]) == (200, None)
        nobody = send(house.cleo, house, place, "/items/task.kickoff/claim", None)
        assert (nobody.status, nobody.problem) == (422, "no-role-here")

    def test_hand_their_own_on_and_others_only_who_changes_owners(self, house: House):
        rest, place = "/items/task.assign_team/owner", house.globex
        assert send(house.lena, house, place, "/items/task.assign_team/claim", None).status == 200
        refused = send(house.cleo, house, place, rest, {"person": str(house.ada_id)}, method="PUT")
        assert (refused.status, refused.body["permission"]) == (403, "onboarding:onboarding:write")
        before = len(journal(house, place))
        given = send(house.lena, house, place, rest, {"person": str(house.ada_id)}, method="PUT")
        assert given.body["owners"] == ["Ada"]
        same = send(house.lena, house, place, rest, {"person": str(house.ada_id)}, method="PUT")
        assert (same.status, len(journal(house, place))) == (200, before + 1), "given again, nothing happens"
        assert send(house.lead, house, place, "/items/task.nothing/claim", None).problem == "unknown-item"


def work_of(house: House, who: Caller, query: str = "", place: Place | None = None) -> Any:
    """The list over all customers, or of one, after all jobs are done."""
    house.run()
    return who.get(f"/api/v1/tenants/{place.tenant.id}/work{query}" if place else f"/api/v1/work{query}").body


class TestWorkQueues:
    def test_hold_every_step_that_waits_by_owner_age_and_date(self, house: House):
        everything = work_of(house, house.lead, "?limit=200")
        mine = [each for each in everything["items"] if each["assignee"] == str(house.ada_id)]
        assert work_of(house, house.lead, "?view=mine")["items"] == mine
        assert everything["total"] == len(everything["items"]) == everything["views"]["all"]
        assert {each["onboarding"] for each in everything["items"]} == {"Acme", "Globex"}
        assert sum(each["count"] for each in everything["queues"] if each["queue"] != "owner") == everything["total"]
        assert work_of(house, house.lead, "?age=1")["total"] == 0
        owned = work_of(house, house.lead, f"?owner={house.lena_id}")["items"]
        assert owned == [each for each in everything["items"] if str(house.lena_id) in str(each["people"])]
        assert work_of(house, house.lead, "?sla=late")["total"] == everything["views"]["late"] == 0

    def test_of_one_workspace_say_the_same_as_those_over_all(self, house: House):
        over_all = work_of(house, house.lead, "?limit=200")["items"]
        for place in (house.acme, house.globex):
            inside = work_of(house, house.lead, "?limit=200", place)["items"]
            assert inside == [each for each in over_all if each["tenant_id"] == str(place.tenant.id)]
        for query in ("?view=unowned", "?view=roles", "?queue=exceptions", "?queue=cleanup", "?sla=none", "?sla=later"):
            both = [work_of(house, house.lead, query, place)["total"] for place in (house.acme, house.globex)]
            assert work_of(house, house.lead, query)["total"] == sum(both), query

    @pytest.mark.parametrize("inside", [False, True])
    def test_go_on_page_by_page_without_losing_a_line(self, house: House, inside: bool):  # noqa: FBT001 - a parameter of pytest's
        place = house.globex if inside else None
        whole, found = work_of(house, house.lead, "?limit=200", place)["items"], []
        page = work_of(house, house.lead, "?limit=2", place)
        while page["next"]:
            found += page["items"]
            page = work_of(house, house.lead, f"?limit=2&cursor={page['next']}", place)
        assert [*found, *page["items"]] == whole

    def test_show_a_step_that_nobody_owns_and_one_that_is_late(self, house: House):
        tenant = house.globex.tenant
        [row] = house.installation.rows(tenant, "SELECT people FROM {}.onboarding")
        people = {role: held for role, held in row.people.items() if role != "revops"}
        house.installation.rows(tenant, "UPDATE {}.onboarding SET people = %s::jsonb", json.dumps(people))
        house.installation.rows(tenant, "UPDATE {}.item SET due_at = now() - interval '1 day' WHERE key = %s", GATE)
        assert send(house.lead, house, house.globex, "/exceptions", WISH).status == 201  # so that it is projected
        nobodys = work_of(house, house.lead, "?view=unowned")
        assert [(each["key"], each["late"]) for each in nobodys["items"]] == [(GATE, True)]
        assert work_of(house, house.lead, "?queue=owner&sla=late")["items"] == nobodys["items"]
        assert [each["key"] for each in work_of(house, house.gus, "?view=late", house.globex)["items"]] == [GATE]
        assert next(each for each in nobodys["queues"] if each["queue"] == "owner")["late"] == 1

    def test_are_no_business_of_others(self, house: House):
        assert house.gus.get("/api/v1/work").status == 404
        assert house.gus.get(f"/api/v1/tenants/{house.acme.tenant.id}/work").status == 404
        eve = house.api.caller("eve@contoso.example", house.doors.contoso, host="contoso.localhost")
        assert eve.get("/api/v1/work").body["items"] == []
        cursor = work_of(house, house.lead, "?limit=1")["next"]
        assert house.lena.get(f"/api/v1/work?limit=1&cursor={cursor}").problem == "cursor-foreign"

    def test_are_a_page_from_which_steps_are_taken_and_handed_over(self, house: House):
        browser, item = house.lena.browser, f"/t/{house.acme.tenant.id}/onboardings/{house.acme.onboarding_id}/items"
        shown = browser.get("/work")
        assert f'action="{item}/{GATE}/owner"' in shown.text
        taken = browser.post(f"{item}/{GATE}/claim", shown.hidden | {"back": "/work"})
        assert (taken.status, taken.headers["location"]) == (303, "/work")
        assert GATE in [each["key"] for each in work_of(house, house.lena, "?view=mine")["items"]]
        given = {"person": str(house.ada_id), "back": "https://elsewhere.example/"}
        handed = browser.post(f"{item}/{GATE}/owner", browser.get("/work").hidden | given)
        assert handed.headers["location"] == f"/t/{house.acme.tenant.id}/work"
        assert GATE not in [each["key"] for each in work_of(house, house.lena, "?view=mine")["items"]]
        assert browser.get("/work?view=nonsense&age=x&owner=me&sla=late").status == 200
        assert house.olga.browser.get(f"/t/{house.acme.tenant.id}/work").status == 200

    def test_forget_a_workspace_that_is_forgotten(self, house: House):
        assert house.installation.control("SELECT 1 FROM control.work_item WHERE tenant_id = %s", house.acme.tenant.id)
        [body] = house.installation.control(
            "SELECT prosrc FROM pg_proc WHERE proname = 'forget_tenant' AND pronamespace = 'control'::regnamespace"
        )
        assert "control.work_item" in body.prosrc


class TestManySteps:
    def test_are_counted_first_and_answered_one_by_one(self, house: House):
        lines = [each for each in work_of(house, house.lena, "?limit=200")["items"] if each["kind"] == "gate"]
        steps = [{name: each[name] for name in ("tenant_id", "onboarding_id", "key")} for each in lines]
        foreign = {"tenant_id": str(new_id()), "onboarding_id": str(new_id()), "key": GATE}
        wish: dict[str, Any] = {"action": "claim", "items": [*steps, steps[0] | {"key": "task.nothing"}, foreign]}
        before = journal(house, house.acme), journal(house, house.globex)
        tried = house.lena.post("/api/v1/work/changes", wish | {"dry_run": True})
        assert tried.status == 200, tried.body
        assert (journal(house, house.acme), journal(house, house.globex)) == before, "nothing has happened yet"
        key = new_id().hex
        done, again = (house.lena.post("/api/v1/work/changes", wish, key=key) for _ in "12")
        assert done.body == again.body == tried.body | {"dry_run": False}
        assert [each["problem"] for each in done.body["items"]][-2:] == ["unknown-item", "work-unknown"]
        assert (done.body["changed"], done.body["refused"], done.body["total"]) == (len(steps), 2, len(steps) + 2)
        assert [len(journal(house, place)) for place in (house.acme, house.globex)] == [
            len(each) + 1 for each in before
        ]
        other = house.lena.post("/api/v1/work/changes", {"action": "assign", "items": steps}, key=key)
        assert {each["problem"] for each in other.body["items"]} == {"command-key-reused"}
        given = house.lena.post("/api/v1/work/changes", {"action": "assign", "items": steps})
        same = house.lena.post("/api/v1/work/changes", {"action": "assign", "items": steps})
        assert (given.body["changed"], same.body["unchanged"]) == (len(steps), len(steps))

    def test_are_not_changed_by_who_has_no_business_there(self, house: House):
        step = {"tenant_id": str(house.acme.tenant.id), "onboarding_id": str(house.acme.onboarding_id), "key": GATE}
        eve = house.api.caller("eva@contoso.example", house.doors.contoso, host="contoso.localhost")
        before = journal(house, house.acme)
        refused = eve.post("/api/v1/work/changes", {"action": "claim", "items": [step]})
        assert [each["problem"] for each in refused.body["items"]] == ["work-unknown"]
        assert house.olga.post("/api/v1/work/changes", {"action": "claim", "items": [step]}).status == 404
        assert house.lead.post("/api/v1/work/changes", {"action": "claim", "items": []}).status == 422
        assert journal(house, house.acme) == before


class TestTheWholeWay:
    """In order: a problem, a fact, the gate, a task of each side."""

    def test_reports_and_resolves_a_problem(self, house: House):
        place = house.acme
        unknown = send(house.lead, house, place, "/exceptions", WISH | {"type": "bad_weather"})
        assert (unknown.status, unknown.problem) == (422, "exception-refused")
        made = send(house.lead, house, place, "/exceptions", WISH | {"item": GATE, "blocks": True})
        assert made.headers["location"] == f"{place.path}/exceptions/{made.body['id']}"
        assert house.lead.get(made.headers["location"]).body == made.body
        held = send(house.lead, house, place, f"/gates/{GATE}/decision", {"decision": "accept"})
        assert (held.status, held.problem) == (409, "not-open")
        end = f"/exceptions/{made.body['id']}/resolution"
        closed = send(house.lead, house, place, end, {"resolution": "close", "reason": "Never mind"})
        assert (closed.status, closed.problem) == (422, "resolution-refused")
        done = send(house.lead, house, place, end, {"resolution": "retry", "reason": "They have answered"})
        assert (done.body["state"], done.body["resolved_by"]) == ("resolved", "Ada")
        twice = send(house.lead, house, place, end, {"resolution": "retry", "reason": "They have answered"})
        assert (twice.status, twice.problem) == (409, "exception-closed")
        listed = house.lead.get(f"{place.path}/exceptions?state=resolved").body["items"]
        assert made.body["id"] in [each["id"] for each in listed]

    def test_corrects_the_packet_and_decides_the_gate(self, house: House):
        place = house.acme
        wrong = send(house.lead, house, place, "/packet", {"facts": {"weather": "Rain"}}, method="PATCH")
        assert (wrong.status, wrong.problem) == (422, "answers-refused")
        facts: dict[str, Any] = {"business_outcome": None}
        assert send(house.lead, house, place, "/packet", {"facts": facts}, method="PATCH").status == 200
        stopped = send(house.lead, house, place, f"/gates/{GATE}/decision", {"decision": "accept"})
        assert (stopped.status, stopped.problem) == (409, "gate-incomplete")
        assert stopped.body["errors"][0]["pointer"] == "/packet/business_outcome"
        missing = {each["field"] for each in house.lead.get(f"{place.path}/packet").body["facts"] if not each["given"]}
        given = dict.fromkeys(missing | {"business_outcome"}, "As agreed")
        packet = send(house.lead, house, place, "/packet", {"facts": given}, method="PATCH").body["facts"]
        assert {each["field"]: each["corrected_by"] for each in packet}["business_outcome"] == "Ada"
        decided = send(house.lead, house, place, f"/gates/{GATE}/decision", {"decision": "accept"})
        assert (decided.body["state"], decided.body["decided_by"]) == ("done", "Ada")
        [verdict] = house.installation.rows(place.tenant, "SELECT result FROM {}.verdict WHERE kind = 'gate'")
        assert verdict.result == "accept"

    def test_finishes_a_task_of_its_own_side_only(self, house: House):
        place = house.acme
        task = next(each for each in house.items(place, "?kind=task&state=open&side=partner") if each["questions"])
        rest = f"/tasks/{task['key']}/completion"
        foreign = send(house.olga, house, place, rest, {"answers": {}})
        assert (foreign.status, foreign.problem) == (403, "not-your-task")
        unfit = send(house.lead, house, place, rest, {"answers": {"no_such_question": True}})
        assert (unfit.status, unfit.problem) == (422, "answers-refused")
        assert unfit.body["errors"][0]["pointer"].startswith("/answers/")
        body = {"answers": {each["id"]: FITTING[each["type"]] for each in task["questions"]}}
        body |= {"evidence": {"statement": "Seen"}} if task["wants_evidence"] else {}
        done = send(house.lead, house, place, rest, body)
        assert (done.status, done.body["state"], done.body["settled_by"]) == (200, "done", "Ada"), done.body
        assert send(house.lead, house, place, rest, body).problem == "not-open"

    def test_proves_nothing_before_its_time(self, house: House):
        early = send(house.lead, house, house.acme, "/milestones/milestone.nothing/proof", {"evidence": {}})
        assert early.problem == "unknown-item"
        key = next(each["key"] for each in house.items(house.acme, "?kind=milestone&state=waiting"))
        said = {"evidence": {"statement": "Seen"}}
        assert send(house.lead, house, house.acme, f"/milestones/{key}/proof", said).problem == "not-open"
