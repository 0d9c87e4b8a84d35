"""Two people let a running onboarding go on with another version: what it does, who may, what stays, what is told."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from app.bootstrap.commands.engine.migrating import NothingChosen, ReasonMissing
from app.bootstrap.commands.engine.onboardings import run_history, run_onboardings
from app.kernel.ids import new_id
from app.onboarding.operations import hold_onboarding, resume_onboarding
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.operations import publish
from tenants.registry import find_home
from tenants.sessions import lookup_session
from tests.factories.api import Caller, Said
from tests.integration.onboarding.house import House, Place
from tests.unit.flow.migration.versions import found, milestone, said, stage, task

WHY = "The kickoff is shorter now."


def publish_version(house: House, number: str, change: Any) -> str:
    """Another version of the template in Northwind's home; its address."""
    document = copy.deepcopy(dict(open_shelf("msp/managed-services").template.document)) | {"version": number}
    change(document)
    template = Template(document, address(document), Source("published", document, {}, {}))
    with lookup_session(house.installation.runtime.databases) as (session, _now):
        home = find_home(session, house.doors.northwind)
    assert home is not None
    with house.installation.work(home, house.ada) as work:
        publish(work, template)
    house.run()
    return template.digest


def add_pilot(document: dict[str, Any]) -> None:
    document["stages"].insert(2, stage("pilot", milestone("pilot_done", task("pilot"))))
    document["stages"].insert(0, stage("welcome", milestone("welcomed", task("welcome"))))


def without_kickoff_plan(document: dict[str, Any]) -> None:
    found(document, "milestone.ready_to_start")["tasks"].pop()
    document["timers"] = document["timers"][1:]


def with_other_answers(document: dict[str, Any]) -> None:
    found(document, "task.assign_team")["fields"] = [{"id": "crew", "label": said("Crew"), "type": "text"}]


@pytest.fixture(scope="module")
def places(house: House) -> dict[str, Place]:
    """More customers that run the version before; from `newer` on, who begins runs that one."""
    return {name: house.customer(name) for name in ("Hurried", "Settled", "Operated")}


@pytest.fixture(scope="module")
def newer(house: House, places: dict[str, Place]) -> str:
    assert len(places) == 3
    return publish_version(house, "8.0.0", add_pilot)


def plan_of(house: House, place: Place, to: str, wanted: dict[str, Any] | None = None) -> Said:
    query = f"?to={to}" + (f"&map={json.dumps(wanted)}" if wanted else "")
    return house.lead.get(f"{place.path}/migration/plan{query}".replace(" ", "%20").replace('"', "%22"))


def ask(house: House, place: Place, to: str, **more: Any) -> Said:
    plan = plan_of(house, place, to, more.get("map")).body["plan"]
    body = {"to": to, "plan": plan, "reason": WHY} | more
    return house.lead.post(f"{place.path}/migration", body, **{"if-match": house.etag(place)})


def answer(place: Place, caller: Caller, **body: Any) -> Said:
    return caller.post(f"{place.path}/migration/decision", body, **{"if-match": "*"})


def do_some(house: House, place: Place) -> None:
    """The handoff is let through and the team named."""
    items = {item["key"]: item["state"] for item in house.items(place)}
    if items["gate.handoff_quality"] == "open":
        gate = {"decision": "override", "reason": "Known."}
        passed = house.lead.post(f"{place.path}/gates/gate.handoff_quality/decision", gate, **{"if-match": "*"})
        assert passed.status == 200
    team = {"answers": {"engineer": "Ada", "fallback": "Bo"}}
    done = house.lead.post(f"{place.path}/tasks/task.assign_team/completion", team, **{"if-match": "*"})
    assert done.status == 200


def row(house: House, place: Place) -> Any:
    [found_row] = house.installation.rows(place.tenant, "SELECT * FROM {}.onboarding")
    return found_row


def actions(house: House, place: Place) -> list[str]:
    return [each.action for each in house.installation.rows(place.tenant, "SELECT action FROM {}.trail ORDER BY id")]


def verified(house: House, place: Place) -> bool:
    return run_history(["verify", "--tenant", str(place.tenant.id)], house.installation.runtime) == 0


