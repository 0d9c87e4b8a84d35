"""Secrets of every kind go in by the real doors, work, and fail; then they are looked for wherever anything is kept.

Tables of all schemas, the server's files and write-ahead log, Valkey, logs, pages, problems, exports and sealed files
are searched for every spelling: plain, base64 at any place, hex, URL, JSON, HTML, UTF-16, compressed.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import pytest
import redis

from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.connectors.kit.runner import Runner
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.secrets import ClientSecrets
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import NO_ENTRIES, AddressBook
from app.vault.files.folder import FileFolder
from app.vault.keyring import Keyring
from app.vault.operations import put_door_secret
from app.vault.rules import DoorPurpose
from app.vault.secret import Secret
from tenants.tenant import Tenant
from tests.canaries.marks import marked
from tests.cluster import cluster, fresh_redis_url, name_of
from tests.factories.doors import Answer
from tests.factories.identity.machines import bearer, make_software
from tests.factories.vault.canaries import Canaries, files_in, files_of_the_server, packed, tables, valkey
from tests.integration.onboarding.files.desk import open_desk
from tests.integration.onboarding.handing.test_handing import STEP, Handing, start
from tests.integration.onboarding.house import House
from tests.integration.tenancy.transfers import moves

HOST = "admin.workbench.example"
PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"


def canary(mark: str) -> str:
    """A value that only this run knows, and that fits the form of a token."""
    return f"{marked(f'canary-{mark}')}-{secrets.token_hex(12)}"


class EchoHandler(BaseHTTPRequestHandler):
    """Answers what it was sent, in every spelling a careless peer may choose."""

    server: Echo

    def _answer(self) -> None:
        sent = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.heard.append(sent)
        raw = sent.encode()
        spelled = {
            "plain": sent,
            "basic": base64.b64encode(b"user:" + raw).decode(),
            "hex": raw.hex(),
            "url": quote(sent, safe=""),
            "code": [f"\\u{ord(letter):04x}" for letter in sent[:4]],
        }
        body = json.dumps({"error": self.server.how, "you sent": spelled[self.server.how]}).encode()
        self.send_response(400, f"Bad token {sent}")
        self.send_header("X-Echo", sent)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815  the library's names

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Echo(ThreadingHTTPServer):
    """A peer that shows what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.heard: list[str] = []
        self.how = "plain"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()


@dataclass
class Hunt:
    """One house, its canaries, and since when files count."""

    house: House
    canaries: Canaries
    echo: Echo
    since: float
    keys: list[bytes] = field(default_factory=list)

    def hear(self, where: str, answer: Answer | Any) -> Any:
        """Keep what a door said."""
        self.canaries.hear(where, answer.text if isinstance(answer, Answer) else str(answer.body))
        return answer


def recorded(keys: list[bytes], make: Callable[[], Secret]) -> Callable[[], Secret]:
    """The maker of keys, which notes each."""

    def made() -> Secret:
        key = make()
        keys.append(key.reveal_bytes())
        return key

    return made


@pytest.fixture(scope="module")
def hunt(house: House) -> Iterator[Hunt]:
    from app.connectors.webhooks.operations import keys as hook_keys
    from app.onboarding.files import receiving
    from app.vault import tenant_keys

    services = house.api.runtime.services
    services[Providers] = Providers(house.api.outbound)
    services[ClientSecrets] = SealedClientSecrets(house.api.runtime.service(Keyring))
    client, echo = house.api.runtime.service(Runner).client, Echo()
    client.book = AddressBook.parse(f"{HOST}:443={echo.server_address[1]}")
    found = Hunt(house, Canaries(), echo, time.time())
    with pytest.MonkeyPatch.context() as patch:
        for module in (hook_keys, receiving, tenant_keys):
            patch.setattr(module, "make_key", recorded(found.keys, module.make_key))
        yield found
    client.book = NO_ENTRIES
    echo.stop()


def hand_over(hunt: Hunt) -> None:
    """The customer hands a token over, wrongly and rightly; the peer that gets it fails and shows it, in each way."""
    for how in ("plain", "basic", "hex", "url"):
        handing = Handing(hunt.house, start(hunt.house, f"Canary {how}"), None)  # type: ignore[arg-type]  # ours answers
        token, hunt.echo.how = canary(how), how
        hunt.canaries.plant(f"handed over, {how}", token)
        hunt.hear("wrong form", handing.give(api_token=f"{token} wrong form!"))
        hunt.hear("given", handing.give(api_token=token))
        hunt.house.run()
        assert token in hunt.echo.heard, "it was never sent, so nothing is shown by this"
        for caller in (hunt.house.olga, hunt.house.lead):
            page = handing.page.rpartition("/tasks/")[0]
            for view in ("", "?view=trail", "/steps", f"/tasks/{STEP}"):
                hunt.hear(f"page {view}", caller.browser.get(f"{page}{view}"))
            for part in ("", "/items", "/journal", "/exceptions"):
                hunt.hear(f"api {part}", caller.get(f"{handing.place.path}{part}"))


