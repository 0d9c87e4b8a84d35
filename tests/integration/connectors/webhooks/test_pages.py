"""The pages of webhooks as people use them: add, verify, look, stop, rotate, remove; and who may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.audit.operations.documents import keep_document
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, key_of
from app.connectors.webhooks.operations.endpoints import save
from app.connectors.webhooks.pages.doors import WebhookPages
from app.connectors.webhooks.queries import body_of, find_endpoint
from app.connectors.webhooks.rules import Challenge, Endpoint, Trouble
from app.connectors.webhooks.signing import digest_of
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.operations.rotation import make_keys
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Answer, Browser, Doors
from tests.factories.installation import Installation, person

URL = "https://hooks.acme.com/in/a-secret-path"


class Hooks:
    """The webhooks of one workspace, seen by one person."""

    def __init__(self, doors: Doors, tenant: Tenant, browser: Browser) -> None:
        self.doors, self.tenant, self.browser = doors, tenant, browser
        self.path = f"/t/{tenant.id}/webhooks"

    def send(self, path: str = "", fields: dict[str, Any] | None = None, key: str = "") -> Answer:
        return self.browser.post(f"{self.path}{path}", {"command_key": key or str(new_id()), **(fields or {})})

    def get(self, path: str = "") -> Answer:
        return self.browser.get(f"{self.path}{path}")

    def add(self, **fields: Any) -> str:
        """The page of a new endpoint, below the list."""
        answer = self.send(fields={"url": URL, "hears": "everything"} | fields)
        assert answer.status == 201, answer.text
        return str(re.findall(rf'href="{self.path}(/[0-9a-f-]+)"', answer.text)[-1])

    def work(self):
        return self.doors.installation.work(self.tenant, person())

    def alter(self, page: str, **facts: Any) -> Endpoint:
        """As the jobs would have it."""
        with self.work() as work:
            return save(work, replace(find_endpoint(work, UUID(page[1:]), locked=True), **facts))

    def active(self) -> str:
        page = self.add()
        with self.work() as work:
            now = work.database_now
        self.alter(page, state="active", verified_at=now)
        return page

    def deliver(self, page: str, state: Any, **facts: Any) -> str:
        event_id = new_id()
        with self.work() as work:
            delivery = Delivery("onboarding.task.completed", work.database_now, state, **facts)
            keep_document(work, DELIVERY, key_of(UUID(page[1:]), event_id), body_of(delivery))
        return str(event_id)


@pytest.fixture(scope="module")
def doors(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory, doors_redis: str
) -> Iterator[Doors]:
    shared_installation.own_slots()
    folder: Path = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    services: dict[type, object] = {Keyring: keyring, OutboundClient: OutboundClient()}
    served = Doors(
        shared_installation, redis_url=doors_redis, controllers=[*FRONT_DOORS, WebhookPages], services=services
    )
    before, shared_installation.runtime = shared_installation.runtime, served.runtime
    yield served
    shared_installation.runtime = before
    served.close()


@pytest.fixture(scope="module")
def acme(doors: Doors) -> Tenant:
    tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    with doors.installation.work(tenant, person()) as work:
        make_keys(work, doors.runtime.service(Keyring))
    doors.delegation(tenant, '["technical", "implementation"]')
    doors.member("olga@acme.example", tenant, "admin")
    return tenant


@pytest.fixture(scope="module")
def hooks(doors: Doors, acme: Tenant) -> Hooks:
    """Who may change them."""
    browser = doors.browser()
    doors.sign_in(browser, "olga@acme.example", proved=True)
    return Hooks(doors, acme, browser)


class TestAdding:
    def test_shows_the_secret_once(self, hooks: Hooks):
        assert "Nobody is told yet" in hooks.get().text
        key, fields = str(new_id()), {"url": URL, "hears": "everything", "description": "<b>Billing</b>"}
        shown = hooks.send(fields=fields, key=key)
        assert (shown.status, shown.headers["cache-control"]) == (201, "no-store")
        secret = re.findall(r'value="(whsec_[A-Za-z0-9+/=]+)"', unescape(shown.text))[0]
        assert "whpk_" in shown.text
        again = hooks.send(fields=fields, key=key)
        assert again.status == 201
        assert "was sent before" in again.text
        listed = hooks.get().text
        assert listed.count("hooks.acme.com") == 1
        assert "a-secret-path" not in listed
        assert "&lt;b&gt;Billing" in listed
        page = hooks.get(re.findall(rf'href="{hooks.path}(/[0-9a-f-]+)"', listed)[0]).text
        assert URL in page
        assert "A code is on its way" in page
        assert not any(secret in text for text in (again.text, listed, page))

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("", "Fill in this field."),
            ("http://hooks.acme.com/in", "Only https addresses can be called."),
            ("https://10.0.0.7/in", "not an address on the public internet"),
            ("https://localhost/in", "not an address on the public internet"),
            ("https://ada:pw@hooks.acme.com/", "must not carry a user name"),
        ],
    )
    def test_says_what_is_wrong_with_an_address_and_keeps_what_was_typed(self, hooks: Hooks, url: str, said: str):
        fields = {"url": url, "hears": "some", "types": ["onboarding.*"], "names": "tenancy.*", "description": "Mine"}
        answer = hooks.send(fields=fields | {"thin": "true"})
        assert answer.status == 422
        assert answer.text.count(said) == 2, "beside the field, and in the summary"
        assert f'value="{url}"' in answer.text
        assert 'value="Mine"' in answer.text
        assert ">tenancy.*</textarea>" in answer.text
        assert 'value="onboarding.*" checked' in answer.text
        assert 'name="thin" value="true" checked' in answer.text

    def test_names_the_events_that_there_are_not(self, hooks: Hooks):
        fields = {"url": URL, "hears": "some", "names": "onboarding.task.completed, no.such\n<i>"}
        answer = hooks.send(fields=fields)
        assert answer.status == 422
        assert "The catalogue names them all. no.such, &lt;i&gt;" in answer.text
        assert "Choose at least one event" in hooks.send(fields={"url": URL, "hears": "some"}).text


class TestAnEndpoint:
    def test_is_verified_by_the_code_that_arrived(self, hooks: Hooks):
        page = hooks.add()
        assert "There is no code to compare with" in hooks.send(f"{page}/code", {"code": "ABCDEFGH"}).text
        with hooks.work() as work:
            sent = Challenge(digest=digest_of("KQ7RWXYZ"), sent_at=work.database_now, number=1)
        hooks.alter(page, challenge=sent)
        wrong = hooks.send(f"{page}/code", {"code": "ABCDEFGH"})
        assert wrong.status == 422
        assert "This is not the code that was sent last." in wrong.text
        assert 'value="ABCDEFGH"' in wrong.text
        assert hooks.send(f"{page}/code", {"code": " kq7rwxyz "}).status == 303
        assert "Healthy" in hooks.get(page).text
        assert hooks.send(f"{page}/test").status == 303

    def test_says_what_is_the_matter_with_it(self, hooks: Hooks):
        page = hooks.active()
        with hooks.work() as work:
            now = work.database_now
        hooks.alter(page, trouble=Trouble(since=now, count=7, again_at=now.replace(year=now.year + 1), said="503"))
        answered = Attempt(now, "refused", 503, 12, '<script>alert("x")</script>' * 40)
        event = hooks.deliver(page, "failed", tries=1, attempts=(answered,))
        text = hooks.get(page).text
        for said in ("Strained", "7 tries have failed", "Its last answer was 503.", "It is sounded out again"):
            assert said in text
        assert "<script>alert" not in text
        assert text.count("&lt;script&gt;alert") < 15, "a stranger's text is cut"
        assert hooks.send(f"{page}/deliveries/{event}").status == 303
        assert "sent again once" in hooks.get(page).text
        assert hooks.send(f"{page}/deliveries/{new_id()}").status == 404

    def test_shows_older_deliveries_on_further_pages(self, hooks: Hooks):
        page = hooks.active()
        events = [hooks.deliver(page, "delivered" if number else "held") for number in range(52)]
        first = hooks.get(page).text
        assert first.count('class="cell ') == 50
        older = re.findall(r'href="[^"]*\?before=([0-9a-f-]+)', first)[0]
        assert older == events[2]
        assert hooks.get(f"{page}?before={older}").text.count('class="cell ') == 2
        assert hooks.get(f"{page}?before=nonsense").text.count('class="cell ') == 50
        assert "One event that failed" in hooks.get(f"{page}/repetition").text
        assert hooks.send(f"{page}/repetition").status == 303

    def test_is_changed_from_what_was_read(self, hooks: Hooks):
        page = hooks.active()
        seen = hooks.get(page).hidden["seen"]
        hooks.alter(page, delivered_at=None)  # a delivery meanwhile makes nobody's form stale
        fields = {"url": URL, "hears": "some", "types": ["onboarding.*"], "names": "onboarding.task.*", "seen": seen}
        assert hooks.send(page, fields).status == 303
        assert "<code>onboarding.*</code>" in hooks.get(page).text
        stale = hooks.send(page, fields | {"url": "https://elsewhere.acme.com/"})
        assert stale.status == 412
        assert "It has been changed meanwhile." in stale.text
        assert 'value="https://elsewhere.acme.com/"' in stale.text
        moved = fields | {"url": "https://elsewhere.acme.com/", "seen": hooks.get(page).hidden["seen"]}
        assert hooks.send(page, moved).status == 303
        assert "Unverified" in hooks.get(page).text

    def test_is_disabled_and_enabled(self, hooks: Hooks):
        page = hooks.active()
        assert "Disable hooks.acme.com?" in hooks.get(f"{page}/disablement").text
        assert hooks.send(f"{page}/disablement").status == 303
        hooks.deliver(page, "held")
        text = hooks.get(page).text
        assert "It was switched off by hand." in text
        assert "One event that it missed" in text
        assert hooks.send(f"{page}/test").status == 409
        assert hooks.send(f"{page}/enablement").status == 303
        assert "Healthy" in hooks.get(page).text

    def test_is_given_another_key(self, hooks: Hooks):
        page = hooks.active()
        shown = hooks.send(f"{page}/key", {"hours": "2"})
        assert shown.status == 201
        assert "whsec_" in shown.text
        assert "whsec_" not in hooks.get(page).text
        twice = hooks.send(f"{page}/key", {"hours": "2"})
        assert twice.status == 409
        assert twice.text.count("The key before this one still signs. Wait") == 2
        assert hooks.send(f"{page}/key", {"hours": "0"}).status == 201, "a key that leaked is cut off at once"
        assert "from 0 to 168" in hooks.send(f"{page}/key", {"hours": "200"}).text

    def test_is_removed_for_good(self, hooks: Hooks):
        page = hooks.active()
        assert "Remove hooks.acme.com?" in hooks.get(f"{page}/removal").text
        assert hooks.send(f"{page}/removal").headers["location"] == f"{hooks.path}?done=removal"
        assert hooks.get(page).status == 404
        assert hooks.get(f"{page}/removal").status == 404
        assert hooks.send(f"{page}/nonsense").status == 404


class TestSomebodyElse:
    def test_who_may_only_read_sees_no_form_and_no_address(self, hooks: Hooks):
        page = hooks.active()
        hooks.doors.staff("rita@northwind.example", hooks.doors.northwind, "implementation")
        browser = hooks.doors.browser()
        hooks.doors.sign_in(browser, "rita@northwind.example", proved=True)
        reader = as_seen_by(hooks, browser)
        for text in (reader.get().text, reader.get(page).text):
            assert "hooks.acme.com" in text
            assert "a-secret-path" not in text
            assert f'action="{hooks.path}' not in text
        for path in ("", page, f"{page}/key", f"{page}/code", f"{page}/test", f"{page}/removal"):
            assert reader.send(path, {"code": "x"}).status == 403, path
        assert reader.get(f"{page}/removal").status == 403

    def test_in_another_workspace_finds_nothing(self, hooks: Hooks):
        page, doors = hooks.active(), hooks.doors
        globex = doors.installation.tenant(doors.northwind, "Globex", kind="customer")
        doors.member("gus@globex.example", globex, "owner")
        browser = doors.browser()
        doors.sign_in(browser, "gus@globex.example", proved=True)
        assert as_seen_by(hooks, browser).get(page).status == 404
        theirs = Hooks(doors, globex, browser)
        assert "Nobody is told yet" in theirs.get().text
        assert theirs.get(page).status == 404
        assert theirs.send(f"{page}/removal").status == 404
        assert hooks.get(page).status == 200


def as_seen_by(hooks: Hooks, browser: Browser) -> Hooks:
    return Hooks(hooks.doors, hooks.tenant, browser)