class TestTwoPeople:
    def test_let_it_go_on_and_nothing_finished_begins_again(self, house: House, newer: str):
        place, before = house.acme, house.items(house.acme)
        shown = house.lead.get(f"{place.path}/migration").body
        assert newer in [each["to"] for each in shown["versions"]]
        assert (shown["waiting"], shown["made"]) == (None, [])
        plan = plan_of(house, place, newer)
        assert (plan.status, plan.body["problems"], plan.body["ends"]) == (200, [], False)
        fates = {each["becomes"]: each["fate"] for each in plan.body["items"]}
        assert (fates["task.welcome"], fates["task.pilot"]) == ("not_needed", "added")
        assert house.items(place) == before

        proposed = ask(house, place, newer)
        assert (proposed.status, proposed.body["waiting"]["still"]) == (200, True)
        assert row(house, place).definition_digest == shown["definition"]
        assert ask(house, place, newer, plan="x").problem == "plan-moved"
        seen = proposed.body["waiting"]["plan"]
        assert answer(place, house.lead, agreed=True, plan=seen).problem == "second-person-needed"
        assert answer(place, house.lena, agreed=True, plan="sha256:other").problem == "plan-moved"
        done = answer(place, house.lena, agreed=True, plan=seen)
        assert (done.status, done.body["definition"], done.body["version"]) == (200, newer, "8.0.0")
        assert row(house, place).definition_digest == newer
        after = {item["key"]: item for item in house.items(place)}
        assert all(after[item["key"]]["state"] == item["state"] for item in before)
        assert (after["task.welcome"]["state"], after["stage.pilot"]["state"]) == ("skipped", "waiting")
        assert {"onboarding.migration.proposed", "onboarding.migrated"} <= set(actions(house, place))
        causes = house.installation.rows(
            place.tenant, "SELECT moves FROM {}.journal WHERE seq = %s", row(house, place).seq
        )[0].moves
        assert {each["cause"] for each in causes} == {"migrated"}
        assert verified(house, place)
        house.run()
        pages = [
            house.lead.browser.get(f"/t/{place.tenant.id}/onboardings/{place.onboarding_id}{view}")
            for view in ("", "?view=trail", "/dates", "/trace")
        ]
        assert {page.status for page in pages} == {200}

    def test_decline_it_or_take_it_back_with_a_reason(self, house: House, newer: str):
        place = house.globex
        assert answer(place, house.lead, agreed=False, reason="No.").problem == "migration-not-proposed"
        assert ask(house, place, newer).status == 200
        assert ask(house, place, newer).problem == "migration-waits"
        assert answer(place, house.lead, agreed=False, reason=" ").status == 422
        assert answer(place, house.lead, agreed=False, reason="Not now.").body["waiting"] is None
        assert "onboarding.migration.declined" in actions(house, place)
        assert ask(house, place, newer).status == 200
        assert answer(place, house.lena, agreed=False, reason="Not now.").status == 200
        assert verified(house, place)

    def test_agree_twice_at_once_and_it_happens_once(self, house: House, places: dict[str, Place], newer: str):
        place = places["Hurried"]
        seen = ask(house, place, newer).body["waiting"]["plan"]
        body = {"agreed": True, "plan": seen}
        path = f"{place.path}/migration/decision"
        callers = [house.caller("lena") for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda caller: caller.post(path, body, **{"if-match": "*"}), callers))
        assert sorted(each.status for each in both) == [200, 409]
        assert actions(house, place).count("onboarding.migrated") == 1
        key = new_id().hex
        again = house.lena.post(path, body, key=key, **{"if-match": "*"})
        assert again.problem == "migration-not-proposed"
        assert verified(house, place)

    def test_answer_a_repeated_request_as_before_and_a_stale_one_with_the_version_now(self, house: House, newer: str):
        place = house.globex
        plan, etag, key = plan_of(house, place, newer).body["plan"], house.etag(place), new_id().hex
        body = {"to": newer, "plan": plan, "reason": WHY}
        first = house.lead.post(f"{place.path}/migration", body, key=key, **{"if-match": etag})
        second = house.lead.post(f"{place.path}/migration", body, key=key, **{"if-match": etag})
        assert (first.status, second.status, second.body) == (200, 200, first.body)
        assert second.headers["idempotency-replayed"] == "true"
        stale = house.lena.post(
            f"{place.path}/migration/decision", {"agreed": True, "plan": plan}, **{"if-match": etag}
        )
        assert stale.problem == "onboarding-stale"
        assert answer(place, house.lena, agreed=False, reason="Only tried.").status == 200


