"""The partner's forms about open access, over HTTP: which of its groups have it, and asking to renew it."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from app.kernel.ids import new_id
from tests.factories.api import Caller
from tests.factories.doors import Answer, Browser
from tests.integration.access.conftest import Street

_TICK = re.compile(
    r'<input class="form-check-input" type="checkbox" id="[^"]+" name="(\w+)" value="([^"]+)"( checked)?'
)
LESS = "csm!onboarding:task:complete"


def ticks(page: Answer | str, name: str) -> dict[str, bool]:
    """The boxes of that name by what they send, and whether they are ticked; of a page or of a part of it."""
    text = page if isinstance(page, str) else page.text
    return {unescape(value): bool(ticked) for found, value, ticked in _TICK.findall(text) if found == name}


def form_with(page: Answer, sign: str) -> str:
    """The first form of the page in which this stands."""
    forms: list[str] = re.findall(r"<form.*?</form>", page.text, re.DOTALL)
    return next(form for form in forms if sign in form)


def on_api(street: Street, who: Browser, delegation: str) -> dict[str, Any]:
    """The access as the API shows it."""
    body: dict[str, Any] = Caller(who).get(f"{street.api}/delegations/{delegation}").body
    return body


@pytest.fixture(autouse=True)
def no_groups(street: Street) -> None:
    """Each test has groups of its own."""
    for table in ("staff_group_member", "staff_group"):
        street.doors.installation.control(f"DELETE FROM control.{table}")  # noqa: S608 - names of our own


class TestGroups:
    def send(self, street: Street, delegation: str, *grants: str, who: Browser | None = None, **more: Any) -> Any:
        version = more.pop("version", None) or on_api(street, street.dana, delegation)["version"]
        fields = {"grant": list(grants), "version": version, **more}
        return street.send(who or street.dana, f"{street.page}/{delegation}/groups", **fields)

    def test_are_chosen_seen_by_the_customer_and_let_go(self, street: Street):
        given = street.given("csm", LESS.replace("csm", "technical"))
        dana = street.doors.staff("dana@northwind.example", street.doors.northwind, "onboarding_lead")
        care, tech = street.group("Care", dana), street.group("Tech & <Data>")
        other = street.group("Contoso's", of=street.doors.contoso)
        theirs = street.group("Acme's own", tenant=street.acme.id)
        page = street.dana.get(street.page)
        assert ticks(page, "grant") == {
            f"{group}:{role}": False for group in (care, tech) for role in ("csm", "technical!onboarding:task:complete")
        }
        assert "Contoso&#39;s" not in page.text
        assert "Acme&#39;s own" not in page.text
        assert "1 person" in page.text
        assert "0 people" in page.text
        assert self.send(street, given, f"{care}:csm").status == 303
        assert [(one["name"], one["roles"]) for one in on_api(street, street.olga, given)["groups"]] == [
            ("Care", ["csm"])
        ]
        assert "Care" in street.olga.get(street.page).text
        assert ticks(street.dana.get(street.page), "grant")[f"{care}:csm"]
        for foreign in (other, theirs, str(new_id())):
            refused = self.send(street, given, f"{foreign}:csm", f"{care}:csm")
            assert (refused.status, "none of your organisation" in refused.text) == (422, True)
        assert self.send(street, given).status == 303
        assert on_api(street, street.olga, given)["groups"] == []

    def test_that_are_gone_are_shown_so_and_are_let_go(self, street: Street):
        given, care, tech = street.given("csm"), street.group("Care"), street.group("Tech")
        assert self.send(street, given, f"{care}:csm", f"{tech}:csm").status == 303
        street.doors.installation.control("DELETE FROM control.staff_group WHERE id = %s", tech)
        street.doors.installation.control("UPDATE control.staff_group SET name = 'Care team' WHERE id = %s", care)
        page = street.dana.get(street.page)
        assert "Gone from your directory" in page.text
        assert ticks(page, "grant") == {f"{care}:csm": True, f"{tech}:csm": True}
        assert self.send(street, given, f"{care}:csm", f"{tech}:csm").status == 303
        assert {one["name"] for one in on_api(street, street.olga, given)["groups"]} == {"Care team", "Tech"}
        assert self.send(street, given, f"{care}:csm").status == 303
        assert tech not in street.dana.get(street.page).text

    def test_are_given_back_as_ticked_when_the_access_has_changed_meanwhile(self, street: Street):
        given, care = street.given("csm", "technical"), street.group("Care")
        assert self.send(street, given, f"{care}:csm").status == 303
        stale = self.send(street, given, f"{care}:technical", version=1)
        assert (stale.status, "has moved on" in stale.text) == (412, True)
        assert ticks(stale, "grant") == {f"{care}:csm": False, f"{care}:technical": True}
        assert self.send(street, given, f"{care}:auditor").status == 422
        for nonsense in ("csm", f"{care}:", "x:csm", f"{care}:owner"):
            assert self.send(street, given, nonsense).status == 422
        fields = {"grant": f"{care}:technical", "version": 2, "command_key": str(new_id())}
        for _ in range(2):
            assert street.dana.post(f"{street.page}/{given}/groups", fields).status == 303
        assert on_api(street, street.olga, given)["version"] == 3

    def test_are_the_partners_to_choose(self, street: Street):
        given, care = street.given("csm"), street.group("Care")
        grant = f"{care}:csm"
        assert self.send(street, given, grant, who=street.eve).status == 404
        assert self.send(street, given, grant, who=street.olga).status == 403
        assert self.send(street, str(new_id()), grant, version=1).status == 404
        assert not ticks(street.olga.get(street.page), "grant")
        street.doors.staff("cora@northwind.example", street.doors.northwind, "csm")
        cora = street.doors.browser("northwind.localhost")
        street.doors.sign_in(cora, "cora@northwind.example", proved=True)
        assert not ticks(cora.get(street.page), "grant")
        assert self.send(street, given, grant, who=cora).status == 403
        glass = street.given("csm", kind="break_glass")
        assert not ticks(street.dana.get(street.page), "grant")
        assert self.send(street, glass, grant).status == 409

    def test_come_from_the_directory(self, street: Street):
        street.given("csm")
        page = street.dana.get(street.page)
        assert "no groups of staff yet" in page.text
        assert 'href="/settings/scim"' not in page.text, "she may not open it"
        assert 'href="/settings/scim"' in street.ada.get(street.page).text

    def test_of_a_narrower_role_stay_as_they_are(self, street: Street):
        given, care = street.given("csm"), street.group("Care")
        wanted = {"groups": [{"id": care, "roles": [LESS]}]}
        said = {"if-match": '"1"', "idempotency-key": given}
        assert Caller(street.dana).send("PUT", f"{street.api}/delegations/{given}/groups", wanted, said).status == 200
        assert ticks(street.dana.get(street.page), "grant") == {f"{care}:csm": False, f"{care}:{LESS}": True}
        assert self.send(street, given, f"{care}:{LESS}").status == 303

    def test_may_be_as_many_as_one_access_takes(self, street: Street):
        roles = ["auditor", "csm", "finance", "implementation", "technical"]
        given = street.given(*roles)
        many = [street.group(f"Group {number:02}") for number in range(50)]
        assert self.send(street, given, *(f"{each}:{role}" for each in many for role in roles)).status == 303
        assert len(on_api(street, street.olga, given)["groups"]) == 50


class TestARenewal:
    def form(self, street: Street, delegation: str) -> dict[str, Any]:
        """The form as the page draws it."""
        return self.read(street.dana.get(street.page), delegation)

    def read(self, page: Answer, delegation: str) -> dict[str, Any]:
        """What the form would send as it stands."""
        form = form_with(page, f'name="renewal_of" value="{delegation}"')
        values = dict(re.findall(r'name="(reason|ends_on)" value="([^"]*)"', form))
        roles = [role for role, ticked in ticks(form, "roles").items() if ticked]
        return values | {"roles": roles, "renewal_of": delegation}

    def test_is_prefilled_keeps_narrowed_roles_and_says_how_it_stands(self, street: Street):
        given = street.given(LESS, "technical", days=60)
        form = self.form(street, given)
        now: datetime = street.doors.installation.cell("SELECT now() AS at")[0].at
        assert form["roles"] == [LESS, "technical"]
        assert form["reason"] == "Go-live support"
        assert date.fromisoformat(form["ends_on"]) == (now + timedelta(days=121)).date()
        page = street.dana.get(street.page).text
        assert "without: finish the partner&#39;s steps" in page
        assert street.send(street.dana, f"{street.page}/requests", **form).status == 303
        asked = next(one for one in street.listed(street.olga) if one["renewal_of"] == given)
        assert (asked["state"], asked["roles"]) == ("requested", [LESS, "technical"])
        assert asked["starts_at"] == on_api(street, street.olga, given)["ends_at"]
        page = street.dana.get(street.page).text
        assert "asked for on" in page
        assert f'name="renewal_of" value="{given}"' not in page
        again = street.send(street.dana, f"{street.page}/requests", **form)
        assert (again.status, "Its renewal was asked for already" in again.text) == (409, True)
        refusal = {"reason": "Not longer", "version": asked["version"]}
        assert street.send(street.olga, f"{street.page}/{asked['id']}/refusal", **refusal).status == 303
        page = street.dana.get(street.page).text
        assert "Not longer" in page
        assert f'name="renewal_of" value="{given}"' in page
        assert street.send(street.dana, f"{street.page}/requests", **form).status == 303
        asked = next(one for one in street.listed(street.olga) if one["state"] == "requested")
        answer = {"may": "onboarding:onboarding:read", "version": asked["version"], "ends_on": form["ends_on"]}
        assert street.send(street.olga, f"{street.page}/{asked['id']}/approval", **answer).status == 303
        assert "agreed to" in street.dana.get(street.page).text

    def test_is_given_back_as_typed(self, street: Street):
        given = street.given("csm", "technical", days=3)
        form = self.form(street, given) | {"roles": "technical", "reason": "", "ends_on": "2020-01-01"}
        sent = street.send(street.dana, f"{street.page}/requests", **form)
        assert sent.status == 422
        assert self.read(sent, given)["roles"] == ["technical"]
        form |= {"reason": "The data comes late"}
        sent = street.send(street.dana, f"{street.page}/requests", **form)
        assert (sent.status, "The end has to be in the future" in sent.text) == (422, True)
        assert "The data comes late" in sent.text
        assert f'id="renewal-{given[-8:]}-ends_on" name="ends_on" value="2020-01-01"' in sent.text

    def test_of_what_ends_soon_is_not_hidden(self, street: Street):
        given = street.given("csm", days=3)
        page = street.dana.get(street.page).text
        before = page[: page.index(f'name="renewal_of" value="{given}"')]
        assert before.count("<details") == before.count("</details>")
        far = street.given("csm", days=300)
        page = street.dana.get(street.page).text
        before = page[: page.index(f'name="renewal_of" value="{far}"')]
        assert before.count("<details") == before.count("</details>") + 1

    def test_is_the_partners_to_ask_and_not_of_an_emergency(self, street: Street):
        given = street.given("csm")
        form = self.form(street, given)
        assert 'name="renewal_of"' not in street.olga.get(street.page).text
        assert street.send(street.olga, f"{street.page}/requests", **form).status == 403
        assert street.send(street.eve, f"{street.page}/requests", **form).status == 404
        street.given("csm", kind="break_glass")
        assert 'name="renewal_of"' not in street.dana.get(street.page).text
        assert street.send(street.dana, f"{street.page}/requests", **form).status == 409

    def test_of_the_longest_access_is_offered_no_longer_than_allowed(self, street: Street):
        given = street.given("csm", days=729)
        assert street.send(street.dana, f"{street.page}/requests", **self.form(street, given)).status == 303

    def test_beyond_what_the_root_granted_is_given_back_as_typed(self, street: Street):
        given = street.given("csm", "technical")
        form = self.form(street, given) | {"reason": "Still needed"}
        limits = "UPDATE control.organisation SET limits = %s WHERE id = %s"
        street.doors.installation.control(limits, '{"roles": ["csm"]}', street.doors.northwind)
        sent = street.send(street.dana, f"{street.page}/requests", **form)
        street.doors.installation.control(limits, "{}", street.doors.northwind)
        assert sent.status == 403
        assert "was not granted these roles" in sent.text
        assert "Still needed" in sent.text


class TestAnAnswer:
    def test_is_given_back_as_ticked(self, street: Street):
        """All boxes came back ticked: who mended the date agreed to more than they had meant."""
        ends: datetime = street.doors.installation.cell("SELECT now() + interval '30 days' AS at")[0].at
        wish = {"roles": ["csm"], "reason": "Go-live", "ends_at": ends.isoformat()}
        asked = Caller(street.dana).post(f"{street.api}/delegations", wish).body
        place = f'action="{street.page}/{asked["id"]}/approval"'
        assert all(ticks(form_with(street.olga.get(street.page), place), "may").values())
        form = {"version": asked["version"], "may": "onboarding:onboarding:read", "ends_on": "2020-01-01"}
        street.doors.prove(street.olga)
        sent = street.send(street.olga, f"{street.page}/{asked['id']}/approval", **form)
        assert sent.status == 422
        again = form_with(sent, place)
        assert [name for name, ticked in ticks(again, "may").items() if ticked] == ["onboarding:onboarding:read"]
        assert 'name="ends_on" value="2020-01-01"' in again
