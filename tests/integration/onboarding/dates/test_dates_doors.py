"""The doors of dates over HTTP: looked at by both sides, tried, changed once from the version that was read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from app.bootstrap.wiring import declare_everything
from app.flow import events as flow
from app.flow.calendar import Calendar
from app.kernel.ids import new_id
from app.onboarding.dates.api import ScheduleDoors
from app.onboarding.dates.pages import DatePages
from app.onboarding.dates.times import TimePages
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.templates.library import open_shelf
from app.templates.operations import pin
from tenants.tenant import Tenant
from tests.factories.api import Caller
from tests.factories.doors import FRONT_DOORS, Answer, Browser, Doors
from tests.factories.installation import Installation

KICKOFF, WHY = "task.schedule_kickoff", "Their <administrator> is away."


@dataclass
class Street:
    """Dana leads the onboarding of Olga's house; Vera only looks; Eve has no business there."""

    doors: Doors
    acme: Tenant
    onboarding_id: UUID
    dana: Browser
    olga: Browser
    eve: Browser

    @property
    def page(self) -> str:
        return f"/t/{self.acme.id}/onboardings/{self.onboarding_id}/dates"

    @property
    def api(self) -> str:
        return f"/api/v1/tenants/{self.acme.id}/onboardings/{self.onboarding_id}/schedule"

    def journal(self) -> int:
        return len(self.doors.installation.rows(self.acme, "SELECT 1 FROM {}.journal"))


@pytest.fixture(scope="module")
def street(shared_installation: Installation, doors_redis: str) -> Iterator[Street]:
    declare_everything()
    doors = Doors(
        shared_installation, redis_url=doors_redis, controllers=(*FRONT_DOORS, DatePages, TimePages, ScheduleDoors)
    )
    acme = shared_installation.tenant(doors.northwind, "Acme", kind="customer")
    doors.staff("dana@northwind.example", doors.northwind, "onboarding_lead")
    doors.delegation(acme, '["onboarding_lead"]')
    doors.member("olga@acme.example", acme, "owner")
    doors.staff("eve@contoso.example", doors.contoso, "partner_owner")
    onboarding_id = begin(shared_installation, acme)
    browsers = []
    for email, host in (("dana@northwind", "northwind"), ("olga@acme", "northwind"), ("eve@contoso", "contoso")):
        browsers.append(doors.browser(f"{host}.localhost"))
        assert doors.sign_in(browsers[-1], f"{email}.example").status == 303
    yield Street(doors, acme, onboarding_id, *browsers)
    doors.close()


def begin(installation: Installation, tenant: Tenant) -> UUID:
    """An onboarding of the library's template."""
    calendar = Calendar(zone="Europe/Berlin")
    started = flow.Started(
        by=flow.By(actor="test"),
        reference="1",
        inputs={"plan": "team", "seats": 40},
        packet={},
        partner=calendar,
        customer=calendar,
        follows=True,
    )
    with installation.work(tenant) as work:
        digest = pin(work, open_shelf("msp/managed-services").effective())
        request = StartRequest(new_id(), "25 seats", digest, started, people={}, deal={})
        return start_onboarding(work, request).id


def workday(ahead: int) -> str:
    day = datetime.now(UTC).date() + timedelta(days=ahead)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return day.isoformat()


