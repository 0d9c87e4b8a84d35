"""A custom integration on its way live: steps that are met by facts, four eyes, stages, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import pytest

from app.connectors.connecting.state import Check, keep_check
from app.connectors.kit.limits.release import verdict_on
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.models import Connection, Run
from app.connectors.pillars.api.doors import IntegrationDoors
from app.connectors.pillars.pages.doors import IntegrationPages
from app.connectors.settings.api import SettingsDoors
from app.connectors.settings.pages import SettingsPages
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Browser, Doors
from tests.factories.installation import Installation
from tests.integration.connectors.test_settings import SET, ask

AGREED = {"person": "Ines Vogel", "role": "DPO", "basis": "contract", "purpose": "Billing", "keep": "A year"}


@pytest.fixture
def doors(installation: Installation, doors_redis: str) -> Iterator[Doors]:
    controllers = [*FRONT_DOORS, SettingsPages, SettingsDoors, IntegrationDoors, IntegrationPages]
    served = Doors(installation, redis_url=doors_redis, controllers=controllers)
    runner = Runner(Registry.load(), cast("OutboundClient", None), time_limit=1.0)  # nothing here calls anybody
    for runtime in (served.runtime, installation.runtime):
        cast("dict[type, Any]", runtime.services)[Runner] = runner
    yield served
    served.close()


@pytest.fixture
def acme(doors: Doors) -> Tenant:
    tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    doors.delegation(tenant, '["technical"]')
    for name in ("dana", "jonas"):
        doors.staff(f"{name}@northwind.example", doors.northwind, "technical")
    return tenant


def set_up(doors: Doors, acme: Tenant, connector: str = "rest", **config: Any) -> UUID:
    with doors.installation.work(acme) as work:
        made = Connection(id=new_id(), connector=connector, name=connector, config=config, state="active")
        made.changed_at = work.now
        work.session.add(made)
        return made.id


def signed_in(doors: Doors, name: str) -> Browser:
    browser = doors.browser()
    doors.sign_in(browser, f"{name}@northwind.example")
    return browser


def states(body: dict[str, Any]) -> dict[str, str]:
    return {each["step"]: each["state"] for each in body["steps"]}


def verdict(doors: Doors, acme: Tenant, connection: UUID, about: str = "") -> str:
    with doors.installation.work(acme) as work:
        row = work.session.get_one(Connection, connection)
        manifest = Registry.load().get(row.connector).manifest
        return verdict_on(row.config.get("release"), manifest, row.config, about)


class TestGoingLive:
    def test_takes_every_step_and_holds_what_was_changed_after(self, doors, acme):  # noqa: PLR0915  one way, to its end
        mine = set_up(doors, acme, release={})
        dana, jonas = signed_in(doors, "dana"), signed_in(doors, "jonas")
        settings = f"/api/v1/tenants/{acme.id}/connections/{mine}/settings"
        path = f"/api/v1/tenants/{acme.id}/connections/{mine}/integration"
        assert ask(dana, "PUT", settings, {"seen": 0, "settings": SET})[0] == 200
        status, fresh = ask(dana, "GET", path)
        assert (status, fresh["stage"], fresh["released"]) == (200, "off", False)
        assert states(fresh)["scope"] == "open"
        assert verdict(doors, acme, mine) == "off"

        # nothing is skipped, and the errors name what is missing
        for stage in ("sandbox", "all"):
            status, wrong = ask(dana, "POST", f"{path}/stage", {"stage": stage})
            assert (status, wrong["errors"][0]["pointer"]) == (409, "/steps/scope")
        status, wrong = ask(dana, "PUT", f"{path}/scope", {"scenarios": [" "]})
        assert (status, wrong["errors"][0]["pointer"]) == (422, "/scenarios")
        assert ask(dana, "PUT", f"{path}/consent", AGREED | {"needed": False})[0] == 422
        assert ask(dana, "PUT", f"{path}/risk", {"regulated": True})[0] == 422, "more than low needs a plan"

        # more than the connector gives by itself: four eyes
        more = {"seen": 1, "settings": SET, "level": "write", "reason": "It was signed"}
        status, asked = ask(dana, "PUT", settings, more)
        assert (status, asked["version"], asked["level"], asked["wish"]["level"]) == (200, 1, "read", "write")
        assert ask(dana, "POST", f"{settings}/approval")[0] == 403
        key = str(new_id())
        for _twice in range(2):
            status, now = ask(jonas, "POST", f"{settings}/approval", key=key)
            assert (status, now["version"], now["level"], now["wish"]) == (200, 2, "write", None)
        assert "dana" in now["versions"][0]["by"].lower()
        assert "jonas" in now["versions"][0]["approved_by"].lower()
        assert ask(jonas, "POST", f"{settings}/approval")[0] == 404

        # what people record
        ask(dana, "PUT", f"{path}/scope", {"scenarios": ["A customer is made when a deal is won"]})
        ask(dana, "PUT", f"{path}/consent", AGREED | {"needed": True})
        risky = {"regulated": True, "abroad": True, "plan": "A contract"}
        status, high = ask(dana, "PUT", f"{path}/risk", risky)
        assert (status, high["risk"], states(high)["risk"]) == (200, "high", "waits")
        assert ask(dana, "POST", f"{path}/risk/approval")[0] == 403
        assert states(ask(jonas, "POST", f"{path}/risk/approval")[1])["risk"] == "met"
        assert ask(dana, "POST", f"{path}/stage", {"stage": "sandbox"})[1]["stage"] == "sandbox"
        assert verdict(doors, acme, mine) == "sandbox"

        # the checks are run by a job, in a process apart
        assert ask(dana, "POST", f"{path}/validation")[0] == 202
        assert ask(dana, "POST", f"{path}/validation")[0] == 409
        for item in doors.installation.take(window=20):
            doors.installation.run_one(item)
        validated = ask(dana, "GET", path)[1]
        assert validated["checks"]["broken"] == []
        assert (validated["checks"]["said"], validated["checks"]["passed"]) == ("", True)
        status, wrong = ask(dana, "POST", f"{path}/stage", {"stage": "pilot", "share": 10})
        assert [each["pointer"] for each in wrong["errors"]] == ["/steps/connected"]
        with doors.installation.work(acme) as work:
            keep_check(work, mine, Check(at=work.now.isoformat(), works=True, worked_at=work.now.isoformat()))
        pilot = {"stage": "pilot", "chosen": [str(mine)]}
        assert ask(dana, "POST", f"{path}/stage", {"stage": "pilot"})[0] == 422, "nobody is in it"
        assert ask(dana, "POST", f"{path}/stage", pilot)[1]["stage"] == "pilot"
        assert (verdict(doors, acme, mine, str(mine)), verdict(doors, acme, mine)) == ("live", "not_chosen")

        # for all: an end-to-end test and a sample
        status, wrong = ask(dana, "POST", f"{path}/stage", {"stage": "all"})
        assert [each["pointer"] for each in wrong["errors"]] == ["/steps/end_to_end", "/steps/quality"]
        with doors.installation.work(acme) as work:
            fields = {"item_key": "t", "number": 1, "connector": "rest", "action": "list_records", "input": {}}
            fields |= {"idempotency_key": "k", "attempts": [], "state": "succeeded", "requested_at": work.now}
            work.session.add(Run(id=new_id(), onboarding_id=new_id(), connection_id=mine, **fields))
        assert states(ask(dana, "PUT", f"{path}/quality", {"checked": 100, "wrong": 9})[1])["quality"] == "open"
        assert states(ask(dana, "PUT", f"{path}/quality", {"checked": 100, "wrong": 1})[1])["quality"] == "met"
        status, out = ask(dana, "POST", f"{path}/stage", {"stage": "all", "reason": "It works"})
        assert (out["stage"], set(states(out).values())) == ("all", {"met"})
        assert {each["state"] for each in out["milestones"]} == {"reached"}
        assert verdict(doors, acme, mine) == "live"

        # a change is held until it is validated and let out; the version before goes out again at once
        names = {"create_record": {"request": {"no": "reference"}}}
        changed = {"seen": 2, "settings": SET, "level": "write", "mappings": names}
        assert ask(dana, "PUT", settings, changed)[1]["version"] == 3
        assert verdict(doors, acme, mine) == "changed"
        stale = states(ask(dana, "GET", path)[1])
        assert {stale[step] for step in ("scope", "risk", "consent", "validated", "released", "quality")} == {"stale"}
        assert ask(dana, "POST", f"{path}/stage", {"stage": "all"})[0] == 409
        assert ask(dana, "POST", f"{settings}/rollback", {"version": 2})[1]["version"] == 4
        assert verdict(doors, acme, mine) == "live"
        back = ask(dana, "POST", f"{path}/rollback", {"reason": "Two records were wrong"})[1]
        assert (back["stage"], back["history"][0]["reason"]) == ("pilot", "Two records were wrong")
        assert ask(dana, "POST", f"{path}/stage", {"stage": "off"})[1]["stage"] == "off"
        assert verdict(doors, acme, mine, str(mine)) == "off"
        page = dana.get(f"/t/{acme.id}/connections/{mine}/integration")
        assert page.status == 200
        assert "Ines Vogel" in page.text

    def test_leaves_what_was_live_before_alone_until_somebody_begins(self, doors, acme):
        old = set_up(doors, acme, settings=SET)
        other = doors.installation.tenant(doors.northwind, "Globex", kind="customer")
        dana = signed_in(doors, "dana")
        path = f"/api/v1/tenants/{acme.id}/connections/{old}/integration"
        assert ask(dana, "GET", path)[1]["released"]
        assert ask(dana, "POST", f"{path}/stage", {"stage": "pilot", "share": 5})[0] == 409
        assert verdict(doors, acme, old) == "live"
        page = f"/t/{acme.id}/connections/{old}/integration"
        assert dana.post(f"{page}/begin", {"command_key": str(new_id()), "reason": ""}).status == 422
        assert dana.post(f"{page}/begin", {"command_key": str(new_id()), "reason": "An audit asks"}).status == 303
        assert verdict(doors, acme, old) == "off"
        assert ask(dana, "POST", path, {"reason": "Again"})[0] == 409
        doors.delegation(other, '["technical"]')
        there = f"/api/v1/tenants/{other.id}/connections/{old}/integration"
        assert ask(dana, "GET", there)[0] == 404
        assert ask(dana, "POST", f"{there}/stage", {"stage": "off"})[0] == 404
        assert ask(dana, "POST", f"{there}/validation")[0] == 404
