"""Other roles and scopes for an account, on its page: from the version that was read, acting on the next request."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

import pytest

from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.api import API, Caller
from tests.factories.doors import Answer, Browser
from tests.factories.identity.machines import ACCOUNTS, READ, Software, make_software

PATH = "/service-accounts"
FIGURES = "insights:dashboard:read"
pytestmark = pytest.mark.usefixtures("home")


def send(browser: Browser, path: str, key: str = "", **fields: Any) -> Answer:
    """A form; a field may have several values."""
    body = urlencode({"command_key": key or str(new_id()), "reason": "Less", **fields}, doseq=True).encode()
    own = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return browser.send("POST", path, body=body, headers=own | {"origin": f"http://{browser.host}:{browser.port}"})


def page_of(software: Software) -> str:
    return f"{PATH}/{software.client_id}"


def version(browser: Browser, path: str) -> str:
    return browser.get(path).hidden["version"]


def ticked(text: str) -> set[str]:
    return set(re.findall(r'name="(?:scopes|roles)" value="([^"]+)" checked', text))


@pytest.fixture(scope="module")
def ada(api: API) -> Browser:
    """Who administers Northwind."""
    return api.admin.browser


@pytest.fixture
def software(api: API) -> Software:
    """Software with two permissions."""
    return make_software(api, api.admin, scopes=(READ, FIGURES))


class TestTheForm:
    def test_shows_what_the_account_has_and_in_words_what_it_could_have(self, ada: Browser, software: Software):
        page = ada.get(page_of(software)).text
        assert ticked(page) == {"csm", READ, FIGURES}
        assert "see workspaces, their settings and who has access" in page
        assert 'value="intake:deal:read"' in page

    def test_takes_away_at_once_from_a_token_that_was_issued_before(self, ada: Browser, software: Software):
        caller, path = software.caller(), page_of(software)
        assert caller.get("/api/v1/tenants").status == 200
        answer = send(ada, path, roles="csm", scopes=FIGURES, version=version(ada, path))
        assert (answer.status, answer.headers["location"]) == (303, path)
        assert caller.get("/api/v1/tenants").status == 403
        wider = send(ada, path, roles="csm", scopes=[READ, FIGURES], version=version(ada, path))
        assert (wider.status, caller.get("/api/v1/tenants").status) == (303, 200)

    def test_takes_a_role_away_at_once(self, api: API, ada: Browser):
        maker = make_software(api, api.admin, roles=("onboarding_lead",), scopes=("tenancy:tenant:create", READ))
        caller, path, wish = maker.caller(), page_of(maker), {"name": "Soon", "plan": "standard"}
        assert caller.post("/api/v1/tenants", wish).status != 403
        answer = send(ada, path, roles="csm", scopes=READ, version=version(ada, path))
        assert answer.status == 303
        assert caller.post("/api/v1/tenants", wish).status == 403

    def test_refuses_an_older_version_and_keeps_what_was_typed(self, ada: Browser, software: Software):
        path = page_of(software)
        read = version(ada, path)
        assert send(ada, path, roles="csm", scopes=READ, version=read).status == 303
        late = send(ada, path, roles="finance", scopes=[READ, "intake:deal:read"], version=read, reason="Typed late")
        assert late.status == 412
        assert "The account has changed since you read it" in late.text
        assert ticked(late.text) == {"finance", READ, "intake:deal:read"}
        assert 'value="Typed late"' in late.text
        assert ticked(ada.get(path).text) == {"csm", READ}
        again = send(ada, path, roles="finance", scopes=READ, version=late.hidden["version"])
        assert (again.status, ticked(ada.get(path).text)) == (303, {"finance", READ})

    def test_sent_twice_counts_once(self, ada: Browser, software: Software):
        path, key = page_of(software), str(new_id())
        fields = {"roles": "csm", "scopes": READ, "version": version(ada, path)}
        assert [send(ada, path, key, **fields).status for _ in range(2)] == [303, 303]

    @pytest.mark.parametrize(
        ("fields", "status", "said"),
        [
            ({"roles": "csm", "scopes": "tenancy:tenant:create"}, 422, "not among what the roles allow"),
            ({"roles": "viewer", "scopes": READ}, 422, "one or more of the partner&#39;s roles"),
            ({"roles": "partner_owner", "scopes": READ}, 403, "more than they hold"),
            ({"roles": "csm"}, 422, "Tick at least one permission."),
            ({"scopes": READ}, 422, "Choose at least one role."),
            ({"roles": "csm", "scopes": READ, "reason": ""}, 422, "Fill in this field."),
        ],
    )
    def test_says_what_is_wrong_beside_it(
        self, ada: Browser, software: Software, fields: dict[str, Any], status: int, said: str
    ):
        path = page_of(software)
        answer = send(ada, path, **({"version": version(ada, path)} | fields))
        assert (answer.status, said in answer.text) == (status, True), answer.text
        assert '<details class="fold" id="change" open>' in answer.text
        assert ticked(ada.get(path).text) == {"csm", READ, FIGURES}

    def test_asks_for_a_proof_as_the_api_does(self, api: API, software: Software):
        api.doors.staff("una@northwind.example", api.doors.northwind, "partner_admin")
        una = api.doors.browser()
        api.doors.sign_in(una, "una@northwind.example")
        path = page_of(software)
        asked = send(una, path, roles="csm", scopes=READ, version=version(una, path))
        assert asked.status == 403
        assert 'name="step_up_code"' in asked.text
        assert ticked(una.get(path).text) == {"csm", READ, FIGURES}

    def test_is_for_who_may_and_of_the_same_house(self, api: API, ada: Browser, software: Software, cora: Caller):
        path = page_of(software)
        auditor = api.caller("eve@northwind.example", api.doors.northwind, "auditor").browser
        assert 'id="change"' not in auditor.get(path).text
        read = version(ada, path)
        assert send(auditor, path, roles="csm", scopes=READ, version=read).status == 403
        assert send(cora.browser, path, roles="csm", scopes=READ, version=read).status == 404
        assert ticked(ada.get(path).text) == {"csm", READ, FIGURES}

    def test_of_a_workspace_chooses_one_role(self, api: API, acme: Tenant, olga: Caller):
        base = f"/t/{acme.id}{PATH}"
        seen = "onboarding:onboarding:read"
        made = send(olga.browser, base, name="Theirs", roles="contributor", scopes=[seen, "onboarding:task:complete"])
        path = made.headers["location"]
        assert 'type="radio"' in olga.browser.get(path).text
        read = version(olga.browser, path)
        assert send(olga.browser, path, roles="viewer", scopes=seen, version=read).headers["location"] == path
        assert ticked(olga.browser.get(path).text) == {"viewer", seen}
        assert send(api.admin.browser, path, roles="viewer", scopes=seen, version=read).status in {403, 404}
        assert api.admin.get(f"{ACCOUNTS}/{path.rpartition('/')[2]}").status == 404
