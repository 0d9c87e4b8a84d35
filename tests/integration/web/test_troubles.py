"""Every trouble has an answer: a problem for software, a page in the brand for people, the inside for nobody."""

from __future__ import annotations

import json

import pytest

KINDS = {"conflict": 409, "invalid": 422, "busy": 503, "away": 503, "bug": 500}


@pytest.fixture
def rooms(shared_rooms):
    return shared_rooms


class TestProblems:
    @pytest.mark.parametrize(("kind", "status"), KINDS.items())
    def test_have_type_title_status_detail_and_trace(self, rooms, kind, status):
        answer = rooms.browser().get(f"/api/v1/trouble/{kind}")
        body = json.loads(answer.text)
        assert answer.status == body["status"] == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert body["type"].startswith("http://northwind.localhost:8000/problems/")
        assert body["title"]
        assert body["detail"]
        assert body["trace_id"] == answer.headers["trace-id"]

    def test_point_to_each_place(self, rooms):
        body = json.loads(rooms.browser().get("/api/v1/trouble/invalid").text)
        assert body["errors"] == [
            {"pointer": "/name", "detail": "Too short."},
            {"pointer": "/lines/0", "detail": "Empty."},
        ]

    @pytest.mark.parametrize("kind", ["busy", "away"])
    def test_that_pass_say_when_to_try_again(self, rooms, kind):
        assert rooms.browser().get(f"/api/v1/trouble/{kind}").headers["retry-after"] == "5"

    def test_are_what_a_page_address_gives_to_who_takes_json_only(self, rooms):
        answer = rooms.browser().get("/trouble/conflict", accept="application/json")
        assert json.loads(answer.text)["detail"] == "This name is taken."

    def test_name_a_wrong_method_and_the_right_ones(self, rooms):
        answer = rooms.browser().send("DELETE", "/api/v1/trouble/bug", headers={"sec-fetch-site": "same-origin"})
        assert answer.status == 405
        assert json.loads(answer.text)["type"].endswith("/problems/method-not-allowed")

    def test_name_the_parameter_that_does_not_fit(self, rooms):
        tenant = rooms.installation.tenant(rooms.northwind, "Acme", kind="customer")
        rooms.member("cleo@acme.example", tenant)
        browser = rooms.browser()
        rooms.sign_in(browser, "cleo@acme.example")
        answer = browser.get(f"/api/v1/tenants/{tenant.id}/note?size=many")
        assert answer.status == 400
        assert json.loads(answer.text)["errors"][0]["pointer"] == "/size"


