"""Who gets in: doors, tenants of others, forms from elsewhere, keys that count once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from litestar import get

from app.bootstrap.routes import make_application
from app.kernel.ids import new_id
from tests.factories.doors import FRONT_DOORS


@pytest.fixture
def rooms(shared_rooms):
    return shared_rooms


@pytest.fixture
def acme(rooms):
    """A customer of Northwind with a member and an open delegation."""
    tenant = rooms.installation.tenant(rooms.northwind, "Acme", kind="customer")
    rooms.member("cleo@acme.example", tenant)
    rooms.delegation(tenant)
    return tenant


@pytest.fixture
def umbrella(rooms):
    """A customer of Contoso."""
    tenant = rooms.installation.tenant(rooms.contoso, "Umbrella", kind="customer")
    rooms.member("uma@umbrella.example", tenant)
    rooms.delegation(tenant)
    return tenant


def signed_in(rooms, email, host="northwind.localhost"):
    browser = rooms.browser(host)
    assert rooms.sign_in(browser, email).status == 303
    return browser


class TestDoors:
    def test_are_named_by_every_route(self, installation):
        @get("/bare")
        async def bare() -> str:
            return ""

        with pytest.raises(LookupError, match="/bare"):
            make_application(installation.runtime, [*FRONT_DOORS, bare])

    def test_lead_to_the_sign_in_page_and_back(self, rooms):
        answer = rooms.browser().get("/me?a=b")
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in?next=%2Fme%3Fa%3Db")

    def test_lead_htmx_there_as_a_whole_page(self, rooms):
        answer = rooms.browser().send("GET", "/me", headers={"hx-request": "true", "hx-request-type": "partial"})
        assert answer.headers["hx-redirect"] == "/sign-in"

    def test_answer_software_with_a_problem(self, rooms, acme):
        answer = rooms.browser().get(f"/api/v1/tenants/{acme.id}/note")
        assert answer.status == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.text)["type"] == "http://northwind.localhost:8000/problems/not-signed-in"

    def test_of_the_partner_are_closed_to_customers(self, rooms, acme):
        rooms.staff("dana@northwind.example", rooms.northwind)
        assert signed_in(rooms, "cleo@acme.example").get("/staff").status == 404
        assert signed_in(rooms, "dana@northwind.example").get("/staff").text == '["partner_admin"]'

    def test_that_stay_closed_say_who_is_signed_in_and_offer_the_way_out(self, rooms, acme):
        page = signed_in(rooms, "cleo@acme.example").get("/staff").text
        assert "Cleo" in page
        assert 'action="/sign-out"' in page

    def test_open_for_those_who_work_for_an_organisation_above(self, rooms):
        rooms.staff("olga@ops.example", rooms.platform, "operator")
        assert signed_in(rooms, "olga@ops.example").get("/staff").text == '["operator"]'
        assert signed_in(rooms, "olga@ops.example", "localhost").get("/staff").text == '["operator"]'


class TestTenantInThePath:
    def test_opens_for_its_member_and_for_delegated_staff(self, rooms, acme):
        rooms.staff("dana@northwind.example", rooms.northwind, "onboarding_lead")
        rooms.delegation(acme, '["onboarding_lead"]')
        assert signed_in(rooms, "cleo@acme.example").get(f"/t/{acme.id}/note").text == '["contributor"]'
        assert "onboarding_lead" in signed_in(rooms, "dana@northwind.example").get(f"/t/{acme.id}/note").text

    def test_does_not_exist_for_staff_of_another_partner(self, rooms, acme, umbrella):
        rooms.staff("dana@northwind.example", rooms.northwind)
        dana = signed_in(rooms, "dana@northwind.example")
        unknown = dana.get(f"/api/v1/tenants/{new_id()}/note", accept="application/json")
        others = dana.get(f"/api/v1/tenants/{umbrella.id}/note", accept="application/json")
        assert (unknown.status, others.status) == (404, 404)
        assert {**json.loads(unknown.text), "trace_id": ""} == {**json.loads(others.text), "trace_id": ""}
        assert dana.get(f"/t/{umbrella.id}/note").status == 404

    def test_does_not_exist_for_a_member_of_another_tenant(self, rooms, acme, umbrella):
        other = rooms.installation.tenant(rooms.northwind, "Globex", kind="customer")
        cleo = signed_in(rooms, "cleo@acme.example")
        assert cleo.get(f"/t/{other.id}/note").status == 404
        assert cleo.get(f"/t/{umbrella.id}/note").status == 404

    @pytest.mark.parametrize("path", ["/t/1/note", "/t/x'y/note", "/t/%00/note", "/t//note"])
    def test_that_is_no_id_leads_nowhere(self, rooms, acme, path):
        assert signed_in(rooms, "cleo@acme.example").get(path).status == 404

    def test_closes_with_the_next_request_when_the_member_is_removed(self, rooms, acme):
        cleo = signed_in(rooms, "cleo@acme.example")
        assert cleo.get(f"/t/{acme.id}/note").status == 200
        rooms.installation.rows(acme, "UPDATE {}.member SET state = 'removed'")
        assert cleo.get(f"/t/{acme.id}/note").status == 404

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE \"{}\".delegation SET state = 'revoked'",
            "UPDATE \"{}\".delegation SET ends_at = now() - interval '1 second'",
            "UPDATE \"{}\".delegation SET starts_at = now() + interval '1 hour'",
            'UPDATE "{}".delegation SET organisation_id = gen_random_uuid()',
        ],
    )
    def test_closes_with_the_next_request_when_the_delegation_ends(self, rooms, acme, change):
        rooms.staff("dana@northwind.example", rooms.northwind)
        rooms.delegation(acme, '["partner_admin"]')
        dana = signed_in(rooms, "dana@northwind.example")
        assert dana.get(f"/t/{acme.id}/note").status == 200
        rooms.installation.cell(change.format(acme.schema))
        assert dana.get(f"/t/{acme.id}/note").status == 404

    def test_is_not_swapped_for_another_inside_the_door(self, rooms, acme, umbrella):
        cleo = signed_in(rooms, "cleo@acme.example")
        assert cleo.get(f"/t/{acme.id}/other/{umbrella.id}").status == 404

    def test_that_is_suspended_says_so(self, rooms, acme):
        cleo = signed_in(rooms, "cleo@acme.example")
        rooms.installation.set_state(acme, "suspended")
        answer = cleo.get(f"/t/{acme.id}/note")
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert "paused" in answer.text


class TestForms:
    def test_count_once_for_their_key_also_at_the_same_moment(self, rooms, acme):
        cleo, key = signed_in(rooms, "cleo@acme.example"), str(new_id())
        with ThreadPoolExecutor(4) as pool:
            send = [pool.submit(cleo.post, f"/t/{acme.id}/note", {"command_key": key}) for _ in range(4)]
        assert len({one.result().headers["location"] for one in send}) == 1
        assert len(rooms.installation.rows(acme, "SELECT FROM {}.trail WHERE action = 'test.note.taken'")) == 1

    def test_with_another_content_under_the_same_key_are_refused(self, rooms, acme):
        cleo, key = signed_in(rooms, "cleo@acme.example"), str(new_id())
        assert cleo.post(f"/t/{acme.id}/note", {"command_key": key, "a": "1"}).status == 303
        assert cleo.post(f"/t/{acme.id}/note", {"command_key": key, "a": "2"}).status == 422

    def test_without_a_key_are_refused(self, rooms, acme):
        cleo = signed_in(rooms, "cleo@acme.example")
        assert cleo.post(f"/t/{acme.id}/note").status == 422
        assert cleo.post(f"/t/{acme.id}/note", {"command_key": "1; drop"}).status == 422

    def test_of_a_stranger_change_nothing(self, rooms, acme, umbrella):
        uma = rooms.browser("contoso.localhost")
        rooms.sign_in(uma, "uma@umbrella.example")
        assert uma.post(f"/t/{acme.id}/note", {"command_key": str(new_id())}).status == 404
        assert rooms.installation.rows(acme, "SELECT FROM {}.trail") == []

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "", "sec_fetch_site": ""},
            {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
            {"origin": "https://evil.example", "sec_fetch_site": ""},
            {"origin": "null", "sec_fetch_site": ""},
            {"origin": "null", "sec_fetch_site": "same-origin"},
            {"origin": "", "sec_fetch_site": "same-site"},
            {"origin": "", "sec_fetch_site": "none"},
            {"origin": "http://contoso.localhost", "sec_fetch_site": ""},
        ],
    )
    def test_from_elsewhere_are_refused(self, rooms, acme, headers):
        cleo = signed_in(rooms, "cleo@acme.example")
        answer = cleo.post(f"/t/{acme.id}/note", {"command_key": str(new_id())}, **headers)
        assert answer.status == 403
        assert rooms.installation.rows(acme, "SELECT FROM {}.trail") == []

    def test_from_old_browsers_are_known_by_their_origin(self, rooms, acme):
        cleo = signed_in(rooms, "cleo@acme.example")
        answer = cleo.post(f"/t/{acme.id}/note", {"command_key": str(new_id())}, sec_fetch_site="")
        assert answer.status == 303
