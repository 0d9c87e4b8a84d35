"""The pages of service accounts, as people use them: make one, give it a secret, roll over, stop it."""

from __future__ import annotations

import json
import re

import pytest

from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.api import API, Caller
from tests.factories.doors import Answer, Browser
from tests.factories.identity.machines import READ, Software, key_of

PATH = "/service-accounts"
pytestmark = pytest.mark.usefixtures("home")


def send(browser: Browser, path: str, fields: dict[str, str], key: str = "") -> Answer:
    return browser.post(path, {"command_key": key or str(new_id()), **fields})


def made(browser: Browser, base: str = PATH, roles: str = "csm", scopes: str = READ) -> str:
    answer = send(browser, base, {"name": "Billing", "roles": roles, "scopes": scopes, "reason": "Test"})
    assert answer.status == 303, answer.text
    return answer.headers["location"]


@pytest.fixture(scope="module")
def ada(api: API) -> Browser:
    """Who administers Northwind."""
    return api.admin.browser


class TestAPartnersPages:
    def test_make_an_account_and_show_its_secret_once(self, api: API, ada: Browser):
        assert "New service account" in ada.get(PATH).text
        path, key = made(ada), str(new_id())
        assert "None yet" in ada.get(path).text
        fields = {"kind": "secret", "days": "20", "reason": "First"}
        shown = send(ada, f"{path}/credentials", fields, key)
        assert (shown.status, shown.headers["cache-control"]) == (201, "no-store")
        secret = re.findall(r'id="secret" value="([^"]{43})"', shown.text)[0]
        again = send(ada, f"{path}/credentials", fields, key)
        assert secret not in again.text
        assert "was sent before" in again.text
        page = ada.get(path).text
        assert secret not in page
        assert f"Secret ending in {secret[-4:]}" in page
        assert "Expires soon" in ada.get(PATH).text
        assert "A credential ends soon" in page
        software = Software(api, path.rpartition("/")[2], secret)
        assert software.caller().get("/api/v1/tenants").status == 200
        assert "<dd>Never" not in ada.get(path).text

    def test_take_a_public_key_and_say_what_is_wrong_with_another(self, ada: Browser):
        path, pair = made(ada), key_of("ES256")
        fields = {"kind": "key", "days": "365", "reason": "First"}
        wrong = send(ada, f"{path}/credentials", fields | {"public_key": "-----BEGIN PRIVATE KEY-----"})
        assert wrong.status == 422
        assert "not a JSON Web Key" in wrong.text
        private = send(ada, f"{path}/credentials", fields | {"public_key": json.dumps(pair.as_dict(private=True))})
        assert "It must not leave your system" in private.text
        assert pair.as_dict(private=True)["d"] not in private.text
        assert (
            send(ada, f"{path}/credentials", fields | {"public_key": json.dumps(pair.as_dict(private=False))}).status
            == 303
        )
        assert f"Public key {pair.thumbprint()[:12]}" in ada.get(path).text
        missing = send(ada, f"{path}/credentials", {"kind": "key", "days": "9999", "reason": ""})
        assert missing.status == 422
        assert missing.text.count("Error:") == 2

    def test_ask_before_anything_is_stopped(self, api: API, ada: Browser):
        path = made(ada)
        send(ada, f"{path}/credentials", {"kind": "secret", "days": "365", "reason": "First"})
        ending = re.findall(rf'href="({path}/credentials/[^"]+/ending)"', ada.get(path).text)[0]
        assert "End this credential of Billing?" in ada.get(ending).text
        assert send(ada, ending, {"reason": ""}).status == 422
        assert send(ada, ending, {"reason": "Rolled over"}).headers["location"] == path
        assert send(ada, ending, {"reason": "Again"}).status == 404
        assert "Disable Billing?" in ada.get(f"{path}/disablement").text
        assert send(ada, f"{path}/disablement", {"reason": "Odd"}).headers["location"] == path
        assert "Disabled" in ada.get(path).text
        assert send(ada, f"{path}/enablement", {"reason": "Fine"}).headers["location"] == path
        assert send(ada, f"{path}/removal", {"reason": "Over"}).headers["location"] == PATH
        assert ada.get(path).status == ada.get(f"{path}/removal").status == 404
        assert ada.get(f"{made(ada)}/nonsense").status == 404
        assert send(ada, f"{made(ada)}/nonsense", {"reason": "x"}).status == 404

    def test_tell_what_cannot_be_given_and_keep_what_was_typed(self, ada: Browser):
        wrong = send(ada, PATH, {"name": "<b>", "roles": "csm", "scopes": "tenancy:tenant:create", "reason": "Why"})
        assert wrong.status == 422
        assert "not among what the roles allow" in wrong.text
        assert 'value="&lt;b&gt;"' in wrong.text
        empty = send(ada, PATH, {"name": "", "reason": ""})
        assert "Tick at least one permission." in empty.text
        above = send(ada, PATH, {"name": "x", "roles": "partner_owner", "scopes": READ, "reason": "x"})
        assert (above.status, "more than they hold" in above.text) == (403, True)

    def test_show_no_form_to_who_may_only_look(self, api: API, ada: Browser):
        path = made(ada)
        auditor = api.caller("eve@northwind.example", api.doors.northwind, "auditor").browser
        assert auditor.get(PATH).status == 200
        assert 'name="scopes"' not in auditor.get(PATH).text
        assert "/removal" not in auditor.get(path).text
        assert send(auditor, f"{path}/removal", {"reason": "x"}).status == 403
        lead = api.caller("lia@northwind.example", api.doors.northwind, "csm").browser
        assert lead.get(PATH).status == lead.get(path).status == 403

    def test_do_not_exist_for_others(self, api: API, ada: Browser, cora: Caller, olga: Caller):
        path = made(ada)
        assert cora.browser.get(path).status == 404
        assert olga.browser.get(PATH).status == olga.browser.get(path).status == 404
        assert api.doors.browser().get(PATH).headers["location"].startswith("/sign-in")


class TestAWorkspacesPages:
    def test_are_its_owners_own(self, api: API, acme: Tenant, olga: Caller, umbrella: Tenant):
        base = f"/t/{acme.id}{PATH}"
        path = made(olga.browser, base, roles="viewer", scopes="onboarding:onboarding:read")
        assert path.startswith(base)
        shown = send(olga.browser, f"{path}/credentials", {"kind": "secret", "days": "365", "reason": "First"})
        assert shown.status == 201
        both = send(olga.browser, base, {"name": "x", "roles": "nobody", "scopes": READ, "reason": "x"})
        assert "exactly one of the workspace" in both.text
        assert olga.browser.get(f"/t/{umbrella.id}{PATH}").status == 404
        assert api.admin.browser.get(path).status in {403, 404}


class TestMetadata:
    def test_says_where_and_how(self, api: API):
        answer = api.doors.browser().get("/.well-known/oauth-authorization-server")
        told = json.loads(answer.text)
        assert told["issuer"] == "http://northwind.localhost:8000"
        assert told["token_endpoint"] == "http://northwind.localhost:8000/oauth/token"
        assert "private_key_jwt" in told["token_endpoint_auth_methods_supported"]
        assert not {"none", "HS256"} & set(told["token_endpoint_auth_signing_alg_values_supported"])