class TestWhatStandsInTheWay:
    def test_makes_a_proposal_stale_and_is_told_by_place_and_settled_there(
        self, house: House, places: dict[str, Place]
    ):
        place = places["Settled"]
        shorter = publish_version(house, "8.2.0", without_kickoff_plan)
        seen = ask(house, place, shorter).body["waiting"]["plan"]
        do_some(house, place)
        assert house.lead.get(f"{place.path}/migration").body["waiting"]["still"] is False
        assert answer(place, house.lena, agreed=True, plan=seen).problem == "migration-refused"
        assert answer(place, house.lena, agreed=False, reason="It is begun.").status == 200

        to = publish_version(house, "8.3.0", with_other_answers)
        problems = plan_of(house, place, to).body["problems"]
        wrong = {"/values/answers.assign_team.engineer", "/values/answers.assign_team.fallback"}
        assert {each["place"] for each in problems} == wrong
        refused = ask(house, place, to)
        assert (refused.status, refused.problem) == (409, "migration-refused")
        assert {each["pointer"] for each in refused.body["errors"]} == {f"/map{each}" for each in wrong}
        wanted = {"values": {each.removeprefix("/values/"): None for each in wrong}}
        assert plan_of(house, place, to, wanted).body["problems"] == []
        seen = ask(house, place, to, map=wanted).body["waiting"]["plan"]
        done = answer(place, house.lena, agreed=True, plan=seen)
        assert (done.status, done.body["version"]) == (200, "8.3.0")
        kept = row(house, place).snapshot["migrations"][0]["values"]
        assert kept["answers.assign_team.engineer"] == "Ada"
        assert verified(house, place)

    @pytest.mark.parametrize("to", ["sha256:none", "8.0.0"])
    def test_is_an_address_that_nobody_has_published(self, house: House, to: str):
        assert plan_of(house, house.globex, to).status == 404

    def test_is_a_map_that_is_none(self, house: House, newer: str):
        said_ = house.lead.get(f"{house.globex.path}/migration/plan?to={newer}&map=nonsense")
        assert (said_.status, said_.problem) == (422, "map-unfit")


class TestWhoMayNot:
    def test_see_it_propose_it_or_decide_it(self, house: House, newer: str):
        place = house.globex
        body = {"to": newer, "plan": "x", "reason": WHY}
        for caller in (house.cleo, house.gus):
            assert caller.get(f"{place.path}/migration").status == 403
            assert caller.get(f"{place.path}/migration/plan?to={newer}").status == 403
            assert caller.post(f"{place.path}/migration", body, **{"if-match": "*"}).status == 403
            assert answer(place, caller, agreed=False, reason="No.").status == 403
        assert house.olga.get(f"{place.path}/migration").status == 404
        wrong = f"{house.globex.folder}/{house.acme.onboarding_id}/migration"
        assert house.lead.get(wrong).status == 404

    def test_learn_of_a_missing_header_before_anything_is_looked_for(self, house: House, newer: str):
        wrong = f"{house.globex.folder}/{house.acme.onboarding_id}/migration"
        bodies = (
            (wrong, {"to": newer, "plan": "x", "reason": WHY}),
            (f"{wrong}/decision", {"agreed": True, "plan": "x"}),
        )
        for path, body in bodies:
            assert house.lead.post(path, body, key=None, **{"if-match": "*"}).problem == "idempotency-key-missing"
            assert house.lead.post(path, body).problem == "precondition-missing"
            assert house.lead.post(path, body, **{"if-match": "*"}).status == 404


