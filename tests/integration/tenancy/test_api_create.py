"""Creating tenants over HTTP: usable at once, once for each key, by who may, within what is allowed."""

from __future__ import annotations

from tests.factories.api import API

TENANTS = "/api/v1/tenants"


class TestCreate:
    def test_gives_a_workspace_that_is_usable_in_the_same_answer(self, api: API):
        made = api.admin.post(TENANTS, {"name": "Acme", "external_id": "crm-1"})
        assert made.status == 201, made.body
        assert made.body["state"] == "active"
        assert made.body["organisation"] == "northwind"
        assert made.headers["location"] == f"{TENANTS}/{made.body['id']}"
        read = api.admin.get(made.headers["location"])
        assert (read.status, read.body, read.headers["etag"]) == (200, made.body, made.headers["etag"])
