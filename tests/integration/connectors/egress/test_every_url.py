"""Every field that takes a URL refuses every hostile one: when it is named, and again when it would be called.

`make soak ONLY=every_url` tries all of them at every door; `make test` some, by a printed seed (EGRESS_SEED).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from app.bootstrap.wiring import declare_everything
from app.identity.sso.setup.forms import _ISSUER
from app.kernel.outbound.client import OutboundClient, OutboundRequest
from app.kernel.outbound.egress import EgressRefused
from app.kernel.outbound.refusals import NOT_PUBLIC, SENTENCES
from tests.factories.api import API
from tests.integration.connectors.egress import hostile
from tests.integration.connectors.egress.fields import document, looks_like_a_url, of_forms, of_the_api, texts
from tests.integration.connectors.egress.house import GOOD, House, Refusal, slice_of
from tests.integration.connectors.webhooks.conftest import make_tenant

EVIDENCE = "a link to evidence: shown to people, never called"
TEMPLATE = "the address of a template in the library, name@version"
ROLE = "the key of the role that a custom one begins with"
MAIL = "a mail domain or mail address"
# Field → how to reach it in the house, or why nobody ever calls it. A new field that looks like a URL belongs here.
CALLED = {
    "POST /api/v1/tenants/{tenant_id}/webhooks /url": lambda house, _made: house.post_hook,
    "PATCH /api/v1/tenants/{tenant_id}/webhooks/{endpoint_id} /url": lambda house, made: house.patch_hook(made),
    "frontend/connectors/webhooks/_fields.html url": lambda house, _made: house.form_hook,
    "frontend/connectors/webhooks/_fields.html url, changed": lambda house, made: house.change_form_hook(made),
    "frontend/identity/sso/setup.html issuer": lambda house, _made: house.issuer,
}
_ONE = "POST /api/v1/tenants/{tenant_id}/onboardings/{onboarding_id}"
NEVER_CALLED = {
    "GET /api/v1/templates/versions/{address} address": TEMPLATE,
    "POST /api/v1/roles /base": ROLE,
    "PUT /api/v1/roles/{role_id} /base": ROLE,
    f"{_ONE}/exceptions/{{exception_id}}/resolution /evidence/link": EVIDENCE,
    f"{_ONE}/milestones/{{key}}/proof /evidence/link": EVIDENCE,
    f"{_ONE}/tasks/{{task}}/completion /evidence/link": EVIDENCE,
    "frontend/identity/sso/setup.html domain": MAIL,
    "frontend/identity/sso/setup.html domains": MAIL,
    "frontend/audit/_keeping.html addresses": MAIL,
    "frontend/access/roles/role.html base": ROLE,
    "frontend/templates/_ways_on.html address": TEMPLATE,
    "app/templates/studio/pages/starting.py address": TEMPLATE,
    "app/identity/sso/setup/pages.py domain": MAIL,
    "app/access/pages/roles.py base": ROLE,
    "app/onboarding/sending.py link": EVIDENCE,
}  # fmt: skip


class TestNoField:
    def test_is_forgotten(self):
        found = {*of_the_api(document()), *of_forms(texts())}
        listed = {name.partition(",")[0] for name in CALLED} | set(NEVER_CALLED)
        assert found - listed == set(), "say how to reach it (CALLED), or why it is never called (NEVER_CALLED)"
        assert listed - found == set(), "there is no such field any more"

    @pytest.mark.parametrize(
        ("name", "schema"),
        [("logo_url", {}), ("callbackUri", {"format": "uri"}), ("issuer", {}), ("x", {"format": "url"})],
    )
    def test_hides_from_the_search(self, name, schema):
        assert looks_like_a_url(name, schema)
        body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/New"}}}}
        planted = {
            "paths": {"/api/v1/new": {"post": {"requestBody": body, "parameters": [{"name": name, "schema": schema}]}}},
            "components": {"schemas": {"New": {"properties": {"deep": {"items": {"properties": {name: schema}}}}}}},
        }
        assert set(of_the_api(planted)) == {f"POST /api/v1/new {name}", f"POST /api/v1/new /deep/*/{name}"}

    def test_of_a_form_hides_either(self):
        planted = {
            "a.html": '{{ field({"id": "feed", "type": "url"}) }}',
            "b.html": '<input name="logo">',
            "c.py": 'form.first("proxy")',
        }
        assert set(of_forms(planted)) == {"a.html feed", "b.html logo", "c.py proxy"}


@pytest.fixture(scope="module")
def house(api: API) -> House:
    declare_everything()
    api.installation.runtime = api.worker
    return House.over(api, make_tenant(api, "Acme"))


@pytest.fixture(scope="module")
def endpoint(house: House) -> str:
    return house.endpoint()


def refuses(try_out: Callable[[str], Refusal], urls: list[str]) -> None:
    """Each is refused with a 4xx that says what is wrong with it."""
    sentences = {*SENTENCES.values(), NOT_PUBLIC, _ISSUER, "This is too long.", '"pointer": "/url"'}
    for url in urls:
        answer = try_out(url)
        assert 400 <= answer.status < 500, f"{answer.status} for {url[:200]!r}"
        assert any(sentence in answer.said for sentence in sentences), f"{url[:200]!r}: {answer.status} {answer.main}"


class TestAtTheDoor:
    def test_there_are_enough(self):
        assert len(hostile.ALL) >= 300

    @pytest.mark.parametrize("field", CALLED)
    def test_some_are_refused(self, house: House, endpoint: str, field: str):
        refuses(CALLED[field](house, endpoint), slice_of(_for(field), 30))

    @pytest.mark.soak
    @pytest.mark.parametrize("field", CALLED)
    def test_every_url_is_refused(self, house: House, endpoint: str, field: str):
        refuses(CALLED[field](house, endpoint), _for(field))

    def test_a_good_one_is_taken(self, house: House, endpoint: str):
        """Or the refusals above would prove nothing."""
        for field, reach in CALLED.items():
            good = "https://login.good.com/tenant" if "issuer" in field else f"{GOOD}?changed={len(field)}"
            answer = reach(house, endpoint)(good)
            assert answer.status < 400, f"{field}: {answer}"


def _for(field: str) -> list[str]:
    """A form takes outer space away, and with it what makes some of them hostile."""
    return [url for url in hostile.ALL if field[:3] in {"POS", "PAT"} or (url == url.strip() and "\x00" not in url)]


@pytest.fixture
def ears() -> Iterator[dict[int, list[socket.socket]]]:
    """Listeners on this machine's own addresses, by port: whoever is called here was not refused."""
    heard = [socket.create_server(("127.0.0.1", 0))]
    port = heard[0].getsockname()[1]
    heard.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    for each in heard:
        each.setblocking(False)
    yield {port: heard}
    for each in heard:
        each.close()


