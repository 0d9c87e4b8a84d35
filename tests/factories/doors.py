"""The doors over real HTTP: a Uvicorn in a thread, browsers with a cookie jar of their own, and a mailbox."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

import uvicorn

from app.asgi import create_app
from app.bootstrap.health import ProbeDoors
from app.bootstrap.routes import door_services
from app.connectors.webhooks.sender import Sender
from app.identity.mailer import Mailer, Notice
from app.identity.operations import ensure_person
from app.identity.pages import SignInPages, SignOutPages, choose_preferences
from app.identity.queries import Person
from app.identity.rules import token_digest
from app.identity.step_up.pages import AccountPages, StepUpPages
from app.identity.step_up.sealer import PersonSealer
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.runtime import Runtime
from app.partners.brand import Brand
from app.partners.operations import NewOrganisation, assign_role, create_organisation, set_brand
from app.partners.pages import BrandFiles
from app.partners.rules import PLATFORM
from app.vault.envelope import make_key
from app.vault.keepers.people_keys import PeopleSafe
from app.web.frame import BrandView
from app.web.security import Front
from tenants.tenant import Tenant
from tests.factories.installation import Installation, person

# What stands at the front of every host; the rooms behind are tested with their own doors beside these.
FRONT_DOORS = (
    ProbeDoors,
    BrandFiles,
    SignInPages,
    SignOutPages,
    choose_preferences,
    AccountPages,
    StepUpPages,
)
_MEMBER = """
    INSERT INTO "{schema}".member (person_id, email, name, role, locale, state, invited_at)
    VALUES (%s, %s, %s, %s, 'en', 'active', now())"""
_DELEGATION = """
    INSERT INTO "{schema}".delegation (id, organisation_id, roles, state, reason, starts_at, ends_at, changed_at)
    VALUES (%s, %s, %s::jsonb, %s, 'test', now() - interval '1 day', now() + %s::interval, now())"""
_PROVED = """
    UPDATE control.session SET stepped_up_at = now() - make_interval(mins => %s), stepped_up_by = 'authenticator'
    WHERE token_hash = %s"""
_INPUT = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True)
class Mail:
    """A mail as sign-in handed it over."""

    person: Person
    url: str
    brand: BrandView
    valid_for: timedelta

    @property
    def host(self) -> str:
        """The host the link leads to, without port."""
        return self.url.split("/")[2].partition(":")[0]

    @property
    def path(self) -> str:
        """The path the link leads to."""
        return "/" + self.url.split("/", 3)[3]


class Mailbox:
    """Fulfils `app.identity.mailer.Mailer`; mails come after the answer, so they can be waited for."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.codes: list[tuple[str, str]] = []
        self.notices: list[tuple[str, Notice]] = []
        self._news = threading.Condition()

    def send_sign_in_link(self, person: Person, url: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Keep the mail."""
        with self._news:
            self.mails.append(Mail(person, url, brand, valid_for))
            self._news.notify_all()

    def send_code(self, person: Person, code: str, *, brand: BrandView, valid_for: timedelta) -> None:
        """Keep the code."""
        with self._news:
            self.codes.append((person.email, code))
            self._news.notify_all()

    def send_notice(self, person: Person, notice: Notice, *, brand: BrandView) -> None:
        """Keep what the person was told."""
        with self._news:
            self.notices.append((person.email, notice))
            self._news.notify_all()

    def wait_for_code(self, count: int = 1) -> str:
        """The last code, once there are that many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.codes) >= count, timeout=10), f"{len(self.codes)} codes"
            return self.codes[-1][1]

    def wait(self, count: int = 1) -> list[Mail]:
        """All mails, once there are that many."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.mails) >= count, timeout=10), f"{len(self.mails)} mails"
            return list(self.mails)


_KEYS = PeopleSafe(make_key())


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; headers lower-case, `cookies` as name to the whole Set-Cookie value."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    text: str

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields of the page's forms."""
        return {name: unescape(value) for name, value in _INPUT.findall(self.text)}


