"""How a connection is set: from the version that was seen, with a reason for more, and back again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import pytest

from app.connectors.drift.doors.api import DriftDoors
from app.connectors.drift.doors.pages import DriftPages
from app.connectors.drift.operations import note_look
from app.connectors.drift.records import Place
from app.connectors.drift.sources import Ours, Theirs
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.models import Connection, Run
from app.connectors.settings.api import RunDoors, SettingsDoors
from app.connectors.settings.pages import SettingsPages
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Browser, Doors
from tests.factories.installation import Installation

SET = {"host": "api.partner.example", "base_path": "", "collection": "customers", "key_field": "no"}


@pytest.fixture
def doors(installation: Installation, doors_redis: str) -> Iterator[Doors]:
    served = Doors(
        installation,
        redis_url=doors_redis,
        controllers=[*FRONT_DOORS, SettingsPages, SettingsDoors, RunDoors, DriftPages, DriftDoors],
    )
    nobody = cast("OutboundClient", None)  # setting a connection calls nobody
    cast("dict[type, Any]", served.runtime.services)[Runner] = Runner(Registry.load(), nobody, time_limit=1.0)
    yield served
    served.close()


@pytest.fixture
def acme(doors: Doors) -> Tenant:
    tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    doors.delegation(tenant, '["technical"]')
    for name in ("dana", "jonas"):
        doors.staff(f"{name}@northwind.example", doors.northwind, "technical")
    return tenant


@pytest.fixture
def connection(doors: Doors, acme: Tenant) -> UUID:
    kept = Connection(id=new_id(), connector="rest", name="Customers", config={"auth": {"way": "key"}}, state="active")
    with doors.installation.work(acme) as work:
        kept.changed_at = work.now
        work.session.add(kept)
        return kept.id


def ask(browser: Browser, method: str, path: str, body: object = None, *, key: str | None = None) -> Any:
    headers = {"accept": "application/json", "content-type": "application/json"}
    headers["idempotency-key"] = key or str(new_id())
    headers |= {"origin": f"http://{browser.host}:{browser.port}", "sec-fetch-site": "same-origin"}
    answer = browser.send(method, path, body=json.dumps(body).encode() if body is not None else b"", headers=headers)
    return answer.status, json.loads(answer.text)


class TestSettings:
    def test_are_versions_with_a_way_back(self, doors, acme, connection):
        browser = doors.browser()
        doors.sign_in(browser, "dana@northwind.example")
        path = f"/api/v1/tenants/{acme.id}/connections/{connection}/settings"
        _, fresh = ask(browser, "GET", path)
        assert (fresh["version"], fresh["level"], fresh["versions"]) == (0, "read", [])

        evil = SET | {"host": "evil.example/x", "more": "1"}
        status, wrong = ask(browser, "PUT", path, {"seen": 0, "settings": evil})
        assert (status, {each["pointer"] for each in wrong["errors"]}) == (422, {"/settings/host", "/settings/"})
        bad = {"create_record": {"request": {"no": "referenz", "x": "[["}, "answer": {"shoe": "size"}}, "launch": {}}
        status, wrong = ask(browser, "PUT", path, {"seen": 0, "settings": SET, "mappings": bad})
        assert status == 422
        assert {each["pointer"] for each in wrong["errors"]} == {
            "/mappings/create_record/request/no",
            "/mappings/create_record/request/x",
            "/mappings/create_record/answer/shoe",
            "/mappings/launch",
        }
        names = {"create_record": {"request": {"no": "reference"}}}
        status, first = ask(browser, "PUT", path, {"seen": 0, "settings": SET, "mappings": names}, key=str(new_id()))
        assert (status, first["version"], first["mappings"]) == (200, 1, names)

        assert ask(browser, "PUT", path, {"seen": 0, "settings": SET})[0] == 412
        assert ask(browser, "PUT", path, {"seen": 1, "settings": SET, "mappings": names})[0] == 409
        more = {"seen": 1, "settings": SET, "mappings": names, "level": "write"}
        assert ask(browser, "PUT", path, more)[0] == 422
        key = str(new_id())
        for _twice in range(2):
            status, asked = ask(browser, "PUT", path, more | {"reason": "It was signed"}, key=key)
            assert (status, asked["version"], asked["wish"]["level"]) == (200, 1, "write")
        other = doors.browser()
        doors.sign_in(other, "jonas@northwind.example")
        status, second = ask(other, "POST", f"{path}/approval")
        assert (status, second["version"], second["level"]) == (200, 2, "write")
        assert second["versions"][0]["changes"] == [{"place": "/level", "before": "", "after": "write"}]

        status, back = ask(browser, "POST", f"{path}/rollback", {"version": 1})
        assert (status, back["version"], back["level"], back["versions"][0]["restored"]) == (200, 3, "read", 1)
        assert ask(browser, "POST", f"{path}/rollback", {"version": 9})[0] == 404
        assert ask(browser, "POST", f"{path}/rollback", {"version": 2})[1]["wish"]["reason"] == "It was signed"
        assert ask(other, "POST", f"{path}/approval")[1]["level"] == "write", "its reason stands"
        with doors.installation.work(acme) as work:
            kept = work.session.get_one(Connection, connection).config
        assert kept["auth"] == {"way": "key"}
        assert ConnectionConfig.read(kept).version == 4
        told = doors.installation.rows(
            acme, "SELECT body, reason FROM {}.trail WHERE action = 'connectors.connection.set' ORDER BY id"
        )
        assert [each.reason for each in told] == [None, "It was signed", None, "It was signed"]

    def test_page_says_what_is_wrong_and_lets_a_pause_be_ended(self, doors, acme, connection):
        browser = doors.browser()
        doors.sign_in(browser, "dana@northwind.example")
        gate, path = doors.runtime.service(Runner).gate, f"/t/{acme.id}/connections/{connection}/settings"
        limits = Registry.load().get("rest").manifest.limits
        for _ in range(limits.breaker.failures):
            gate.tell(str(connection), limits, "failed")
        assert "has failed 5 times in a row" in browser.get(path).text
        done = browser.post(f"{path}/resumption", {"command_key": str(new_id())})
        assert done.status == 303
        assert gate.look(str(connection)).circuit == "closed"

        typed = {"seen": "0", "level": "write", **{f"set-{name}": value for name, value in SET.items()}}
        typed |= {"set-host": "http://x", "map-create_record-request": "no = referenz"}
        answer = browser.post(path, typed | {"command_key": str(new_id())})
        assert answer.status == 422
        assert '<a href="#set-host">' in answer.text
        assert '<a href="#map-create_record-request">' in answer.text
        assert "http://x" in answer.text
        typed |= {"set-host": SET["host"], "map-create_record-request": "no = reference", "reason": "It was signed"}
        assert browser.post(path, typed | {"command_key": str(new_id())}).status == 303
        assert "It was signed" in browser.get(path).text

    def test_are_of_their_workspace_only(self, doors, acme, connection):
        other = doors.installation.tenant(doors.northwind, "Globex", kind="customer")
        doors.delegation(other, '["technical"]')
        browser = doors.browser()
        doors.sign_in(browser, "dana@northwind.example")
        path = f"/api/v1/tenants/{other.id}/connections/{connection}/settings"
        for method, body in (("GET", None), ("PUT", {"seen": 0, "settings": SET})):
            assert ask(browser, method, path, body)[0] == 404
        assert ask(browser, "POST", f"{path}/rollback", {"version": 0})[0] == 404
        assert ask(browser, "POST", f"{path}/resumption")[0] == 404


def kept_run(doors: Doors, acme: Tenant, **more: Any) -> UUID:
    given = {"name": "Acme GmbH"}
    made = {"action": "create_customer", "state": "succeeded", "result": {"id": "cus_Acme1", "object": "customer"}}
    with doors.installation.work(acme) as work:
        run_id = new_id()
        fields: dict[str, Any] = {
            "id": run_id,
            "onboarding_id": new_id(),
            "item_key": "task.bill",
            "number": 1,
            "connector": "stripe",
        }
        fields |= {"input": given, "idempotency_key": "k", "attempts": [], "requested_at": work.now, **made, **more}
        work.session.add(Run(**fields))
        return run_id


class TestCompensation:
    def test_is_a_run_of_its_own_asked_for_once_by_a_person(self, doors, acme):
        browser = doors.browser()
        doors.sign_in(browser, "dana@northwind.example")
        paths = {
            name: f"/api/v1/tenants/{acme.id}/runs/{kept_run(doors, acme, **more)}/compensation"
            for name, more in dict[str, dict[str, Any]](
                {
                    "made": {},
                    "failed": {"state": "failed", "result": {}},
                    "read": {"action": "read_customer"},
                    "unknown": {"state": "unknown", "result": {}},
                }
            ).items()
        }
        why = {"reason": "The customer has withdrawn"}
        made = [ask(browser, "POST", paths["made"], why) for _twice in range(2)]
        assert [status for status, _body in made] == [202, 202]
        assert made[0][1] == made[1][1]
        runs = doors.installation.rows(acme, "SELECT * FROM {}.run WHERE action = 'delete_customer'")
        assert [(str(run.id), run.input, run.state) for run in runs] == [
            (made[0][1]["run"], {"id": "cus_Acme1"}, "requested")
        ]
        told = doors.installation.rows(
            acme, "SELECT reason FROM {}.trail WHERE action = 'connectors.run.compensation_asked'"
        )
        assert [each.reason for each in told] == [why["reason"]]
        for name in ("failed", "read", "unknown"):
            assert ask(browser, "POST", paths[name], why)[0] == 409, name
        assert ask(browser, "POST", paths["made"], {"reason": " "})[0] == 422
        elsewhere = f"/api/v1/tenants/{acme.id}/runs/{new_id()}/compensation"
        assert ask(browser, "POST", elsewhere, why)[0] == 404


class TestDriftDoors:
    def test_list_decide_once_and_say_what_is_wrong(self, doors, acme, connection):
        place = Place("written", connection, "rest", "r1")
        with doors.installation.work(acme) as work:
            ours, theirs = (
                {"plan": "team", "seats": 4, "email": "a@b.example"},
                {"plan": "free", "seats": 5, "email": ""},
            )
            note_look(work, place, Ours("acme-1", ours, names=(("reference", "acme-1"),)), Theirs(theirs))
        browser = doors.browser()
        doors.sign_in(browser, "dana@northwind.example")
        api, page = f"/api/v1/tenants/{acme.id}/drifts", f"/t/{acme.id}/drifts"
        status, found = ask(browser, "GET", api)
        assert (status, [each["field"] for each in found["drifts"][0]["differences"]]) == (
            200,
            ["email", "plan", "seats"],
        )
        shown = browser.get(page).text
        assert "acme-1" in shown
        assert "a@b.example" not in shown + str(found)

        def decide(form: dict[str, str]) -> Any:
            return browser.post(f"{page}/{place.id}", form | {"command_key": str(new_id())})

        assert "kept with its reason" in decide({"answer": "ours", "reason": ""}).text
        assert "Choose what holds." in decide({"answer": "x", "reason": "r"}).text
        settle = f"{api}/{place.id}/settlement"
        assert ask(browser, "POST", settle, {"answer": "perhaps", "reason": "r"})[0] == 422
        assert ask(browser, "POST", f"{api}/{new_id()}/settlement", {"answer": "ours", "reason": "r"})[0] == 404
        key, part = str(new_id()), {"answer": "theirs", "reason": "Sold down", "fields": ["plan"]}
        for _twice in range(2):
            status, half = ask(browser, "POST", settle, part, key=key)
            assert (status, half["state"]) == (200, "open")
        assert decide({"answer": "ours", "reason": "by phone"}).status == 303
        assert ask(browser, "POST", settle, {"answer": "ours", "reason": "again"})[0] == 409
        assert ask(browser, "GET", f"{api}/{place.id}")[1]["state"] == "accepted"
        assert ask(browser, "POST", f"{api}/looks")[:1] == (202,)
        asked = doors.installation.jobs("connectors.look_for_drift")
        assert [job.tenant_id for job in asked] == [acme.id]