class TestAPI:
    def test_tries_changes_and_reads_why(self, street: Street):
        dana, before = Caller(street.dana), street.journal()
        read = dana.get(street.api)
        day = workday(40)
        tried = dana.get(f"{street.api}/trial?item={KICKOFF}&day={day}")
        assert (tried.status, street.journal()) == (200, before)
        wish = {"item": KICKOFF, "day": day, "reason": WHY}
        changed = dana.post(f"{street.api}/changes", wish, key="once", **{"if-match": read.headers["etag"]})
        assert changed.status == 200, changed.body
        assert changed.headers["etag"] != read.headers["etag"]
        newest = [move for move in changed.body["moves"] if move["seq"] == changed.body["seq"]]
        places = ("item", "was", "becomes", "cause", "cause_item")
        told, happened = (
            [[move[name] for name in places] for move in moves] for moves in (tried.body["moves"], newest)
        )
        assert told
        assert sorted(told) == sorted(happened)
        assert {(move["cause"], move["cause_item"], move["reason"]) for move in newest} == {("chosen", KICKOFF, WHY)}
        again = dana.post(f"{street.api}/changes", wish, key="once", **{"if-match": read.headers["etag"]})
        assert (again.status, again.headers["idempotency-replayed"]) == (200, "true")
        assert street.journal() == before + 1

    def test_refuses_what_it_should(self, street: Street):
        dana, before = Caller(street.dana), street.journal()
        etag = dana.get(street.api).headers["etag"]
        path, wish = f"{street.api}/changes", {"item": KICKOFF, "day": workday(30), "reason": WHY}
        said: list[tuple[Any, int]] = [
            (dana.post(path, wish), 428),
            (dana.post(path, wish, key=None, **{"if-match": etag}), 400),
            (dana.post(path, wish, **{"if-match": '"0"'}), 412),
            (dana.post(path, wish | {"reason": " "}, **{"if-match": etag}), 422),
            (dana.post(path, wish | {"day": "2020-01-01"}, **{"if-match": etag}), 422),
            (dana.post(path, wish | {"item": "task.nothing"}, **{"if-match": etag}), 404),
            (dana.get(f"{street.api}/trial?colour=blue"), 400),
            (Caller(street.olga).post(path, wish, **{"if-match": etag}), 403),
            (Caller(street.eve).post(path, wish, **{"if-match": etag}), 404),
            (Caller(street.eve).get(street.api), 404),
        ]
        assert [answer.status for answer, _wanted in said] == [wanted for _answer, wanted in said]
        assert street.journal() == before

    def test_lets_one_of_two_win_who_change_at_once(self, street: Street):
        dana, before = Caller(street.dana), street.journal()
        etag = dana.get(street.api).headers["etag"]

        def send(ahead: int) -> int:
            wish = {"day": workday(ahead), "reason": WHY}
            return dana.post(f"{street.api}/changes", wish, **{"if-match": etag}).status

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(send, (90, 120))) == [200, 412]
        assert street.journal() == before + 1


AWAY = {"side": "customer", "zone": "America/New_York", "country": "US", "opens": 480, "weekdays": "0,1,2,3"}


class TestCalendar:
    def test_tries_changes_and_undoes_when_a_party_works(self, street: Street):
        dana, before = Caller(street.dana), street.journal()
        read, path = dana.get(street.api), f"{street.api}/calendars"
        query = urlencode(AWAY)
        trial = dana.get(f"{street.api}/calendar-trial?{query}")
        assert (trial.status, street.journal()) == (200, before)
        assert {move["cause"] for move in trial.body["moves"]} == {"calendar"}
        wish = {"calendar": AWAY, "reason": WHY}
        changed = dana.post(path, wish, key="away", **{"if-match": read.headers["etag"]})
        assert changed.status == 200, changed.body
        newest = [move for move in changed.body["moves"] if move["seq"] == changed.body["seq"]]
        told = {(move["item"], move["becomes"]) for move in trial.body["moves"]}
        assert {(move["item"], move["becomes"]) for move in newest} == told
        again = dana.post(path, wish, key="away", **{"if-match": read.headers["etag"]})
        assert (again.headers["idempotency-replayed"], street.journal()) == ("true", before + 1)
        home = {"calendar": {"side": "customer", "zone": "Europe/Berlin"}, "reason": "And back."}
        back = dana.post(path, home, **{"if-match": changed.headers["etag"]})
        due = [[item["due_at"] for item in each.body["items"]] for each in (read, changed, back)]
        assert due[0] == due[2] != due[1]

    def test_refuses_what_it_should(self, street: Street):
        dana, before, path = Caller(street.dana), street.journal(), f"{street.api}/calendars"
        etag, wish = dana.get(street.api).headers["etag"], {"calendar": AWAY, "reason": WHY}
        said: list[tuple[Any, int]] = [
            (dana.post(path, wish), 428),
            (dana.post(path, wish, **{"if-match": '"0"'}), 412),
            (dana.post(path, wish | {"reason": " "}, **{"if-match": etag}), 422),
            (dana.post(path, wish | {"calendar": AWAY | {"zone": "Mars/Base"}}, **{"if-match": etag}), 422),
            (dana.post(path, wish | {"calendar": AWAY | {"country": "XX"}}, **{"if-match": etag}), 422),
            (dana.get(f"{street.api}/calendar-trial?opens=600&closes=500"), 422),
            (dana.get(f"{street.api}/calendar-trial?weekdays=9"), 400),
            (Caller(street.olga).post(path, wish, **{"if-match": etag}), 403),
            (Caller(street.eve).post(path, wish, **{"if-match": etag}), 404),
        ]
        assert [answer.status for answer, _wanted in said] == [wanted for _answer, wanted in said]
        assert street.journal() == before