class TestOperator:
    def test_looks_first_then_proposes_and_leaves_the_decision_to_the_partner(
        self, house: House, places: dict[str, Place], newer: str, capsys: pytest.CaptureFixture[str]
    ):
        place, runtime = places["Operated"], house.installation.runtime
        command = ["migrate", str(place.onboarding_id), "--to", "8.0.0"]
        before = row(house, place)
        assert run_onboardings(command, runtime) == 0
        told = capsys.readouterr().out
        assert "could be proposed" in told
        assert "not needed: task.welcome" in told
        assert row(house, place).seq == before.seq
        with pytest.raises(ReasonMissing):
            run_onboardings([*command, "--apply"], runtime)
        applied = [*command, "--apply", "--reason", "The version before is withdrawn."]
        for word in ("proposed", "waits already"):
            assert run_onboardings(applied, runtime) == 0
            assert f"1 looked at: 1 {word}." in capsys.readouterr().out
        waiting = house.lead.get(f"{place.path}/migration").body["waiting"]
        assert (waiting["still"], waiting["by"]) == (True, f"job:{UUID(int=0)}")
        assert answer(place, house.lead, agreed=True, plan=waiting["plan"]).status == 200
        assert run_onboardings(applied, runtime) == 0
        assert "1 looked at: 1 runs it already." in capsys.readouterr().out
        assert verified(house, place)

    def test_does_many_with_a_result_each_and_counts_that_add_up(
        self, house: House, newer: str, capsys: pytest.CaptureFixture[str]
    ):
        runtime, template = house.installation.runtime, open_shelf("msp/managed-services").template
        many = ["migrate", "--template", template.id, "--from", template.version, "--to", newer]
        assert run_onboardings(many, runtime) in {0, 1}
        lines = capsys.readouterr().out.splitlines()
        assert lines[-1].startswith(f"{len(lines) - 1} looked at: ")
        counts = [int(part.split()[0]) for part in lines[-1].partition(": ")[2].split(", ")]
        assert sum(counts) == len(lines) - 1 > 0
        with pytest.raises(NothingChosen):
            run_onboardings(["migrate", "--to", newer], runtime)
        assert run_onboardings(["migrate", str(new_id()), "--to", newer], runtime) == 1


class TestPage:
    def test_shows_proposes_and_declines_and_tells_what_is_missing(self, house: House, newer: str):
        place, browser = house.globex, house.lead.browser
        path = f"/t/{place.tenant.id}/onboardings/{place.onboarding_id}/migration"
        assert "8.0.0" in browser.get(path).text
        looked = browser.get(f"{path}?to={newer}")
        assert looked.status == 200
        assert "welcome" in looked.text
        plan = plan_of(house, place, newer).body["plan"]
        form = {"to": newer, "plan": plan, "map": "{}", "reason": " "}

        def send(**more: str) -> int:
            return browser.post(path, form | {"command_key": new_id().hex} | more).status

        assert send() == 422
        assert send(map="nonsense", reason=WHY) == 422
        assert send(plan="other", reason=WHY) == 409
        assert send(reason=WHY) == 303
        own = browser.get(path).text
        assert 'value="agree"' not in own
        theirs = house.lena.browser.get(path)
        assert 'value="agree"' in theirs.text
        declined = {"command_key": new_id().hex, "decision": "decline", "plan": plan, "reason": "Not now."}
        assert house.lena.browser.post(f"{path}/decision", declined).status == 303
        assert 'value="agree"' not in house.lena.browser.get(path).text
        assert house.gus.browser.get(path).status == 403


class TestHeld:
    def test_waits_with_everything_and_replays_to_what_is_stored(self, house: House, newer: str):
        place, about = house.globex, {"reason_code": "customer_no_response", "reason": "They are away."}
        with house.installation.work(place.tenant, house.ada) as work:
            hold_onboarding(work, onboarding_id=place.onboarding_id, **about)
        assert plan_of(house, place, newer).problem == "on-hold"
        assert verified(house, place)
        with house.installation.work(place.tenant, house.ada) as work:
            resume_onboarding(work, onboarding_id=place.onboarding_id, reason="Back.")


