"""Feeds over HTTP: by a private address, with the rights of now, ended at once, and never a way in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar

from app.bootstrap.wiring import declare_everything
from app.kernel.ids import new_id
from app.onboarding.dates.api import ScheduleDoors
from app.onboarding.dates.pages import DatePages
from app.onboarding.feeds import pages
from app.onboarding.feeds.pages import FEED, FeedDoors, FeedForms
from app.web.guard.limits import Limiter
from tenants.tenant import Tenant
from tests.factories.api import Caller
from tests.factories.doors import FRONT_DOORS, Browser, Doors
from tests.factories.installation import Installation
from tests.integration.onboarding.dates.test_dates_doors import KICKOFF, begin, workday

_ADDRESS = re.compile(r'value="http://[^/]+(/calendar/([A-Za-z0-9_-]{43})/[^"]+)"')


@dataclass
class Street:
    """Dana leads the onboarding of Olga's house; Eve has no business there. Nobody is `out`, who has no session."""

    doors: Doors
    acme: Tenant
    onboarding_id: UUID
    dana: Browser
    olga: Browser
    eve: Browser
    out: Browser

    @property
    def page(self) -> str:
        return f"/t/{self.acme.id}/onboardings/{self.onboarding_id}/dates"

    @property
    def api(self) -> str:
        return f"/api/v1/tenants/{self.acme.id}/onboardings/{self.onboarding_id}/schedule"

    def addresses(self, browser: Browser) -> list[str]:
        """A fresh address: that of the dates, that of one's own steps."""
        answer = browser.post(f"{self.page}/feed", {"command_key": new_id().hex})
        assert answer.status == 200
        return [path for path, _token in _ADDRESS.findall(answer.text)]

    def read(self, path: str) -> list[Any]:
        """The days of a feed, asked without a session."""
        answer = self.out.get(path)
        assert (answer.status, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        calendar = Calendar.from_ical(answer.text)
        assert not calendar.errors
        return list(calendar.walk("VEVENT"))


@pytest.fixture(scope="module")
def street(shared_installation: Installation, doors_redis: str) -> Iterator[Street]:
    declare_everything()
    mine = (*FRONT_DOORS, DatePages, ScheduleDoors, FeedForms, FeedDoors)
    doors = Doors(shared_installation, redis_url=doors_redis, controllers=mine)
    acme = shared_installation.tenant(doors.northwind, "Acme", kind="customer")
    dana_id = doors.staff("dana@northwind.example", doors.northwind, "onboarding_lead")
    doors.delegation(acme, '["onboarding_lead"]')
    olga_id = doors.member("olga@acme.example", acme, "owner")
    doors.staff("eve@contoso.example", doors.contoso, "partner_owner")
    onboarding_id = begin(shared_installation, acme)
    held = {"id": str(olga_id), "name": "Olga", "email": "olga@acme.example", "locale": "en", "side": "customer"}
    people = json.dumps({"customer_owner": [held], "revops": [held | {"id": str(dana_id), "side": "partner"}]})
    shared_installation.rows(acme, "UPDATE {}.onboarding SET people = %s::jsonb", people)
    browsers = []
    for email, host in (("dana@northwind", "northwind"), ("olga@acme", "northwind"), ("eve@contoso", "contoso")):
        browsers.append(doors.browser(f"{host}.localhost"))
        assert doors.sign_in(browsers[-1], f"{email}.example").status == 303
    browsers.append(doors.browser("northwind.localhost"))
    yield Street(doors, acme, onboarding_id, *browsers)
    doors.close()


def summaries(events: list[Any]) -> set[str]:
    return {str(event["summary"]).removeprefix("✓ ").rpartition(" · ")[0] for event in events}


class TestFeed:
    @pytest.mark.parametrize("side", ["dana", "olga"])
    def test_has_the_dates_that_its_makers_page_shows_in_the_brands_name(self, street: Street, side: str):
        browser: Browser = getattr(street, side)
        dates, steps = street.addresses(browser)
        found = street.read(dates)
        shown = re.findall(r'<tr id="([^"]+)"', browser.get(street.page).text)
        assert len(found) == len({str(event["uid"]) for event in found}) == len(shown)
        assert {str(event["status"]) for event in found} == {"CONFIRMED"}
        assert {event["dtstart"].params["VALUE"] for event in found} == {"DATE"}
        text = street.out.get(dates).text
        assert "PRODID:-//Northwind" in text
        assert "slipway" not in text.lower()
        mine = street.read(steps)
        assert summaries(mine) < summaries(found)
        theirs = street.read(street.addresses(street.olga if side == "dana" else street.dana)[1])
        assert not summaries(mine) & summaries(theirs)

    def test_keeps_its_uids_and_grows_its_sequence_when_a_date_moves(self, street: Street):
        dates = street.addresses(street.dana)[0]
        before = {str(event["uid"]): event for event in street.read(dates)}
        dana, day = Caller(street.dana), workday(70)
        wish = {"item": KICKOFF, "day": day, "reason": "Later."}
        assert dana.post(f"{street.api}/changes", wish, **{"if-match": "*"}).status == 200
        after = {str(event["uid"]): event for event in street.read(dates)}
        assert after.keys() == before.keys()
        assert all(int(after[uid]["sequence"]) > int(before[uid]["sequence"]) for uid in after)
        moved = [event for uid, event in after.items() if event["dtstart"].dt != before[uid]["dtstart"].dt]
        assert date.fromisoformat(day) in {event["dtstart"].dt for event in moved}

    def test_is_private_and_not_kept_and_asks_for_no_cookie_and_gives_none(self, street: Street):
        answer = street.out.get(street.addresses(street.dana)[0])
        assert answer.headers["cache-control"] == "no-store"
        assert "set-cookie" not in answer.headers
        [row] = street.doors.installation.control(
            "SELECT token_hash FROM control.date_feed WHERE person_id ="
            " (SELECT id FROM control.person WHERE email = 'dana@northwind.example')"
        )
        assert street.addresses(street.dana)[0].encode() not in bytes(row.token_hash)
        assert len(row.token_hash) == 32

    def test_is_nothing_on_another_host_by_a_wrong_token_or_for_another_onboarding(self, street: Street):
        dates = street.addresses(street.dana)[0]
        token = dates.split("/")[2]
        assert street.eve.get(dates).status == 404
        assert street.out.get(dates.replace(token, "A" * 43)).status == 404
        assert street.out.get(f"/calendar/short/{street.onboarding_id}/dates.ics").status == 404
        assert street.out.get(f"/calendar/{token}/{UUID(int=7)}/dates.ics").status == 404

    def test_opens_nothing_else(self, street: Street):
        token = street.addresses(street.dana)[0].split("/")[2]
        stranger = street.doors.browser("northwind.localhost")
        assert stranger.get(street.page, cookie=f"sid={token}").status == 303
        assert stranger.get(street.api, authorization=f"Bearer {token}").status == 401


class TestEnd:
    def test_comes_with_a_new_address_and_when_it_is_asked_for(self, street: Street):
        first = street.addresses(street.dana)[0]
        second = street.addresses(street.dana)[0]
        assert (street.out.get(first).status, street.out.get(second).status) == (404, 200)
        assert second not in street.dana.get(street.page).text  # it was shown once
        assert street.dana.post(f"{street.page}/feed/end", {"command_key": new_id().hex}).status == 303
        assert street.out.get(second).status == 404
        told = street.doors.installation.rows(street.acme, "SELECT action FROM {}.trail ORDER BY id DESC LIMIT 1")
        assert [row.action for row in told] == ["onboarding.feed.ended"]

    def test_comes_with_the_end_of_ones_rights(self, street: Street):
        theirs = street.addresses(street.olga)[0]
        assert street.out.get(theirs).status == 200
        street.doors.installation.rows(street.acme, "UPDATE {}.member SET state = 'removed'")
        assert street.out.get(theirs).status == 404
        street.doors.installation.rows(street.acme, "UPDATE {}.member SET state = 'active'")
        assert street.out.get(theirs).status == 200

    def test_comes_with_signing_out_everywhere(self, street: Street):
        theirs = street.addresses(street.olga)[0]
        street.doors.installation.control(
            "SELECT control.end_all_sessions(id, %s) FROM control.person WHERE email = 'olga@acme.example'",
            street.doors.northwind,
        )
        assert street.out.get(theirs).status == 404

    def test_comes_for_a_while_to_who_asks_too_often(self, street: Street, doors_redis: str, monkeypatch):
        assert (FEED.amount, FEED.seconds) == (120, 3600)
        monkeypatch.setattr(pages, "FEED", replace(FEED, amount=5))
        street.doors.runtime.services[Limiter] = Limiter(doors_redis, key=b"feeds")
        dates = street.addresses(street.dana)[0]
        statuses = [street.out.get(dates).status for _ask in range(6)]
        assert statuses == [200] * 5 + [429]


class TestForms:
    def test_are_nobodys_who_has_no_business_there(self, street: Street):
        form = {"command_key": new_id().hex}
        assert street.eve.post(f"{street.page}/feed", form).status == 404
        assert street.out.post(f"{street.page}/feed", form).status == 303
        assert street.dana.post(f"{street.page}/feed", form, origin="http://evil.example").status == 403

    def test_sent_twice_make_one_address(self, street: Street):
        form = {"command_key": new_id().hex}
        first = street.dana.post(f"{street.page}/feed", form)
        again = street.dana.post(f"{street.page}/feed", form)
        assert (first.status, again.status) == (200, 303)
        assert street.out.get(_ADDRESS.findall(first.text)[0][0]).status in {200, 429}
