"""Finding tenants: pages by signed cursors, filters, what each organisation sees, a steady number of queries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from tests.factories.api import API, Caller

TENANTS = "/api/v1/tenants"


@pytest.fixture(scope="module")
def lists(api: API) -> Caller:
    """A partner of its own with 23 customers, a sandbox and one of a partner below it."""
    shop = api.doors.organisation("shop", "Shop")
    api.doors.organisation("corner", "Corner", parent=shop)
    caller = api.caller("sam@shop.example", shop, host="shop.localhost")
    api.plan("listed", {})
    items = [{"name": f"Customer {n:02}", "external_id": f"e-{n}"} for n in range(20)]
    items += [{"name": "100% Cotton", "plan": "listed"}, {"name": "Big_Box", "service_package": "gold"}]
    items += [{"name": "Next Door", "organisation": "corner"}, {"name": "Trial", "kind": "sandbox", "external_id": "s"}]
    assert caller.post(f"{TENANTS}/bulk", {"items": items}).body["failed"] == 0
    return caller


def pages(caller: Caller, query: str) -> Iterator[list[str]]:
    """The names on each page, by following `next`."""
    cursor = ""
    while True:
        said = caller.get(f"{TENANTS}?{query}{cursor}")
        assert said.status == 200, said.body
        yield [item["name"] for item in said.body["items"]]
        if said.body["next"] is None:
            assert "link" not in said.headers
            return
        assert f"cursor={said.body['next']}" in said.headers["link"]
        assert 'rel="next"' in said.headers["link"]
        cursor = f"&cursor={said.body['next']}"


class TestPages:
    def test_hold_everything_once_the_newest_first(self, lists: Caller):
        found = list(pages(lists, "limit=7"))
        assert [len(page) for page in found] == [7, 7, 7, 2]
        names = [name for page in found for name in page]
        assert names[:4] == ["Next Door", "Big_Box", "100% Cotton", "Customer 19"]
        assert len(set(names)) == 23

    def test_are_neither_shifted_nor_doubled_by_new_tenants(self, lists: Caller):
        first = lists.get(f"{TENANTS}?limit=5&kind=sandbox&q=new").body
        assert first == {"items": [], "next": None}
        cursor = lists.get(f"{TENANTS}?limit=3").body
        lists.post(TENANTS, {"name": "Newcomer", "kind": "sandbox"})
        behind = lists.get(f"{TENANTS}?limit=3&cursor={cursor['next']}").body
        assert not {item["id"] for item in cursor["items"]} & {item["id"] for item in behind["items"]}

    @pytest.mark.parametrize("limit", ["0", "201", "x", "-1", "", "1&limit=2", str(10**30)])
    def test_of_an_impossible_length_are_refused(self, lists: Caller, limit):
        said = lists.get(f"{TENANTS}?limit={limit}")
        assert (said.status, said.problem, said.body["errors"][0]["pointer"]) == (400, "query-unfit", "/limit")

    def test_cost_the_same_whatever_their_length(self, api: API, lists: Caller):
        counted: list[int] = []

        def count(*_: object) -> None:
            counted[-1] += 1

        event.listen(api.runtime.databases.control, "before_cursor_execute", count)
        try:
            for limit in (1, 23):
                counted.append(0)
                lists.get(f"{TENANTS}?limit={limit}")
        finally:
            event.remove(api.runtime.databases.control, "before_cursor_execute", count)
        assert counted[0] == counted[1]


class TestCursors:
    @pytest.mark.parametrize("other", ["limit=3&kind=sandbox", "limit=3&q=Customer", "limit=3&organisation=corner"])
    def test_of_another_filter_are_refused(self, lists: Caller, other):
        cursor = lists.get(f"{TENANTS}?limit=3").body["next"]
        said = lists.get(f"{TENANTS}?{other}&cursor={cursor}")
        assert (said.status, said.problem) == (400, "cursor-foreign")

    def test_of_another_organisation_are_refused(self, api: API, lists: Caller):
        cursor = lists.get(f"{TENANTS}?limit=3").body["next"]
        assert api.admin.get(f"{TENANTS}?limit=3&cursor={cursor}").problem == "cursor-foreign"

    @pytest.mark.parametrize(
        "forge", [lambda c: "A" + c[1:], lambda c: c[:-2], lambda _: "x", lambda _: "%00", lambda _: "%C3%A9"]
    )
    def test_that_are_forged_are_refused(self, lists: Caller, forge):
        cursor = lists.get(f"{TENANTS}?limit=3").body["next"]
        assert lists.get(f"{TENANTS}?limit=3&cursor={forge(cursor)}").status == 400

    def test_may_go_on_with_another_length(self, lists: Caller):
        cursor = lists.get(f"{TENANTS}?limit=3").body["next"]
        assert len(lists.get(f"{TENANTS}?limit=5&cursor={cursor}").body["items"]) == 5


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("q=100%25", ["100% Cotton"]),
            ("q=g_b", ["Big_Box"]),
            ("q=customer%2007", ["Customer 07"]),
            ("plan=listed", ["100% Cotton"]),
            ("service_package=gold", ["Big_Box"]),
            ("organisation=corner", ["Next Door"]),
            ("external_id=e-3", ["Customer 03"]),
            ("external_id=s", ["Trial"]),
            ("kind=sandbox&q=Tri", ["Trial"]),
            ("state=suspended", []),
            ("region=eu", []),
            ("organisation=northwind", []),
        ],
    )
    def test_find(self, lists: Caller, query, names):
        assert [item["name"] for item in lists.get(f"{TENANTS}?{query}").body["items"]] == names

    @pytest.mark.parametrize("query", ["color=red", "kind=other", "q=", "q=%00", "state=", "plan=A%20B"])
    def test_that_there_are_not_are_refused(self, lists: Caller, query):
        assert lists.get(f"{TENANTS}?{query}").problem == "query-unfit"


class TestRead:
    def test_is_for_the_organisation_and_those_above_it(self, api: API, lists: Caller):
        tenant = lists.get(f"{TENANTS}?organisation=corner").body["items"][0]["id"]
        assert lists.get(f"{TENANTS}/{tenant}").status == 200
        refused = api.admin.get(f"{TENANTS}/{tenant}")
        assert (refused.status, refused.problem) == (404, "tenant-unknown")
        assert api.admin.patch(f"{TENANTS}/{tenant}", {"name": "Mine"}, version="*").status == 404
        assert api.admin.post(f"{TENANTS}/{tenant}/suspension", {"reason": "x"}).status == 404
        assert api.admin.post(f"{TENANTS}/{tenant}/erasure", {"reason": "x"}).status == 404

    def test_needs_the_right_to(self, api: API):
        lone = api.caller("no@northwind.example", api.doors.northwind, "no_decisions")
        assert lone.get(TENANTS).problem == "not-permitted"

    def test_is_not_sent_again_to_who_has_it(self, lists: Caller):
        for path in (TENANTS, lists.get(TENANTS).body["items"][0]["links"]["api"]):
            etag = lists.get(path).headers["etag"]
            for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
                said = lists.get(path, if_none_match=known)
                assert (said.status, said.body, said.headers["etag"]) == (304, None, etag)
            assert lists.get(path, if_none_match='"other"').status == 200
