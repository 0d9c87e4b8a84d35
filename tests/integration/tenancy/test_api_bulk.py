"""Many tenants in one request: each with its own outcome, none lost by another's trouble, none made twice."""

from __future__ import annotations

import pytest

from app.kernel.ids import new_id
from tests.factories.api import API

BULK = "/api/v1/tenants/bulk"


class TestBulk:
    def test_says_of_each_what_became_of_it(self, api: API):
        api.admin.post("/api/v1/tenants", {"name": "First", "external_id": "b-1"})
        items = [
            {"name": "A", "key": "a"},
            {"name": "B", "external_id": "b-1"},
            {"name": "C", "plan": "none"},
            {"name": "D"},
        ]
        said = api.admin.post(BULK, {"items": items})
        assert (said.status, said.body["created"], said.body["failed"]) == (200, 2, 2)
        results = said.body["results"]
        assert [result["status"] for result in results] == [201, 409, 422, 201]
        assert [result["index"] for result in results] == [0, 1, 2, 3]
        assert results[0]["key"] == "a"
        assert results[1]["problem"]["type"].endswith("/external-id-taken")
        assert results[2]["problem"]["errors"] == [{"pointer": "/plan", "detail": "There is no such plan."}]
        assert api.admin.get(f"/api/v1/tenants/{results[3]['tenant']['id']}").body == results[3]["tenant"]

    def test_sent_again_gives_the_same(self, api: API):
        key, body = new_id().hex, {"items": [{"name": "Again 1"}, {"name": "Again 2", "plan": "none"}]}
        first, again = (api.admin.post(BULK, body, key=key) for _n in range(2))
        assert again.body == first.body
        assert again.headers["idempotency-replayed"] == "true"
        assert api.admin.post(BULK, {"items": [{"name": "Other"}]}, key=key).problem == "command-key-reused"

    def test_cut_off_in_the_middle_goes_on_without_making_any_twice(self, api: API):
        key, items = new_id().hex, [{"name": f"Cut {n}", "key": f"row-{n}"} for n in range(3)]
        first = api.admin.post(BULK, {"items": items}, key=key)
        api.installation.control("UPDATE control.command SET status = NULL, body = NULL WHERE key LIKE %s", f"%{key}")
        again = api.admin.post(BULK, {"items": items}, key=key)
        assert again.body == first.body
        assert len(api.installation.control("SELECT 1 FROM control.tenant WHERE name LIKE 'Cut _'")) == 3

    def test_of_an_item_that_may_succeed_later_is_tried_again(self, api: API, monkeypatch: pytest.MonkeyPatch):
        key, body = new_id().hex, {"items": [{"name": "Busy 1"}, {"name": "Busy 2"}]}
        api.installation.control("UPDATE control.cell SET state = 'closed'")
        api.runtime.placement._known = None
        refused = api.admin.post(BULK, body, key=key)
        api.installation.control("UPDATE control.cell SET state = 'open'")
        api.runtime.placement._known = None
        assert [result["status"] for result in refused.body["results"]] == [503, 503]
        assert api.admin.post(BULK, body, key=key).body["created"] == 2

    @pytest.mark.parametrize(
        ("items", "problem", "pointer"),
        [
            ([], "body-unfit", "/items"),
            ([{"name": "A"}] * 101, "body-unfit", "/items"),
            ([{"name": "A"}, {"name": 7}], "body-unfit", "/items/1/name"),
            ([{"name": "A", "key": "k"}, {"name": "B", "key": "k"}], "item-key-twice", "/items/0/key"),
        ],
    )
    def test_makes_nothing_where_the_list_does_not_fit(self, api: API, items, problem, pointer):
        before = api.installation.control("SELECT count(*) FROM control.tenant")
        said = api.admin.post(BULK, {"items": items})
        assert (said.status, said.problem, said.body["errors"][0]["pointer"]) == (422, problem, pointer)
        assert api.installation.control("SELECT count(*) FROM control.tenant") == before
