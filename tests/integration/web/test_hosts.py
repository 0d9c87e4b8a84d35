"""The outermost door: hosts, headers, HEAD, probes."""

from __future__ import annotations

import pytest

from tests.factories.doors import Doors

PLATFORM_WORDS = ("slipway", "litestar", "uvicorn", "python", "psycopg")


@pytest.fixture(scope="module")
def doors(shared_installation, doors_redis):
    """One for all who only look; who changes something has `own_doors`."""
    served = Doors(shared_installation, redis_url=doors_redis)
    yield served
    served.close()


@pytest.fixture
def own_doors(installation, doors_redis):
    served = Doors(installation, redis_url=doors_redis)
    yield served
    served.close()


class TestUnknownHost:
    @pytest.mark.parametrize(
        "path", ["/", "/sign-in", "/static/app.css", "/nothing", "/api/openapi.json", "/healthz", "/brand/x.css"]
    )
    def test_gets_nothing_whatever_the_path(self, doors, path):
        answer = doors.browser("stranger.localhost").get(path)
        assert answer.status == 404
        assert answer.text == "Nothing is served under this address.\n"
        assert answer.cookies == {}
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")

    def test_is_told_in_the_language_of_the_browser(self, doors):
        said = doors.browser("stranger.localhost").get("/", accept_language="de").text
        assert said != doors.browser("stranger.localhost").get("/").text

    @pytest.mark.parametrize(
        "host",
        [
            "northwind.localhost.evil.example",
            "evil.example#northwind.localhost",
            "northwind.localhost@evil.example",
            "northwind.localhost:80:80",
            "northwind.localhost/../x",
            "northwind.localhost, evil.example",
            "127.0.0.1",
            "[::1]",
            "2130706433",
            "a" * 300,
            "northwind..localhost",
            "'; drop table control.host; --",
        ],
    )
    def test_is_what_an_injected_host_is(self, doors, host):
        assert doors.browser().send("GET", "/sign-in", headers={"host": host}).status == 404

    def test_is_what_no_host_is(self, doors):
        assert doors.browser().send("GET", "/sign-in", headers={"host": ""}).status in {400, 404}

    def test_is_what_an_organisation_that_is_not_active_is(self, own_doors):
        doors = own_doors
        doors.installation.control("UPDATE control.organisation SET state = 'closed' WHERE id = %s", doors.contoso)
        assert doors.browser("contoso.localhost").get("/sign-in").status == 404
        assert doors.browser("northwind.localhost").get("/sign-in").status == 200


class TestKnownHost:
    @pytest.mark.parametrize("host", ["northwind.localhost", "NorthWind.LOCALHOST:9999", "northwind.localhost."])
    def test_is_found_in_any_spelling(self, doors, host):
        answer = doors.browser().send("GET", "/sign-in", headers={"host": host})
        assert answer.status == 200
        assert "Northwind" in answer.text
        assert "Contoso" not in answer.text

    def test_carries_the_headers_on_every_answer(self, doors):
        for path in ("/sign-in", "/nothing", "/api/nothing", "/favicon.ico", "/static/none.js"):
            headers = doors.browser().get(path).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert "unsafe" not in headers["content-security-policy"]
            assert len(headers["trace-id"]) == 32
            assert "server" not in headers

    def test_answers_head_like_get_without_a_body(self, doors):
        head, got = doors.browser().head("/sign-in"), doors.browser().get("/sign-in")
        assert (head.status, head.text) == (200, "")
        assert head.headers["content-type"] == got.headers["content-type"]

    @pytest.mark.parametrize("path", ["/nothing", "/static/none.js", "/brand/none.css", "/sign-in/none", "/api/none"])
    def test_says_no_platform_word_and_no_other_brand_in_its_errors(self, doors, path):
        answer = doors.browser().get(path)
        said = (answer.text + str(answer.headers)).lower()
        assert answer.status == 404
        assert not [word for word in (*PLATFORM_WORDS, "contoso", "operations") if word in said]


class TestProbes:
    def test_are_answered_on_a_bare_address(self, doors):
        probe = doors.browser("127.0.0.1")
        assert probe.get("/healthz").text == '{"status":"ok"}'
        ready = probe.get("/readyz")
        assert ready.status == 200
        assert '"control":"ok"' in ready.text

    def test_say_when_the_build_and_the_database_do_not_belong_together(self, own_doors):
        doors = own_doors
        doors.installation.control("UPDATE control.alembic_version SET version_num = 'other'")
        answer = doors.browser("127.0.0.1").get("/readyz")
        assert answer.status == 503
        assert "other" in answer.text

    def test_of_metrics_are_for_this_machine_and_never_on_a_brand(self, doors):
        doors.browser().get("/sign-in")
        assert 'route="/sign-in"' in doors.browser("127.0.0.1").get("/metrics").text
        assert doors.browser().get("/metrics").status == 404
        assert doors.browser("localhost").get("/metrics").status == 404

    def test_count_by_route_and_never_by_token(self, doors):
        doors.browser().get("/sign-in/" + "A" * 43)
        assert "AAAA" not in doors.browser("127.0.0.1").get("/metrics").text