class TestPage:
    def test_shows_what_would_move_then_saves_it_and_tells_both_sides_why(self, street: Street):
        day, before = workday(60), street.journal()
        tried = street.dana.get(f"{street.page}?step={KICKOFF}&day={day}")
        assert (tried.status, street.journal()) == (200, before)
        assert "What would move" in tried.text
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', tried.text))
        stale = street.dana.post(street.page, fields | {"reason": WHY, "seen": "999"})
        assert (stale.status, street.journal()) == (412, before)
        empty = street.dana.post(street.page, fields | {"reason": " ", "command_key": new_id().hex})
        assert (empty.status, street.journal()) == (422, before)
        saved = street.dana.post(street.page, fields | {"reason": WHY, "command_key": new_id().hex})
        assert (saved.status, street.journal()) == (303, before + 1)
        for browser in (street.dana, street.olga):
            text = browser.get(street.page).text
            assert "Their &lt;administrator&gt; is away." in text
            assert "This date was chosen." in text

    def test_says_that_a_go_live_cannot_be_met_and_by_how_much(self, street: Street):
        dana = Caller(street.dana)
        etag = dana.get(street.api).headers["etag"]
        dana.post(f"{street.api}/changes", {"day": workday(3), "reason": WHY}, **{"if-match": etag})
        told = dana.get(street.api).body["go_live"]
        assert told["late_by"] > 0
        assert date.fromisoformat(told["expected"][:10]) > date.fromisoformat(told["day"])
        text = re.sub(r"<[^>]+>", "", street.olga.get(street.page).text)
        assert f"cannot be met by {told['late_by']} working day" in text

    def test_offers_no_change_to_the_customer_and_nothing_to_a_stranger(self, street: Street):
        theirs = street.olga.get(f"{street.page}?step={KICKOFF}&day={workday(50)}")
        assert theirs.status == 200
        assert "Save this date" not in theirs.text
        before = street.journal()
        form = {"step": KICKOFF, "day": workday(50), "reason": WHY, "seen": "1", "command_key": new_id().hex}
        assert street.olga.post(street.page, form).status == 403
        assert street.eve.get(street.page).status == 404
        assert street.journal() == before

    @pytest.mark.parametrize(
        ("asked", "status", "said"),
        [
            ("step=task.nothing&day=", 404, ""),
            (f"step={KICKOFF}&day=soon", 200, "This is not a day."),
            ("step=go_live&day=2020-01-01", 200, "This day is over; choose one that is still to come."),
        ],
    )
    def test_says_what_is_wrong_with_what_was_asked(self, street: Street, asked: str, status: int, said: str):
        answer = street.dana.get(f"{street.page}?{asked}")
        assert answer.status == status
        assert said in answer.text