@dataclass
class Browser:
    """One browser on one host; follows no redirect by itself, keeps cookies, says where its forms come from."""

    port: int
    host: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return self.send("GET", path, headers=headers)

    def head(self, path: str, **headers: str) -> Answer:
        """Ask for the headers only."""
        return self.send("HEAD", path, headers=headers)

    def post(self, path: str, fields: Mapping[str, Any] | None = None, **headers: str) -> Answer:
        """Send a form, as a page of this host would; a list is a name that comes several times."""
        own = {"origin": f"http://{self.host}:{self.port}", "sec-fetch-site": "same-origin"}
        own |= {"content-type": "application/x-www-form-urlencoded"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", path, body=urlencode(fields or {}, doseq=True).encode(), headers=own | named)

    def send(self, method: str, path: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Any request; an empty header value leaves that header out."""
        said = {"host": f"{self.host}:{self.port}", "accept": "text/html"}
        if self.cookies:
            said["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        said |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in said.items():
                if value:
                    connection.putheader(name, value)
            if method in {"POST", "PUT", "PATCH"}:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body or None)
            return self._kept(connection.getresponse())
        finally:
            connection.close()

    def another(self, host: str | None = None) -> Browser:
        """A browser without cookies, on this host or another."""
        return Browser(self.port, host or self.host)

    def _kept(self, response: http.client.HTTPResponse) -> Answer:
        cookies = {}
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = value
                content = rest.partition(";")[0].strip('"')
                if "max-age=0" in rest.lower() or not content:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = content
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, cookies, response.read().decode())


def _no_names(host: str, _port: int) -> list[str]:
    """No test waits for the name of somebody out there."""
    raise OSError(f"{host} is not looked up here")


class Settings(NamedTuple):
    """What the doors read of the settings."""

    public_url: str
    redis_url: str
    inbox: Path | None = None
    rate_scale: int = 1000  # nobody but the tests of limits is to be stopped by one
    queue_age: int = 120
    worker_threads: int = 64


class Doors:
    """An installation with its platform and two partners, served over HTTP."""

    def __init__(
        self,
        installation: Installation,
        *,
        redis_url: str,
        controllers: Any = FRONT_DOORS,
        services: dict[type, object] | None = None,
    ) -> None:
        self.installation = installation
        self.mailbox = Mailbox()
        own = door_services(installation.databases, Settings("http://localhost:8000", redis_url))
        outbound = OutboundClient(resolve=_no_names)
        usual: dict[type, object] = {PersonSealer: _KEYS, OutboundClient: outbound, Sender: Sender(outbound)}
        more = usual | (services or {}) | {Mailer: self.mailbox}
        self.runtime: Runtime = replace(installation.runtime, services=own | more)
        self.front = self.runtime.service(Front)
        self.platform = self.organisation("platform", "Operations", kind=PLATFORM, accent="#444444")
        self.northwind = self.organisation("northwind", "Northwind", accent="#0b7285")
        self.contoso = self.organisation("contoso", "Contoso", accent="#c2255c")
        app = create_app(self.runtime, controllers)
        config = uvicorn.Config(app, port=0, log_config=None, access_log=False, server_header=False, lifespan="on")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="doors", daemon=True)
        self._thread.start()
        self.port = self._wait_for_port()

    def close(self) -> None:
        """Stop serving."""
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def browser(self, host: str = "northwind.localhost") -> Browser:
        """A browser without cookies."""
        return Browser(self.port, host)

    def staff(self, email: str, organisation: UUID, role: str = "partner_admin") -> UUID:
        """A person with a role in the organisation."""
        person_id = ensure_person(self.installation.databases, email=email, name=email.title(), locale="en")
        assign_role(self.installation.databases, person(), person_id=person_id, organisation_id=organisation, role=role)
        return person_id

    def member(self, email: str, tenant: Tenant, role: str = "contributor") -> UUID:
        """A person of a customer, in the tenant and in the index."""
        person_id = ensure_person(self.installation.databases, email=email, name=email.title(), locale="en")
        self.installation.cell(
            _MEMBER.format(schema=tenant.schema),
            *(person_id, email, email.title(), role),
        )
        self.installation.control(
            "INSERT INTO control.membership (person_id, tenant_id, organisation_id, made_at)"
            " VALUES (%s, %s, %s, now())",
            *(person_id, tenant.id, tenant.organisation_id),
        )
        return person_id

    def delegation(
        self, tenant: Tenant, roles: str = '["admin"]', *, ends: str = "1 day", state: str = "active"
    ) -> None:
        """Access of the tenant's partner, from yesterday on."""
        self.installation.cell(
            _DELEGATION.format(schema=tenant.schema),
            *(new_id(), tenant.organisation_id, roles, state, ends),
        )

    def ask_for_link(self, browser: Browser, email: str, *, next_path: str = "/") -> Mail:
        """Ask for a link as a person does; the mail that came."""
        before = len(self.mailbox.mails)
        browser.get("/sign-in?" + urlencode({"next": next_path}))
        assert browser.post("/sign-in", {"email": email}).status == 200
        return self.mailbox.wait(before + 1)[-1]

    def sign_in(self, browser: Browser, email: str, *, next_path: str = "/", proved: bool = False) -> Answer:
        """The whole way; the answer to the confirmation. `proved`: as after a code of an authenticator."""
        mail = self.ask_for_link(browser, email, next_path=next_path)
        nonce = browser.get(mail.path).hidden["nonce"]
        answer = browser.post(mail.path, {"nonce": nonce})
        if proved:
            self.prove(browser)
        return answer

    def prove(self, browser: Browser, *, minutes_ago: int = 0) -> None:
        """Let this browser's session be one that was proved then; how that comes about has its own tests."""
        token = browser.cookies[self.front.cookie_name("sid")]
        self.installation.control(_PROVED, minutes_ago, token_digest(token))

    def organisation(
        self, slug: str, name: str, *, accent: str = "#0b7285", kind: str = "partner", parent: UUID | None = None
    ) -> UUID:
        """An organisation on a host of its own, below the platform unless another parent is named."""
        parent = None if kind == PLATFORM else parent or self.platform
        wanted = NewOrganisation(slug=slug, name=name, kind=kind, parent_id=parent)
        made = create_organisation(self.installation.databases, person(), wanted)
        set_brand(self.installation.databases, person(), made, Brand(name=name, accent=accent))
        return made

    def _wait_for_port(self) -> int:
        ready = threading.Event()
        while not self._server.started:
            assert self._thread.is_alive(), "the server did not start"
            ready.wait(0.01)
        return int(self._server.servers[0].sockets[0].getsockname()[1])
