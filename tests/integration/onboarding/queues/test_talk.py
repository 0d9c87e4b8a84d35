"""Comments, mentions, watching and reminders over real HTTP: who sees what, once, and never what is not theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.bootstrap.commands.engine.onboardings import run_onboardings
from app.bootstrap.commands.engine.refilling import run_refill
from app.kernel.ids import new_id
from tenants.moving.portable import TENANT, PortableTable, portable_tables, read_rows
from tenants.sessions import tenant_cursor
from tests.factories.api import Caller
from tests.integration.onboarding.house import GATE, House, Place

ADA = "Ada@Northwind.Example"  # what the sign-in of these tests calls her
SECRET = "their budget is a stretch"
TASK = "task.confirm_goals"


@pytest.fixture(autouse=True)
def quiet(house: House) -> None:
    """No letters of the test before."""
    letters(house, house.acme, forget=True)


def letters(house: House, place: Place, *, forget: bool = False) -> list[Any]:
    query = house.installation.rows
    if forget:
        return query(place.tenant, "DELETE FROM {}.message RETURNING id")
    return query(place.tenant, "SELECT kind, recipient_id, facts FROM {}.message ORDER BY queued_at, id")


def travelling(house: House, place: Place, table: PortableTable) -> list[str]:
    """The rows that an export takes along which a customer may ask for."""
    databases = house.installation.runtime.databases
    with tenant_cursor(databases, place.tenant, actor="test") as (cursor, _entered):
        return list(read_rows(cursor, table, place.tenant.id, skip=0, whole=False))


def put(who: Caller, path: str, body: Any, match: str = "*") -> Any:
    return who.send("PUT", path, body, {"idempotency-key": new_id().hex, "if_match": match})


def say(who: Caller, place: Place, text: str, **more: Any) -> Any:
    return who.post(f"{place.path}/comments", {"text": text, **more})


def texts(who: Caller, place: Place, query: str = "") -> list[str | None]:
    return [each["text"] for each in who.get(f"{place.path}/comments{query}").body["items"]]


class TestComments:
    def test_are_the_staffs_own_unless_they_say_otherwise(self, house: House):
        acme = house.acme
        inside, both = say(house.lead, acme, SECRET), say(house.lead, acme, "Hello", internal=False)
        assert (inside.status, inside.body["internal"], both.body["internal"]) == (201, True, False)
        theirs = say(house.olga, acme, "Good morning", about=TASK)
        assert (theirs.status, theirs.body["internal"], theirs.body["author"]["side"]) == (201, False, "customer")
        assert say(house.olga, acme, "Psst", internal=True).problem == "internal-for-staff"
        assert texts(house.lead, acme)[:3] == ["Good morning", "Hello", SECRET]
        assert texts(house.olga, acme)[:2] == ["Good morning", "Hello"]
        assert texts(house.olga, acme, f"?about={TASK}") == ["Good morning"]

    def test_that_are_internal_reach_no_customer_on_any_way(self, house: House):
        acme = house.acme
        made = say(house.lead, acme, f"@Lena {SECRET}", about=TASK).body
        house.run()
        ways = [f"{acme.path}/comments", f"{acme.path}/comments/{made['id']}", f"{acme.path}/journal", acme.path]
        ways += [f"{acme.path}/items", f"/api/v1/tenants/{acme.tenant.id}/work?view=mentions"]
        ways += [f"/api/v1/tenants/{acme.tenant.id}/work?view=all&limit=200"]
        page = f"/t/{acme.tenant.id}/onboardings/{acme.onboarding_id}"
        pages = [page, f"{page}/comments", f"{page}/comments?about={TASK}", f"{page}/steps", f"{page}/tasks/{TASK}"]
        pages += [f"{page}/comments/{made['id']}", f"/t/{acme.tenant.id}/trail", f"/t/{acme.tenant.id}/work"]
        for way in ways:
            assert SECRET not in json.dumps(house.olga.get(way).body), way
            assert made["id"] not in json.dumps(house.olga.get(way).body.get("items", "")), way
        for way in pages:
            assert SECRET not in house.olga.browser.get(way).text, way
        assert house.olga.get(ways[1]).status == 404
        kept = {table.name: travelling(house, acme, table) for table in portable_tables() if table.group == TENANT}
        assert [name for name, lines in kept.items() if any(SECRET in line for line in lines)] == []
        assert any("Hello" in line for line in kept["comment"])
        assert not house.installation.control("SELECT 1 FROM control.work_item w WHERE w::text LIKE %s", f"%{SECRET}%")

    def test_of_staff_are_drawn_safe_with_their_links(self, house: House):
        acme = house.acme
        said = "<script>alert(1)</script>\nhttps://example.org/a?b=1 javascript:alert(2)"
        made = say(house.lead, acme, said, internal=False).body
        shown = house.olga.browser.get(f"/t/{acme.tenant.id}/onboardings/{acme.onboarding_id}/comments/{made['id']}")
        assert shown.status == 200
        assert "&lt;script&gt;" in shown.text
        assert '<a href="https://example.org/a?b=1" rel="' in shown.text
        assert 'href="javascript' not in shown.text

    def test_are_edited_and_withdrawn_by_their_author_alone(self, house: House):
        acme = house.acme
        made = say(house.lead, acme, "Frist draft", internal=False)
        path = f"{acme.path}/comments/{made.body['id']}"
        assert put(house.lena, path, {"text": "Hers"}, match='"1"').problem == "not-the-author"
        edited = put(house.lead, path, {"text": "First draft"}, match='"1"')
        assert (edited.status, edited.body["version"], edited.headers["etag"]) == (200, 2, '"2"')
        assert [each["text"] for each in edited.body["earlier"]] == ["Frist draft"]
        assert put(house.lead, path, {"text": "Late"}, match='"1"').status == 412
        assert put(house.lead, path, {"text": "  "}, match='"2"').problem == "comment-unfit"
        key = str(new_id())
        gone, again = (house.lead.post(f"{path}/withdrawal", None, key=key, if_match='"2"') for _ in "12")
        assert (gone.status, gone.body["text"], gone.body["earlier"]) == (200, None, [])
        assert again.headers["idempotency-replayed"] == "true"
        assert put(house.lead, path, {"text": "Again"}, match="*").problem == "comment-over"
        query = "SELECT action, body FROM {}.trail WHERE body->>'comment' = %s ORDER BY id"
        told = [(row.action.rpartition(".")[2], row.body) for row in
                house.installation.rows(acme.tenant, query, made.body["id"])]  # fmt: skip
        assert [word for word, _body in told] == ["written", "edited", "withdrawn"]
        assert (told[1][1]["was"], told[2][1]["was"]) == ("Frist draft", "First draft")

    def test_are_on_exactly_one_page_each(self, house: House):
        globex = house.globex
        for number in range(5):
            say(house.lead, globex, f"Page {number}", internal=False)
            say(house.lead, globex, f"Inside {number}")
        page, found = house.gus.get(f"{globex.path}/comments?limit=2").body, list[str]()
        while True:
            found += [each["text"] for each in page["items"]]
            if page["next"] is None:
                break
            page = house.gus.get(f"{globex.path}/comments?limit=2&cursor={page['next']}").body
        assert found == [f"Page {number}" for number in (4, 3, 2, 1, 0)]

    def test_are_for_those_who_work_here(self, house: House):
        acme = house.acme
        assert say(house.vera, acme, "May I?").problem == "not-permitted"
        assert say(house.gus, acme, "Hello?").status == 404
        assert house.gus.get(f"{acme.path}/comments").status == 404
        assert say(house.lead, acme, "Where?", about="task.nowhere").problem == "place-unknown"
        assert house.lead.get(f"{house.globex.path}/comments/{new_id()}").status == 404
        key = str(new_id())
        first, again = (house.lead.post(f"{acme.path}/comments", {"text": "Once"}, key=key) for _ in "12")
        assert first.body["id"] == again.body["id"]
        assert house.lead.post(f"{acme.path}/comments", {"text": "Other"}, key=key).problem == "command-key-reused"


class TestMentions:
    def test_tell_the_person_once_and_wait_in_their_list(self, house: House):
        acme = house.acme
        made = say(house.lead, acme, "@Olga please look, and @olga again; write to x@lena.example", internal=False).body
        assert [each["name"] for each in made["mentions"]] == ["Olga"]
        [letter] = letters(house, acme)
        assert (letter.kind, letter.facts["page"]) == ("mentioned", f"/comments/{made['id']}")
        put(house.lead, f"{acme.path}/comments/{made['id']}", {"text": "@Olga and @Lena, look"}, match='"1"')
        assert sorted(str(each.recipient_id) for each in letters(house, acme))[1:] != []
        assert [each.recipient_id for each in letters(house, acme)].count(letter.recipient_id) == 1
        house.run()
        mine = f"/api/v1/tenants/{acme.tenant.id}/work?view=mentions"
        [line] = [each for each in house.olga.get(mine).body["items"] if made["id"] in each["key"]]
        assert (line["kind"], line["reason"]) == ("mention", ADA)
        over_all = house.lena.get("/api/v1/work?view=mentions").body
        assert [each["key"].split(":")[1] for each in over_all["items"]].count(made["id"]) == 1
        assert over_all["views"]["mentions"] == over_all["total"]
        assert not [
            each for each in house.lena.get("/api/v1/work?limit=200").body["items"] if each["kind"] == "mention"
        ]
        assert made["id"] not in json.dumps(house.lead.get("/api/v1/work?view=mentions").body)
        house.lena.post(f"{acme.path}/comments/{made['id']}/seen", None)
        say(house.olga, acme, "I have looked")
        house.run()
        assert made["id"] not in json.dumps(house.lena.get("/api/v1/work?view=mentions").body)
        assert made["id"] not in json.dumps(house.olga.get(mine).body)

    def test_of_who_would_not_see_it_are_refused_with_the_name(self, house: House):
        before = len(texts(house.lead, house.acme, "?limit=200"))
        refused = say(house.lead, house.acme, f"@Olga {SECRET}")
        assert (refused.status, refused.problem) == (422, "mention-unseen")
        assert "Olga would not see" in refused.body["detail"]
        page = f"/t/{house.acme.tenant.id}/onboardings/{house.acme.onboarding_id}/comments"
        browser = house.lead.browser
        drawn = browser.post(page, browser.get(page).hidden | {"text": "@Olga psst", "to": "staff", "about": ""})
        assert (drawn.status, "Olga would not see" in drawn.text, "@Olga psst" in drawn.text) == (422, True, True)
        assert letters(house, house.acme) == []
        assert len(texts(house.lead, house.acme, "?limit=200")) == before


class TestWatching:
    def test_gathers_what_others_do_into_one_letter_that_its_reader_may_read(self, house: House):
        acme = house.acme
        for who in (house.lead, house.lena, house.olga):
            assert put(who, f"{acme.path}/watching", {"watching": True}).body["whole"] is True
        house.run()
        letters(house, acme, forget=True)
        say(house.lead, acme, f"Inside: {SECRET}")
        say(house.lead, acme, "For all", internal=False, about=TASK)
        house.run()
        told = {str(each.recipient_id): each.facts["text"]["en"] for each in letters(house, acme)}
        olga = [one for one in told if one not in {str(house.ada_id), str(house.lena_id)}]
        assert str(house.ada_id) not in told  # who did it all
        assert told[str(house.lena_id)].splitlines()[0] == f"Internal comment ({ADA})"
        assert [told[one].count("\n") for one in olga] == [0]
        assert told[olga[0]].startswith("Comment written: ")
        assert SECRET not in json.dumps(told)
        for who in (house.lead, house.lena, house.olga):
            assert put(who, f"{acme.path}/watching", {"watching": False}).body == {"whole": False, "about": []}
        letters(house, acme, forget=True)
        say(house.lead, acme, "Nobody hears", internal=False, about=GATE)
        house.run()
        assert [each.kind for each in letters(house, acme)] == []

    def test_begins_with_writing_being_named_and_being_given_a_step(self, house: House):
        globex = house.globex
        say(house.lead, globex, "@Lena look", about=GATE)
        for who in (house.lead, house.lena):
            assert GATE in who.get(f"{globex.path}/watching").body["about"]
        put(house.lead, f"{globex.path}/watching", {"watching": False})
        given = {"person": str(house.ada_id)}
        assert put(house.lena, f"{globex.path}/items/{GATE}/owner", given, match="*").status == 200
        assert house.lead.get(f"{globex.path}/watching").body["about"] == [GATE]
        house.run()
        lines = house.lead.get("/api/v1/work?view=watching").body["items"]
        assert (str(globex.tenant.id), GATE) in [(each["tenant_id"], each["key"]) for each in lines]
        own = house.lead.get(f"/api/v1/tenants/{globex.tenant.id}/work?view=watching").body["items"]
        assert [each["key"] for each in own] == [GATE]

    def test_tells_nobody_whose_access_has_ended(self, house: House):
        acme, query = house.acme, house.installation.rows
        put(house.lena, f"{acme.path}/watching", {"watching": True})
        house.run()
        letters(house, acme, forget=True)
        say(house.olga, acme, "News", about=TASK)
        query(acme.tenant, "UPDATE {}.delegation SET ends_at = now() - interval '1 hour'")
        house.run()
        assert [each.kind for each in letters(house, acme) if each.recipient_id == house.lena_id] == []
        query(acme.tenant, "UPDATE {}.delegation SET ends_at = now() + interval '1 year'")


class TestReminders:
    def test_reach_the_owners_once_a_day(self, house: House):
        acme = house.acme
        path, note = f"{acme.path}/items/{GATE}/reminders", {"note": "We start on Monday."}
        house.installation.rows(acme.tenant, "UPDATE {}.item SET assignee = NULL")
        done = house.olga.post(path, note)
        assert done.problem == "staff-remind"
        sent = house.lead.post(path, note)
        assert [each["name"] for each in sent.body["people"]] == ["Lena"]  # not who asks
        [letter] = letters(house, acme)
        assert (letter.kind, letter.facts["text"], letter.facts["by"]) == ("reminded", {"en": note["note"]}, ADA)
        assert house.lena.post(path, {}).problem == "reminded-already"
        query = "SELECT reason, body FROM {}.trail WHERE action = 'onboarding.owner.reminded'"
        [entry] = house.installation.rows(acme.tenant, query)
        assert (entry.reason, entry.body["item"], entry.body["people"]) == (note["note"], GATE, ["Lena"])

    def test_are_refused_where_nobody_is_waited_for(self, house: House):
        waiting = next(each["key"] for each in house.items(house.acme, "?state=waiting&kind=task"))
        assert house.lead.post(f"{house.acme.path}/items/{waiting}/reminders", {}).problem == "nothing-to-remind"
        assert house.lead.post(f"{house.acme.path}/items/task.nowhere/reminders", {}).problem == "unknown-item"
        long = house.lead.post(f"{house.acme.path}/items/{GATE}/reminders", {"note": "x" * 501})
        assert long.status == 400 or long.problem == "body-unfit"


class TestManyAtOnce:
    def test_are_tried_shown_confirmed_and_told_one_by_one(self, house: House):
        browser, places = house.lena.browser, (house.acme, house.globex)
        for place in places:
            house.installation.rows(place.tenant, "UPDATE {}.item SET assignee = NULL")
        steps = [f"{place.tenant.id} {place.onboarding_id} {GATE}" for place in places]
        steps.append(f"{house.acme.tenant.id} {house.acme.onboarding_id} task.nowhere")
        page = browser.get("/work")
        assert all(step in page.text for step in steps[:2])
        chosen = page.hidden | {"step": steps, "action": "claim", "command_key": str(new_id())}
        tried = browser.post("/work/changes", chosen)
        assert (tried.status, tried.text.count("Will be done"), "There is no such step" in tried.text) == (200, 3, True)
        assert house.lena.get("/api/v1/work?view=mine").body["total"] == 0 or GATE not in mine(house)
        sent = chosen | {"confirmed": "yes", "command_key": str(new_id())}
        done, again = (browser.post("/work/changes", sent) for _ in "12")
        assert "This is what became of them" in done.text
        assert done.text.count("is-good tone") == again.text.count("is-good tone")
        house.run()
        assert mine(house).count(GATE) == 2
        assert browser.post("/work/changes", page.hidden | {"action": "claim", "step": "a b"}).status == 422
        assert browser.post("/work/changes", page.hidden | {"action": "claim"}).status == 422

    def test_of_one_workspace_touch_no_other(self, house: House):
        home = f"/t/{house.acme.tenant.id}/work"
        browser, step = house.olga.browser, next(each["key"] for each in house.items(house.acme, "?side=customer"))
        names = [f"{place.tenant.id} {place.onboarding_id} {step}" for place in (house.acme, house.globex)]
        key = {"command_key": str(new_id())}
        sent = browser.get(home).hidden | key | {"step": names, "action": "claim", "confirmed": "yes"}
        done = browser.post(f"{home}/changes", sent)
        assert (done.status, str(house.globex.onboarding_id) in done.text) == (200, False)
        assert house.vera.browser.post(f"{home}/changes", key).status == 403

    def test_remind_by_software_too(self, house: House):
        house.installation.rows(house.globex.tenant, "DELETE FROM {}.trail WHERE action = 'onboarding.owner.reminded'")
        line = {"tenant_id": str(house.globex.tenant.id), "onboarding_id": str(house.globex.onboarding_id), "key": GATE}
        wish = {"action": "remind", "items": [line], "note": "Please"}
        assert house.lead.post("/api/v1/work/changes", wish | {"dry_run": True}).body["changed"] == 1
        assert house.lead.post("/api/v1/work/changes", wish).body["changed"] == 1
        again = house.lead.post("/api/v1/work/changes", wish).body["items"]
        assert [each["problem"] for each in again] == ["reminded-already"]


def mine(house: House) -> list[str]:
    return [each["key"] for each in house.lena.get("/api/v1/work?view=mine&limit=200").body["items"]]


class TestRefill:
    def test_brings_lines_back_once_and_resumes(self, house: House, capsys: pytest.CaptureFixture[str]):
        runtime, control = house.installation.runtime, house.installation.control
        house.run()
        before = house.lead.get("/api/v1/work?limit=200").body["items"]
        control("DELETE FROM control.work_item")
        assert run_refill(["--at-most", "1"], runtime) == 0
        after = capsys.readouterr().out.split("--after ")[1].split("\n")[0]
        house.run()
        half = house.lead.get("/api/v1/work?limit=200").body["items"]
        assert {each["tenant_id"] for each in half} == {after}
        assert run_refill(["--after", after], runtime) == 0
        house.run()
        assert house.lead.get("/api/v1/work?limit=200").body["items"] == before
        control("DELETE FROM control.work_item")
        assert run_onboardings(["refill"], runtime) == 0  # was done at this version
        house.run()
        assert house.lead.get("/api/v1/work").body["items"] == []
        assert run_onboardings(["refill", "--again"], runtime) == 0
        house.run()
        assert house.lead.get("/api/v1/work?limit=200").body["items"] == before