def nobody_came(ears: dict[int, list[socket.socket]]) -> bool:
    """Whether no listener has a connection waiting."""
    for listener in (each for heard in ears.values() for each in heard):
        try:
            listener.accept()
        except BlockingIOError:
            continue
        return False
    return True


class TestAtTheCall:
    """What is stored is not believed: it may be older than a rule, or a name may lead elsewhere by now."""

    def test_every_url_is_refused_by_the_client(self, ears: dict[int, list[socket.socket]]):
        [port] = ears
        client = OutboundClient(resolve=lambda *_: ["127.0.0.1"])
        for url in hostile.ALL:
            here = url.replace(".1/", f".1:{port}/", 1).replace("]/", f"]:{port}/", 1)
            for each in {url, here}:
                with pytest.raises(EgressRefused):
                    client.send(OutboundRequest(method="GET", url=each, ports=frozenset({port}), timeout=2))
        assert nobody_came(ears)

    @pytest.mark.parametrize("name", hostile.BY_NAME)
    def test_names_that_lead_inside_are_refused_by_the_client(self, ears: dict[int, list[socket.socket]], name: str):
        [port] = ears
        client = OutboundClient(resolve=lambda host, _port: list(hostile.BY_NAME[host]))
        with pytest.raises(EgressRefused):
            client.send(
                OutboundRequest(method="GET", url=f"https://{name}:{port}/", ports=frozenset({port}), timeout=2)
            )
        assert nobody_came(ears)

    def test_stored_ones_are_not_called(self, house: House, endpoint: str):
        query = "UPDATE {}.record SET body = body || jsonb_build_object('url', %s::text) WHERE key = %s RETURNING key"
        urls = [url for url in hostile.ALL if "\x00" not in url and len(url) < 10_000]  # no jsonb holds a NUL
        for url in slice_of(urls, 6):
            assert house.api.installation.rows(house.tenant, query, url, endpoint)
            house.api.installation.cell("DELETE FROM cell.job")
            asked = house.api.admin.post(f"{house.hooks}/{endpoint}/challenge", None)
            assert asked.status in {200, 422}, url
            if asked.status != 200:  # not even a host can be read from it
                continue
            house.api.installation.run_due({})
            kept = "SELECT body->'challenge'->>'said' AS said FROM {}.record WHERE key = %s"
            [said] = [row.said for row in house.api.installation.rows(house.tenant, kept, endpoint)]
            assert said in {*SENTENCES.values(), NOT_PUBLIC}, f"{url!r}: {said}"
