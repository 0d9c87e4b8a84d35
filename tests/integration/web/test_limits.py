"""Requests that are too many, over HTTP: what stops, for whom, and what the answer says."""

from __future__ import annotations

import pytest

from app.web.guard import limits
from app.web.guard.limits import Limiter, Quota
from tests.cluster import cluster
from tests.factories.doors import Doors


@pytest.fixture
def strict(installation, doors_redis):
    """The same doors, where three sign-in requests in a quarter of an hour are enough."""
    limiter = Limiter(cluster().fresh_redis_url())
    served = Doors(installation, redis_url=doors_redis, services={Limiter: limiter})
    yield served
    served.close()


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setitem(limits.BY_DOOR, "public", Quota("strangers", 4, 3600))


class TestStrangers:
    def test_are_stopped_with_a_page_that_says_when_to_go_on(self, few, strict):
        browser = strict.browser()
        answers = [browser.get("/sign-in") for _ in range(6)]
        assert [answer.status for answer in answers] == [200] * 4 + [429] * 2
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert "Wait a moment" in answers[-1].text
        assert answers[0].headers["ratelimit"].startswith('"strangers";r=3;')

    def test_get_a_problem_where_software_asks(self, few, strict):
        browser = strict.browser()
        answers = [browser.get("/sign-in", accept="application/json") for _ in range(5)]
        assert answers[-1].status == 429
        assert "too-many-requests" in answers[-1].text
        assert answers[-1].headers["ratelimit-policy"] == '"strangers";q=4;w=3600'

    def test_do_not_stop_files_and_probes(self, few, strict):
        browser = strict.browser()
        for _ in range(5):
            browser.get("/sign-in")
        assert browser.get("/favicon.ico").status == 200
        assert browser.get("/healthz").status == 200


class TestASignInPage:
    def test_limits_the_asking_alike_for_known_and_unknown_people(self, strict):
        strict.staff("ann@northwind.example", strict.northwind)
        known = [strict.browser().post("/sign-in", {"email": "ann@northwind.example"}) for _ in range(2)]
        unknown = [strict.browser().post("/sign-in", {"email": "nobody@northwind.example"}) for _ in range(2)]
        seen = {(answer.status, answer.headers["ratelimit-policy"]) for answer in known + unknown}
        assert seen == {(200, '"sign-in";q=60;w=900')}


class TestPeople:
    def test_are_counted_by_person_and_not_by_address(self, strict, monkeypatch):
        monkeypatch.setitem(limits.BY_DOOR, "signed_in", Quota("people", 2, 3600))
        browsers = []
        for name in ("ann", "ben"):
            strict.staff(f"{name}@northwind.example", strict.northwind)
            browsers.append(strict.browser())
            strict.sign_in(browsers[-1], f"{name}@northwind.example")
        ann, ben = browsers
        assert ann.post("/sign-out/everywhere").status == 303
        assert ben.post("/sign-out/everywhere").headers["ratelimit"].startswith('"people";r=1;')