def connect(hunt: Hunt) -> None:
    """A connection by its form, an identity provider by its, a secret of a door, a webhook by the API."""
    house, tenant = hunt.house, hunt.house.globex.tenant
    token, client_secret, door = canary("connection"), canary("client"), canary("door")
    browser, path = house.lead.browser, f"/t/{tenant.id}/connections"
    fields = {"command_key": str(new_id()), "connector": "product_admin", "name": "Bench"}
    hunt.hear("connection refused", browser.post(path, {**fields, "name": "", "api_token": token}))
    assert hunt.hear("connection", browser.post(path, {**fields, "api_token": token})).status == 303
    hunt.hear("connections", browser.get(path))
    sso = {
        "name": "Entra",
        "client_id": "x",
        "client_secret": client_secret,
        "groups_claim": "groups",
        "active": "true",
    }
    for issuer in ("https://127.0.0.1", "https://login.good.com/x"):
        key = {"command_key": str(new_id())}
        answer = hunt.hear("provider", browser.post("/settings/sso", {**sso, **key, "issuer": issuer}))
    assert answer.status == 303
    hunt.hear("provider", browser.get(answer.headers["location"]))
    with house.installation.work(tenant, house.ada) as work:
        keyring = house.api.runtime.service(Keyring)
        put_door_secret(work, keyring, purpose=DoorPurpose.WEBHOOK_VERIFICATION, field="canary", value=Secret(door))
    hooks = f"/api/v1/tenants/{tenant.id}/webhooks"
    made = house.lead.post(hooks, {"url": "https://hooks.good.com/in", "types": ["*"]})
    assert made.status == 201
    house.run()
    for part in ("", f"/{made.body['endpoint']['id']}"):
        hunt.hear("webhooks", house.lead.get(f"{hooks}{part}"))
    for kind, value in (("connection", token), ("client secret", client_secret), ("door", door)):
        hunt.canaries.plant(kind, value)
    hunt.canaries.plant("webhook secret", made.body["secret"].removeprefix("whsec_"))


def come_in(hunt: Hunt) -> None:
    """A mailed link, used and tried again, and a session: what opens a door is a secret, too."""
    house = hunt.house
    browser = house.doors.browser()
    mail = house.doors.ask_for_link(browser, "olga@customers.example")
    nonce = browser.get(mail.path).hidden["nonce"]
    assert browser.post(mail.path, {"nonce": nonce}).status == 303
    hunt.hear("a wrong link", house.doors.browser().get(mail.path[:-8]))
    for name, value in browser.cookies.items():
        if "sid" in name:
            hunt.canaries.plant("session", value)
    hunt.canaries.plant("mailed link", mail.path.rpartition("/")[2])
    hunt.hear("signed in", browser.get("/"))
    software = make_software(house.api, house.lead)
    hunt.canaries.plant("secret of software", software.secret)
    token = software.fetch()["access_token"]
    hunt.canaries.plant("access token", token.rpartition(".")[2] or token)
    hunt.hear("by token", bearer(house.api, token).get("/api/v1/tenants"))
    hunt.hear("by a wrong token", bearer(house.api, f"{token}x").get("/api/v1/tenants"))
    hunt.hear("accounts", house.lead.get("/api/v1/service-accounts"))


def keep_files(hunt: Hunt) -> None:
    """A file, whose content is sealed under a key of its own, and the keys that were made meanwhile."""
    desk, content = open_desk(hunt.house), canary("file")
    sent = PDF.replace(b"1 0 obj", f"% {content}\n1 0 obj".encode())
    assert desk.hand_over(hunt.house.olga, ("plan.pdf", sent)).status == 303
    assert desk.blobs()
    hunt.canaries.plant("content of a file", content)
    for number, key in enumerate(hunt.keys):
        hunt.canaries.plant(f"key {number}", key)


