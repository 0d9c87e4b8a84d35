"""The pages of people over HTTP: what is typed is kept, what is changed acts at once, strangers find nothing."""

from __future__ import annotations

import pytest

from app.identity.people.hub import PartnerHub, WorkspaceHub
from app.identity.people.pages import PeoplePages, StaffPages
from app.kernel.ids import new_id
from app.kernel.paging import CursorKey
from tests.factories.doors import FRONT_DOORS, Doors

ROOMS = (*FRONT_DOORS, PeoplePages, StaffPages, PartnerHub, WorkspaceHub)


@pytest.fixture(scope="module")
def doors(shared_installation, doors_redis):
    services: dict[type, object] = {CursorKey: CursorKey(b"k" * 32)}
    served = Doors(shared_installation, redis_url=doors_redis, controllers=ROOMS, services=services)
    served.installation.tenant(served.northwind, "Northwind", kind="home")
    served.installation.tenant(served.contoso, "Contoso", kind="home")
    yield served
    served.close()


@pytest.fixture(scope="module")
def acme(doors):
    return doors.installation.tenant(doors.northwind, "Acme", kind="customer")


def browser(doors, email, *, proved=True, host="northwind.localhost"):
    one = doors.browser(host)
    doors.sign_in(one, email, proved=proved)
    return one


@pytest.fixture(scope="module")
def owner(doors):
    doors.staff("owner@northwind.example", doors.northwind, "partner_owner")
    return browser(doors, "owner@northwind.example")


@pytest.fixture(scope="module")
def olga(doors, acme):
    doors.member("olga@acme.example", acme, "owner")
    return browser(doors, "olga@acme.example")


def form(**fields):
    return {"command_key": str(new_id()), **fields}


def assigned(doors, email):
    query = (
        "SELECT a.role FROM control.assignment a JOIN control.person p ON p.id = a.person_id"
        " WHERE p.email = %s ORDER BY 1"
    )
    return [row.role for row in doors.installation.control(query, email)]


class TestStaff:
    def test_are_invited_with_roles_that_count_at_once(self, doors, owner):
        answer = owner.post("/people", form(email="New@Northwind.Example", name="New Person", roles="csm", reason="x"))
        assert (answer.status, answer.headers["location"]) == (303, "/people")
        assert assigned(doors, "new@northwind.example") == ["csm"]
        assert "New Person" in owner.get("/people").text

    def test_twice_sent_are_invited_once(self, doors, owner):
        twice = form(email="twice@northwind.example", name="Twice", roles="csm")
        assert [owner.post("/people", twice).status for _ in range(2)] == [303, 303]

    def test_keep_what_was_typed_where_something_is_wrong(self, doors, owner):
        answer = owner.post("/people", form(email="nonsense", name="Kept Name", roles="csm"))
        assert answer.status == 422
        assert 'value="Kept Name"' in answer.text
        assert "not an e-mail address" in answer.text

    def test_without_a_proof_are_asked_for_it_with_the_form_kept(self, doors):
        doors.staff("second@northwind.example", doors.northwind, "partner_owner")
        unproved = browser(doors, "second@northwind.example", proved=False)
        asked = unproved.post("/people", form(email="later@northwind.example", name="Later", roles="csm"))
        assert asked.status == 403
        assert asked.hidden["email"] == "later@northwind.example"
        assert assigned(doors, "later@northwind.example") == []
        doors.prove(unproved)
        fields = {name: value for name, value in asked.hidden.items() if not name.startswith(("kept.", "return_to"))}
        assert unproved.post("/people", fields).status == 303
        assert assigned(doors, "later@northwind.example") == ["csm"]

    def test_that_are_removed_are_nobody_at_the_next_request(self, doors, owner):
        person = doors.staff("gone@northwind.example", doors.northwind, "csm")
        gone = browser(doors, "gone@northwind.example")
        assert gone.get("/settings").status == 200
        assert owner.post(f"/people/{person}/remove", form(reason="left")).status == 303
        assert gone.get("/settings").headers["location"].startswith("/sign-in")
        assert assigned(doors, "gone@northwind.example") == []

    def test_of_another_partner_are_not_there(self, doors, owner):
        stranger = doors.staff("eve@contoso.example", doors.contoso, "csm")
        assert owner.get(f"/people/{stranger}").status == 404
        assert owner.post(f"/people/{stranger}", form(roles="auditor")).status == 404
        assert assigned(doors, "eve@contoso.example") == ["csm"]
        assert "eve@contoso" not in owner.get("/people").text

    def test_without_the_right_look_and_change_nothing(self, doors):
        doors.staff("lead@northwind.example", doors.northwind, "onboarding_lead")
        lead = browser(doors, "lead@northwind.example")
        assert "Invite somebody" not in lead.get("/people").text
        assert lead.post("/people", form(email="x@northwind.example", name="X", roles="csm")).status == 403


class TestPeople:
    def test_are_invited_changed_and_removed_by_their_owner(self, doors, acme, olga):
        path = f"/t/{acme.id}/people"
        assert olga.post(path, form(email="vic@acme.example", name="Vic", role="viewer")).status == 303
        vic = browser(doors, "vic@acme.example")
        assert vic.get(path).status == 200
        [row] = doors.installation.rows(acme, "SELECT person_id FROM {}.member WHERE email = 'vic@acme.example'")
        assert olga.post(f"{path}/{row.person_id}", form(role="contributor")).status == 303
        assert "Contributor" in olga.get(path).text
        assert olga.post(f"{path}/{row.person_id}/remove", form()).status == 303
        assert vic.get(path).headers["location"].startswith("/sign-in")

    def test_may_not_be_staff_of_the_partner(self, doors, acme, olga):
        doors.staff("sly@northwind.example", doors.northwind, "csm")
        answer = olga.post(f"/t/{acme.id}/people", form(email="sly@northwind.example", name="Sly", role="viewer"))
        assert answer.status == 409
        assert "works for your partner" in answer.text

    def test_are_nobody_s_from_elsewhere(self, doors, acme, olga):
        other = doors.installation.tenant(doors.northwind, "Umbrella", kind="customer")
        doors.member("uma@umbrella.example", other, "owner")
        uma = browser(doors, "uma@umbrella.example")
        path = f"/t/{acme.id}/people"
        assert uma.get(path).status == uma.post(path, form(email="u@x.example", name="U", role="owner")).status == 404
        assert doors.browser().get(path).headers["location"].startswith("/sign-in")
        eve = browser(doors, "eve@contoso.example", host="contoso.localhost")
        assert eve.get(path).status == 404


class TestTheHub:
    def test_shows_only_what_the_reader_may(self, doors, acme, olga, owner):
        doors.member("con@acme.example", acme, "contributor")
        con = browser(doors, "con@acme.example")
        mine, theirs = olga.get(f"/t/{acme.id}/settings").text, con.get(f"/t/{acme.id}/settings").text
        assert f"/t/{acme.id}/scim" in mine
        assert f"/t/{acme.id}/scim" not in theirs
        assert f"/t/{acme.id}/people" in theirs
        assert "/settings/sso" in owner.get("/settings").text