class TestErrorPages:
    @pytest.mark.parametrize(("kind", "status"), KINDS.items())
    def test_are_in_the_brand_and_carry_the_number_to_quote(self, rooms, kind, status):
        answer = rooms.browser().get(f"/trouble/{kind}")
        assert answer.status == status
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "Northwind" in answer.text
        assert answer.headers["trace-id"] in answer.text

    @pytest.mark.parametrize("path", ["/trouble/bug", "/api/v1/trouble/bug", "/trouble/away", "/api/v1/trouble/away"])
    def test_show_nothing_of_the_inside(self, rooms, path):
        said = rooms.browser().get(path).text.lower()
        inside = ("hunter2", "traceback", "runtimeerror", "10.0.0.7", "slipway", "litestar", ".py", "contoso")
        assert not [word for word in inside if word in said]

    def test_replace_the_whole_page_under_htmx(self, rooms):
        headers = {"hx-request": "true", "hx-request-type": "partial"}
        answer = rooms.browser().send("GET", "/trouble/conflict", headers=headers)
        assert (answer.status, answer.headers["hx-retarget"]) == (409, "body")

    def test_speak_the_language_that_was_chosen(self, rooms):
        browser = rooms.browser()
        assert browser.post("/preferences", {"locale": "de", "return_to": "/nothing"}).status == 303
        assert '<html lang="de"' in browser.get("/nothing").text

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_a_form_lead_back_to_the_page_that_it_stood_on(self, rooms, kind):
        browser = rooms.browser()
        page = browser.post(f"/rooms/{kind}/completion", referer=self.address(browser, f"/rooms/{kind}?view=plan"))
        assert f'class="btn btn-primary" href="/rooms/{kind}"' in page.text
        assert page.hidden["return_to"] == f"/rooms/{kind}"

    @pytest.mark.parametrize(
        ("referer", "back"),
        [
            ("/rooms/x/completion", "/rooms/x"),  # a form with mistakes is shown again under the address it was sent to
            ("/no/such/page", "/"),
            ("//elsewhere.example/rooms/x", "/"),
            ("/\\elsewhere.example", "/"),
        ],
    )
    def test_of_a_form_never_lead_where_nothing_can_be_looked_at(self, rooms, referer, back):
        browser = rooms.browser()
        page = browser.post("/rooms/conflict/completion", referer=self.address(browser, referer))
        assert page.hidden["return_to"] == back

    @pytest.mark.parametrize("referer", ["http://elsewhere.example/rooms/x", "http://[", "rooms/x", ""])
    def test_of_a_form_never_lead_to_another_host(self, rooms, referer):
        page = rooms.browser().post("/rooms/conflict/completion", referer=referer)
        assert page.hidden["return_to"] == "/"

    def test_never_mix_languages(self, rooms):
        german = {"accept-language": "de"}
        untranslated = rooms.browser().get("/trouble/conflict", **german).text
        assert "This name is taken." not in untranslated
        assert "Die Seite hat sich geändert, seit Sie sie geöffnet haben" in untranslated
        assert "Melden Sie sich an, um diese Seite zu sehen." in rooms.browser().get("/trouble/known", **german).text
        assert "This name is taken." in rooms.browser().get("/trouble/conflict", **{"accept-language": "en"}).text

    @staticmethod
    def address(browser, path):
        return f"http://{browser.host}:{browser.port}{path}"

    def test_of_a_database_that_is_away_are_503(self, rooms):
        browser = rooms.browser()
        assert browser.get("/sign-in").status == 200
        door = rooms.installation.key.roles.door
        try:
            rooms.installation.control(f"ALTER ROLE {door} NOLOGIN")
            rooms.installation.databases.control.dispose()
            page = browser.get("/sign-in/" + "A" * 43)
            probe = browser.another("127.0.0.1").get("/readyz")
        finally:
            rooms.installation.control(f"ALTER ROLE {door} LOGIN")
        assert (page.status, page.headers["retry-after"]) == (503, "5")
        assert "Northwind" in page.text
        assert probe.status == 503
        assert browser.get("/sign-in/" + "A" * 43).status == 404


class TestForms:
    def test_tell_every_mistake_at_once_and_give_back_what_was_typed(self, rooms):
        answer = rooms.browser().post("/answers", {"text": "x", "count": "many", "extra": "kept"})
        body = json.loads(answer.text)
        assert body["value"] is None
        assert body["typed"] == {"text": "x", "count": "many", "extra": "kept"}
        assert body["errors"] == [["text", "This is too short."], ["count", "Write a whole number."]]

    def test_are_read_into_their_schema(self, rooms):
        headers = {
            "origin": f"http://northwind.localhost:{rooms.port}",
            "content-type": "application/x-www-form-urlencoded",
        }
        body = b"text=+hallo+&count=3&tags=a&tags=b&agreed=true&command_key=k"
        value = json.loads(rooms.browser().send("POST", "/answers", body=body, headers=headers).text)["value"]
        assert value == {"text": "hallo", "count": 3, "tags": ["a", "b"], "agreed": True}

    def test_that_are_empty_say_so_for_each_field_that_must_be_filled(self, rooms):
        errors = json.loads(rooms.browser().post("/answers").text)["errors"]
        assert errors == [["text", "Fill in this field."], ["count", "Fill in this field."]]

    @pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
    def test_of_another_content_type_are_refused(self, rooms, kind):
        assert rooms.browser().post("/answers", {"text": "abc"}, content_type=kind).status == 415

    def test_that_are_too_large_are_refused(self, rooms):
        assert rooms.browser().post("/answers", {"text": "x" * (1024 * 1024 + 1)}).status == 413

    @pytest.mark.parametrize("body", [b"text=%ff%fe", b"text=\xff", b"text=%00", b"&".join([b"a=1"] * 501)])
    def test_that_cannot_be_read_are_refused(self, rooms, body):
        headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
        assert rooms.browser().send("POST", "/answers", body=body, headers=headers).status == 400