class TestTimesPage:
    """When both sides work: shown, tried, changed, as it is typed."""

    ASKED: tuple[tuple[str, str], ...] = (
        *(("try", "yes"), ("side", "customer"), ("zone", "America/New_York")),
        *(("weekdays", "0"), ("weekdays", "1"), ("weekdays", "2"), ("weekdays", "3")),
        *(("opens", "8:30"), ("closes", "16:00"), ("country", "US"), ("subdivision", "ny"), ("days", "2030-01-02")),
    )

    def hidden(self, text: str) -> list[tuple[str, str]]:
        form = text[text.index('id="tried"') :]
        return re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)

    def post(self, browser: Browser, page: str, pairs: Sequence[tuple[str, str]], **more: str) -> Answer:
        every = [*pairs, *more.items()]
        return browser.post(
            f"{page}/times", {name: [value for key, value in every if key == name] for name, _ in every}
        )

    def test_shows_both_sides_and_starts_the_form_with_what_is(self, street: Street):
        shown = street.dana.get(f"{street.page}/times").text
        assert f"{street.page}/times?side=partner#change" in shown
        assert "What would move" not in shown
        form = street.dana.get(f"{street.page}/times?side=customer").text
        assert 'name="opens" value="09:00"' in form
        assert '<option value="Europe/Berlin" selected>' in form
        assert form.count('name="weekdays"') == 7
        assert len(re.findall(r'name="weekdays" value="\d" checked', form)) == 5

    def test_tries_then_saves_once_and_tells_both_sides_why(self, street: Street):
        before, dana = street.journal(), Caller(street.dana)
        tried = street.dana.get(f"{street.page}/times?{urlencode(self.ASKED)}")
        assert (tried.status, street.journal()) == (200, before)
        fields = self.hidden(tried.text)
        assert [value for name, value in fields if name == "weekdays"] == ["0", "1", "2", "3"]
        saved = self.post(street.dana, street.page, fields, reason=WHY)
        again = self.post(street.dana, street.page, fields, reason=WHY)
        assert ([saved.status, again.status], street.journal()) == ([303, 303], before + 1)
        newest = [move for move in dana.get(street.api).body["moves"] if move["seq"] == before + 1]
        assert {move["cause"] for move in newest} == {"calendar"}
        for browser in (street.dana, street.olga):
            text = browser.get(street.page).text
            assert "The working times of one side changed." in text
            assert "Their &lt;administrator&gt; is away." in text
        now = street.dana.get(f"{street.page}/times?side=customer").text
        assert 'name="opens" value="08:30"' in now
        assert "America/New_York" in now

    def test_keeps_the_days_off_where_no_country_is_chosen(self, street: Street):
        asked = [(name, "" if name in {"country", "subdivision"} else value) for name, value in self.ASKED]
        before = len(self.days_off(street))
        tried = street.dana.get(f"{street.page}/times?{urlencode([*asked[:-1], ('days', '2031-02-03')])}")
        self.post(street.dana, street.page, self.hidden(tried.text), reason=WHY)
        after = self.days_off(street)
        assert (len(after), "2031-02-03" in after) == (before + 1, True)

    def days_off(self, street: Street) -> list[str]:
        rows = street.doors.installation.rows(street.acme, "SELECT snapshot FROM {}.onboarding")
        return [day for row in rows for day in row.snapshot["customer"].get("holidays", [])]

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("zone", "Mars/Base", "Choose a time zone."),
            ("opens", "nine", "Write a time of day such as 09:00 or 17:30."),
            ("opens", "24:30", "Write a time of day such as 09:00 or 17:30."),
            ("closes", "08:00", "The day must end after it begins."),
            ("country", "XX", "The public holidays of this country are not known here."),
            ("subdivision", "BY", "This country has no such region"),
            ("days", "Christmas", "Write each day such as 2026-12-24, one a line."),
            ("days", " ".join(f"{year}-01-01" for year in range(1970, 2400)), "These are more days than a calendar"),
            ("weekdays", "x", "Choose at least one day of the week."),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(self, street: Street, field: str, value: str, said: str):
        asked = [(name, old) for name, old in self.ASKED if name != field] + [(field, value)]
        answer = street.dana.get(f"{street.page}/times?{urlencode(asked)}")
        assert answer.status == 200
        assert said in answer.text
        assert 'value="16:00"' in answer.text or field == "closes"
        assert 'id="tried"' not in answer.text
        before = street.journal()
        posted = self.post(street.dana, street.page, asked, reason=WHY, seen="1", command_key=new_id().hex)
        assert (posted.status, street.journal()) == (422, before)
        assert said in posted.text

    def test_asks_for_a_reason_and_for_what_was_seen(self, street: Street):
        before = street.journal()
        fields = self.hidden(street.dana.get(f"{street.page}/times?{urlencode(self.ASKED)}").text)
        empty = self.post(street.dana, street.page, fields, reason=" ")
        assert (empty.status, "Write down why" in empty.text) == (422, True)
        changed = [("seen", "1") if name == "seen" else (name, value) for name, value in fields]
        stale = self.post(street.dana, street.page, changed, reason=WHY)
        assert (stale.status, street.journal()) == (412, before)

    def test_is_for_those_who_may_change_it(self, street: Street):
        path, before = f"{street.page}/times", street.journal()
        form = {"reason": WHY, "seen": "1", "command_key": new_id().hex}
        for browser, status in ((street.olga, 403), (street.eve, 404)):
            assert browser.get(path).status == status
            assert self.post(browser, street.page, self.ASKED, **form).status == status
        assert street.journal() == before