class TestSandbox:
    def test_takes_one_person_only(self, house: House, newer: str):
        place = house.globex
        house.installation.control("UPDATE control.tenant SET kind = 'sandbox' WHERE id = %s", place.tenant.id)
        done = ask(house, place, newer)
        house.installation.control("UPDATE control.tenant SET kind = 'customer' WHERE id = %s", place.tenant.id)
        assert (done.status, done.body["version"], done.body["waiting"]) == (200, "8.0.0", None)


class TestManyAtOnce:
    def test_are_asked_for_agreed_to_and_taken_back_over_json_and_pages(self, house: House, newer: str):
        house.run()
        to, key, template = publish_version(house, "8.9.0", add_pilot), new_id().hex, "msp-managed-services"
        running = house.lead.get(f"/api/v1/upgrades/running/{template}").body
        assert {each["tenant"] for each in running["onboardings"]} >= {"Acme", "Globex"}
        assert "8.9.0" in running["published"]
        assert house.lead.get("/api/v1/upgrades/running/nothing").status == 404
        wish = {"to": to, "reason": WHY}
        made = house.lead.post("/api/v1/upgrades", wish, key=key)
        assert (made.status, made.body["state"], made.headers["etag"]) == (201, "looking", '"1"')
        assert house.lead.post("/api/v1/upgrades", wish, key=key).body == made.body
        assert house.lead.post("/api/v1/upgrades", wish | {"to": "sha256:none"}).problem == "template-missing"
        keyless = house.lead.post("/api/v1/upgrades", wish | {"to": "sha256:none"}, key=None)
        assert keyless.problem == "idempotency-key-missing"
        assert {caller.post("/api/v1/upgrades", wish).status for caller in (house.cleo, house.gus)} == {403, 404}
        path, page = made.headers["location"], f"/upgrades/{made.body['id']}"
        assert house.lead.browser.get(page).status == 200
        house.run()

        shown = house.lead.get(path)
        assert (shown.body["state"], sum(shown.body["seen"].values())) == ("looked", len(running["onboardings"]))
        word = {"agreed": True, "preview": shown.body["preview"]}
        etag = {"if-match": shown.headers["etag"]}
        assert house.lead.post(f"{path}/decision", word, **etag).problem == "second-person-needed"
        assert house.lena.post(f"{path}/decision", word, **{"if-match": '"1"'}).problem == "upgrade-stale"
        assert house.lena.post(f"{path}/halt", {"stopped": True}, **etag).problem == "not-now"
        assert 'value="agree"' not in house.lead.browser.get(page).text
        assert 'value="agree"' in house.lena.browser.get(page).text
        form = {"decision": "agree", "preview": shown.body["preview"], "number": str(shown.body["number"])}
        assert house.lena.browser.post(f"{page}/decision", form | {"command_key": new_id().hex}).status == 303
        again = house.lena.browser.post(f"{page}/decision", form | {"command_key": new_id().hex})
        assert again.status == 409
        house.run()

        done = house.lead.get(path).body
        assert (done["state"], done["applied"]) == ("applied", {"done": shown.body["seen"]["goes"]})
        found = [house.lead.browser.get(each) for each in ("/upgrades", f"/upgrades?template={template}", page)]
        found += [house.lead.browser.get(f"{page}?word=done"), house.lead.browser.get(f"{page}?after=100")]
        assert {each.status for each in found} == {200}
        empty = {"command_key": new_id().hex, "number": str(done["number"]), "reason": " "}
        assert house.lead.browser.post(f"{page}/way-back", empty).status == 422
        for garbage in ("garbage", " "):
            unfit = {"command_key": new_id().hex, "reason": WHY, "onboarding": garbage} | {"number": empty["number"]}
            assert house.lead.browser.post(f"{page}/way-back", unfit).status == 422
        back = house.lead.post(f"{path}/way-back", {"reason": "It confuses."}, **{"if-match": "*"})
        assert (back.status, back.body["state"]) == (200, "taking_back")
        house.run()
        ended = house.lead.get(path).body
        assert (ended["state"], ended["back"]) == ("taken_back", done["applied"])
        asked = wish | {"template": template, "reason": "", "command_key": new_id().hex}
        assert house.lead.browser.post("/upgrades", asked).status == 422