def break_down(hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug below a call: the traceback is logged, with the secret within its reach."""

    def broken(*_given: object, **_more: object) -> None:
        raise RuntimeError("a bug that no one has foreseen")

    handing = Handing(hunt.house, start(hunt.house, "Broken"), None)  # type: ignore[arg-type]  # no peer is reached
    token = canary("traceback")
    hunt.canaries.plant("traceback", token)
    with monkeypatch.context() as patch:
        patch.setattr(OutboundClient, "_exchange", broken)
        handing.give(api_token=token)
        hunt.house.run()
    hunt.hear("after a bug", hunt.house.lead.get(f"{handing.place.path}/exceptions"))


def take_out(hunt: Hunt) -> None:
    """The trail in each of its formats, for both customers."""
    for place in (hunt.house.acme, hunt.house.globex):
        path = f"/api/v1/tenants/{place.tenant.id}/trail"
        hunt.hear("trail", hunt.house.lead.get(path))
        for form in ("", "?format=csv", "?format=ocsf"):
            answer = hunt.house.olga.browser.get(f"{path}/export{form}")
            hunt.hear(f"export {form}", answer)
    hunt.hear("openapi", hunt.house.lead.browser.get("/api/v1/openapi.json"))
    bundle_of(hunt, hunt.house.acme.tenant)


def bundle_of(hunt: Hunt, tenant: Tenant) -> None:
    """The workspace as its signed bundle; what its recipient reads of it, tests of bundles search table by table."""
    api = hunt.house.api
    asked = moves.export(api, str(tenant.id), hunt.house.lead)
    assert asked.status == 202, asked.body
    moves.work(api)
    files = [file for file in api.folder.path.rglob("*") if file.is_file()]
    assert files, "the export has left no bundle, so nothing is shown by this"
    for file in files:
        hunt.canaries.hear("bundle", file.read_bytes())


def everywhere(hunt: Hunt) -> Iterator[tuple[str, bytes]]:
    """All that is kept or was told."""
    urls = hunt.house.installation.urls
    yield from hunt.canaries.told
    for url in (urls.control_url, urls.cell_url):
        yield from tables(url)
    yield from files_of_the_server([name_of(url) for url in (urls.control_url, urls.cell_url)], hunt.since)
    yield from valkey(cluster().servers.redis_url)
    yield from files_in(hunt.house.api.runtime.service(FileFolder).path)


class TestCanaries:
    def test_are_nowhere(self, hunt: Hunt, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
        hand_over(hunt)
        connect(hunt)
        come_in(hunt)
        keep_files(hunt)
        break_down(hunt, monkeypatch)
        take_out(hunt)
        logs = capfd.readouterr()
        assert "a bug that no one has foreseen" in logs.out + logs.err, "the traceback was logged, as it should be"
        hunt.canaries.hear("log", logs.out + logs.err)
        sources = list(everywhere(hunt))
        kinds = {where.partition("/")[0].partition(" ")[0] for where, _source in sources}
        assert {"pg_wal", "base", "valkey", "log", "page", "export", "openapi", "bundle"} <= kinds
        assert len(hunt.canaries.values) >= 12
        hits = hunt.canaries.found(sources)
        assert not hits, "\n".join(["", *hits])

    def test_were_opened_by_nobody_without_an_entry_in_the_trail(self, hunt: Hunt):
        """One for each attempt of each run, which says which fields and no value."""
        tenant, installation = hunt.house.acme.tenant, hunt.house.installation
        attempts = {str(row.id): len(row.attempts) for row in installation.rows(tenant, "SELECT * FROM {}.run")}
        query = "SELECT body FROM {}.trail WHERE action = 'vault.secrets.opened'"
        opened = [row.body for row in installation.rows(tenant, query)]
        used = Counter(body["run_id"] for body in opened if body["run_id"] in attempts)
        assert sum(used.values()) >= 4
        assert dict(used) == {run: many for run, many in attempts.items() if many}
        assert {tuple(body["fields"]) for body in opened} == {("api_token",)}

    def test_are_found_where_one_is_left(self, hunt: Hunt):
        """Or the search above would prove nothing: one of each spelling, in each kind of place."""
        left = {place: f"canary-left-{secrets.token_hex(12)}" for place in ("table", "valkey", "file", "page")}
        found = Canaries()
        for place, value in left.items():
            found.plant(place, value)
        rows = "UPDATE {}.onboarding SET name = %s RETURNING id"
        assert hunt.house.installation.rows(hunt.house.globex.tenant, rows, left["table"].encode().hex())
        redis.Redis.from_url(fresh_redis_url()).set("x", base64.b64encode(b"a" + left["valkey"].encode()))
        (hunt.house.api.runtime.service(FileFolder).path / "left").write_bytes(packed(left["file"].encode()))
        hunt.canaries.hear("page", f"<a href='{left['page'].replace('-', '%2D')}'>{left['page']}</a>")
        hits = found.found(everywhere(hunt))
        (hunt.house.api.runtime.service(FileFolder).path / "left").unlink()
        assert any(hit.endswith(".onboarding, hex") for hit in hits), hits
        for place in ("base/", "pg_wal/"):
            assert any(hit.startswith(f"table in {place}") for hit in hits), hits
        for place in ("valkey", "file", "page"):
            assert any(hit.startswith(f"{place} in ") for hit in hits), hits
