"""Two partners with everything that can be had, and everybody who has no business with it; one served application.

Acme is where the treasure is: its names hold a word that nobody else's do, so a leak shows wherever it happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import msgspec

from app.bootstrap.routes import CONTROLLERS
from app.bootstrap.seeding import seeder
from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.bootstrap.services.trails import trail_services
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionSetting, add_connection
from app.identity.rules import new_token
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.secrets import ClientSecrets
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.paging import CursorKey
from app.kernel.queue.wake import ValkeyWake
from app.marketplace.operations.offering import Offer, submit
from app.marketplace.rules import Visibility
from app.onboarding.upgrades.records import keep_upgrade
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.templates.packages.operations import publish_package, revise
from app.templates.studio.operations import Text, start_draft
from app.tenancy.folder import BundleFolder
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from app.vault.secret import Secret
from app.web.streams import Streams
from tenants.tenant import Tenant
from tests.factories.api import API, MOST, Caller
from tests.factories.doors import Browser, Doors
from tests.factories.identity.machines import make_software
from tests.factories.installation import Installation
from tests.factories.vault.files import files_in, keep_file
from tests.integration.access.matrix.hooks import keep_webhooks
from tests.look.examples.onboarding.upgrades import UPGRADE
from tests.unit.templates.packages.samples import package as gold

NORTHWIND, CONTOSO = "northwind.localhost", "contoso.localhost"
SCOPE = "onboarding:onboarding:read"
BOTH = (SCOPE, "connectors:connection:read")
WIDE = (SCOPE, "tenancy:tenant:read")
TREASURE = "zephyrine"  # in every name and address of Acme's
TREASURES = (TREASURE, "sample works", "mara sample", "jonas muster", "robin sample")
_OWN = {
    "import_id",
    "account_id",
    "credential_id",
    "directory_id",
    "connection_id",
    "person_id",
    "role_id",
    "upgrade_id",
}  # a partner's
_EXCEPTION = """
    INSERT INTO {}.exception (id, subject_kind, subject_id, key, type, reason_code, state, route, summary, opened_at)
    VALUES (%s, 'onboarding', %s, 'a', 'blocked', 'test', 'open', '[]', 'Zephyrine is stuck', now())"""
_COMMENT = """
    INSERT INTO {}.comment (id, onboarding_id, internal, author_id, author_name, side, text, earlier, mentions, version,
        written_at)
    VALUES (%s, %s, false, %s, 'Ada', 'partner', 'Zephyrine is well', '[]', '[]', 1, now())"""
_TRANSFER = """
    INSERT INTO control.transfer (id, direction, organisation_id, tenant_id, request_key, state, peer, secrets, stays,
        reason, trace_id, requested_by, requested_name, requested_at, ended_at, expires_at, rows, parts, bytes, sha256)
    VALUES (%s, %s, %s, %s, %s, 'done', %s, false, true, 'Zephyrine moves', 't', %s, 'Ada', now(), now(),
        now() + interval '1 day', 1, 1, 9, repeat('a', 64))"""
_ERASURE = """
    INSERT INTO control.erasure (id, tenant_id, organisation_id, state, reason, trace_id, requested_by, requested_name,
        requested_at) VALUES (%s, %s, %s, 'withdrawn', 'Zephyrine goes', 't', %s, 'Ada', now())"""
_DIRECTORY_NAMES = {"tenant": "Zephyrine Entra", "partner": "Zephyrine Okta", "rival": "Okta"}
_DIRECTORY = """
    INSERT INTO control.directory (id, organisation_id, tenant_id, name, state, token_hash, token_made_at, default_role,
        made_by, made_by_name, made_at) VALUES (%s, %s, %s, %s, 'active', %s, now(), %s, %s, 'Ada', now())"""


@dataclass
class Someone:
    """Who knocks: a browser with or without a session, and what it sends with every request."""

    name: str
    browser: Browser
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """Where they knock."""
        return self.browser.host

    @property
    def by_token(self) -> bool:
        """Whether it is software with an access token."""
        return "authorization" in self.headers


class Town:
    """The installation, its doors, the workspace that is nobody's business, and everybody who tries."""

    def __init__(self, installation: Installation, folder: Path, redis_url: str) -> None:
        declare_everything()
        self.installation = installation
        self.wake = ValkeyWake(redis_url)
        self.streams = Streams(redis_url)
        installation.runtime = replace(installation.runtime, wake=self.wake)
        create_keyring(folder / "keys", folder / "worker-keys")
        self.keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
        self.bundles = BundleFolder(folder / "bundles", MOST, timedelta(hours=1), frozenset())
        self.bundles.prepare()
        services: dict[type, object] = {
            Keyring: self.keyring,
            **files_in(folder),
            CursorKey: CursorKey(self.keyring.cursor_key.reveal_bytes()),
            Seeder: seeder(self.keyring),
            Runner: Runner(Registry.load(), OutboundClient(), time_limit=1.0),
            Providers: Providers(OutboundClient()),
            ClientSecrets: SealedClientSecrets(self.keyring),
            BundleFolder: self.bundles,
            Streams: self.streams,
            **trail_services(self.keyring, installation.databases, "http://localhost:8000"),
        }
        self.doors = Doors(installation, redis_url=redis_url, controllers=CONTROLLERS, services=services)
        self.streams.start()
        installation.runtime = self.doors.runtime
        self.directories: dict[str, str] = {}
        self._settle()
        self._people()
        self._furnish()
        self._collect()
        self._crowd()
        self.run_due()

    def close(self) -> None:
        """Stop serving."""
        self.streams.close()
        self.doors.close()
        self.wake.close()

    def someone(self, name: str, email: str, host: str = NORTHWIND) -> Someone:
        """A person, signed in and proved."""
        browser = self.doors.browser(host)
        assert self.doors.sign_in(browser, email, proved=True).status == 303
        return Someone(name, browser)

    def things(self, side: str) -> dict[str, str]:
        """An id of each kind of thing of Acme's ("tenant"), or of Northwind's own ("partner")."""
        return dict(self._things[side])

    def secrets(self, side: str) -> dict[str, str]:
        """Ids of Acme's things ("tenant") or of Northwind's ("partner"), by name."""
        named = {name: one for name, one in self._things[side].items() if name.endswith("_id")}
        return {f"{side}'s {name}": one for name, one in named.items() if side == "tenant" or name in _OWN}

    @property
    def crowd(self) -> list[Someone]:
        """Everybody who has no business somewhere."""
        return [*self.strangers, *self.outsiders, *self.small, *self.staff]

    @property
    def rivals(self) -> list[Someone]:
        """Those of the other partner, who have a house of their own."""
        return [who for who in self.outsiders if who.host == CONTOSO]

    def run_due(self) -> None:
        """Everything that is due."""
        self.installation.run_due(SUBSCRIPTIONS)

    def _settle(self) -> None:
        """Partners with homes, customers, and a workspace that is full."""
        self.draft = new_id()
        doors = self.doors
        ada_id = doors.staff("ada@northwind.example", doors.northwind, "partner_owner")
        roles = frozenset({"partner_owner"})
        self.ada = Actor("person", ada_id, "Ada", organisation_id=doors.northwind, roles=roles, stepped_up=True)
        cora = replace(self.ada, id=new_id(), organisation_id=doors.contoso)
        self.home = self._home(self.ada, "Northwind")
        self._home(cora, "Contoso")
        shelf = open_shelf("msp/managed-services")
        with self.installation.work(self.home, self.ada) as work:
            publish(work, shelf.template)
            publish(work, shelf.overlays["northwind"])
            publish_package(work, gold())
            revise(work, "managed-gold")
            offer = Offer(shelf.template.digest, (), Visibility.PRIVATE, "The first one.")
            self.offered = submit(work, offer, {})
            start_draft(work, self.draft, Text("id: zephyrine", "Zephyrine", {}, "zephyrine", "", "template", 1))
        self.run_due()
        self.acme = self._filled("Zephyrine Works")
        self.globex = self.installation.tenant(doors.northwind, "Globex", kind="customer")
        self.umbrella = self.installation.tenant(doors.contoso, "Umbrella", kind="customer")
        # Access that has run out: what the workspace was founded with. Access that is none of a CSM's: a technician's.
        self.installation.rows(self.acme, "UPDATE {}.delegation SET ends_at = now() - interval '1 hour'")
        doors.delegation(self.acme, '["technical"]')

    def _home(self, actor: Actor, name: str) -> Tenant:
        assert actor.organisation_id
        wanted = TenantRequest(actor.organisation_id, kind="home", name=name, key="home")
        return create_tenant(self.doors.runtime, actor, wanted, trace_id="set-up")

    def _filled(self, name: str) -> Tenant:
        """A customer's workspace with a running onboarding: filled as a sandbox is, whose mails stay in it."""
        wanted = TenantRequest(self.doors.northwind, kind="sandbox", name=name, key=name)
        made = create_tenant(self.doors.runtime, self.ada, wanted, trace_id="set-up")
        self.installation.cell("UPDATE cell.job SET run_at = now() WHERE tenant_id = %s", made.id)
        self.run_due()
        self.installation.control("UPDATE control.tenant SET kind = 'customer' WHERE id = %s", made.id)
        return replace(made, kind="customer")

    def _people(self) -> None:
        """Those who may."""
        doors = self.doors
        doors.member(f"olga@{TREASURE}.example", self.acme, "owner")
        doors.member("vera@viewers.example", self.acme, "viewer")
        doors.member("gus@globex.example", self.globex, "owner")
        doors.staff("tim@northwind.example", doors.northwind, "csm")
        doors.staff("otto@platform.example", doors.platform, "operator")
        doors.staff("eve@contoso.example", doors.contoso, "partner_owner")
        self.owner = self.someone("owner", f"olga@{TREASURE}.example")
        self.boss = self.someone("owner of the partner", "ada@northwind.example")

    def _crowd(self) -> None:
        """Those who may not, as they are called in the table of what is expected."""
        ended = self.someone("ended session", f"olga@{TREASURE}.example")
        assert ended.browser.cookies, "a session that was one"
        kept = dict(ended.browser.cookies)
        ended.browser.post("/sign-out")
        ended.browser.cookies = kept
        self.viewer = self.someone("viewer", "vera@viewers.example")
        self.neighbour = self.someone("owner of another workspace", "gus@globex.example")
        self.late = self.someone("staff whose delegation has run out", "tim@northwind.example")
        self.above = self.someone("operator of the platform", "otto@platform.example")
        self.rival = self.someone("owner of another partner", "eve@contoso.example", CONTOSO)
        away = Browser(self.doors.port, CONTOSO, dict(self.owner.browser.cookies))
        came = Browser(self.doors.port, NORTHWIND, dict(self.rival.browser.cookies))
        globex = self._accounts_of(self.globex)
        self.strangers = [
            Someone("nobody", self.doors.browser()),
            ended,
            Someone("session of another host", away),
            Someone("session of another partner's host", came),
            self._software("token of nobody", "nonsense"),
            self._software("directory of another partner", self.directories["rival"]),
            self._software("token of another host", self._token(self.rival, "/api/v1/service-accounts", "csm")),
        ]
        self.outsiders = [
            self.neighbour,
            self.rival,
            self._software("software of another workspace", self._token(self.neighbour, globex, "admin", BOTH)),
            self._software(
                "software of another partner",
                self._token(self.rival, "/api/v1/service-accounts", "partner_admin"),
                CONTOSO,
            ),
        ]
        narrow = self._token(self.owner, self._accounts_of(self.acme), "admin", (SCOPE,))
        self.small = [self.viewer, self._software("software with one scope", narrow)]
        late = self._token(self.boss, "/api/v1/service-accounts", "csm")
        self.staff = [self.late, self._software("software of the partner", late)]

    def _accounts_of(self, tenant: Tenant) -> str:
        return f"/api/v1/tenants/{tenant.id}/service-accounts"

    def _token(self, owner: Someone, path: str, role: str, scopes: tuple[str, ...] = WIDE) -> str:
        made = make_software(
            _served(self), Caller(owner.browser), path=path, host=owner.host, roles=(role,), scopes=scopes
        )
        return str(made.fetch()["access_token"])

    def _software(self, name: str, token: str, host: str = NORTHWIND) -> Someone:
        return Someone(name, self.doors.browser(host), {"authorization": f"Bearer {token}"})

    def _furnish(self) -> None:
        """One of each kind of thing in Acme and in Northwind, made through the doors by who may."""
        tenant, owner, boss = f"/api/v1/tenants/{self.acme.id}", Caller(self.owner.browser), Caller(self.boss.browser)
        with self.installation.work(self.acme, replace(self.ada, roles=frozenset({"technical"}))) as work:
            secrets = {"api_token": Secret("a-token-of-zephyrine")}
            add_connection(work, ConnectionSetting("product_admin", "Zephyrine product", {}, secrets))
        self.accounts = {
            "tenant": make_software(_served(self), owner, path=f"{tenant}/service-accounts", roles=("viewer",)),
            "partner": make_software(_served(self), boss, roles=("csm",)),
        }
        role = {"name": "Zephyrine care", "base": "csm", "removed": ["intake:deal:read"]}
        made = boss.post("/api/v1/roles", role)
        assert made.status == 201, made.body
        self._directory("partner", self.doors.northwind, None)
        self._directory("tenant", self.doors.northwind, self.acme)
        self._directory("rival", self.doors.contoso, None)
        form = {"name": "Zephyrine ID", "issuer": "https://login.zephyrine.com", "client_id": "app"}
        form |= {"client_secret": "of-zephyrine", "active": "true", "command_key": str(new_id())}
        assert self.owner.browser.post(f"/t/{self.acme.id}/sso", form).status == 303
        ours = form | {"name": "Northwind ID", "command_key": str(new_id())}
        assert self.boss.browser.post("/settings/sso", ours).status == 303
        self.run_due()
        self.installation.rows(self.acme, "UPDATE {}.onboarding SET name = 'Zephyrine at Northwind'")

    def _collect(self) -> None:
        """The ids of all that was made."""
        acme, query = self.acme, self.installation.rows
        [onboarding] = query(acme, "SELECT id FROM {}.onboarding")
        [message] = query(acme, "SELECT id FROM {}.message LIMIT 1")
        exception = new_id()
        self.installation.control(_ERASURE, new_id(), acme.id, self.doors.northwind, self.ada.id)
        query(acme, _EXCEPTION, exception, onboarding.id)
        comment = new_id()
        query(acme, _COMMENT, comment, onboarding.id, self.ada.id)
        with self.installation.work(acme, self.ada) as work:
            file = keep_file(work, onboarding.id, name="zephyrine.pdf")
        [delegation] = query(acme, "SELECT id FROM {}.delegation WHERE ends_at > now()")
        items = {row.key.split(".")[0]: row.key for row in query(acme, "SELECT key FROM {}.item ORDER BY key DESC")}
        shared = {
            "tenant_id": str(acme.id),
            "onboarding_id": str(onboarding.id),
            "message_id": str(message.id),
            "delegation_id": str(delegation.id),
            "task": "task.confirm_goals",
            "field": "business_outcome",
            "step": "removal",
            "person_id": self._one("SELECT id FROM control.person WHERE email LIKE 'olga@%%'"),
            "session_id": self._one(
                "SELECT s.id FROM control.session s JOIN control.person p ON p.id = s.person_id"
                " WHERE p.email LIKE 'olga@%%' AND s.ended_at IS NULL"
            ),
            "role_id": self._one("SELECT id FROM control.custom_role"),
            "exception_id": str(exception),
            "comment_id": str(comment),
            "file_id": str(file.id),
            "slot": "diagram",
            "version_id": str(self.offered),
            "listing_id": self._one("SELECT listing_id AS id FROM control.listing_version"),
            "draft_id": str(self.draft),
            "export_id": self._transfer("out"),
            "import_id": self._transfer("in"),
            "upgrade_id": self._upgrade(),
            **keep_webhooks(self.installation, acme, self.ada),
            **dict.fromkeys(("file", "file_path", "path", "rest", "token"), new_id().hex),
        }
        self._things = {side: shared | self._of(side) for side in ("tenant", "partner")}
        self._things["partner"]["rest"] = f"Users/{self.ada.id}"
        self._things["partner"]["person_id"] = str(self.ada.id)
        self.items = items

    def _upgrade(self) -> str:
        """An upgrade of the partner's that waits for a second person."""
        upgrade = msgspec.structs.replace(UPGRADE, id=new_id(), title="Zephyrine")
        with self.installation.work(self.home, self.ada) as work:
            keep_upgrade(work, upgrade)
        return str(upgrade.id)

    def _transfer(self, direction: str) -> str:
        """A finished export of Acme with its file, or the import that it came by."""
        made = new_id()
        peer = "slwb1-3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08" if direction == "out" else f"SHA256:{'a' * 43}"
        values = (made, direction, self.doors.northwind, self.acme.id, made.hex, peer, self.ada.id)
        self.installation.control(_TRANSFER, *values)
        self.bundles.file(made).write_text("zephyrine")
        return str(made)

    def _of(self, side: str) -> dict[str, str]:
        """What both a workspace and a partner have, each its own."""
        account = self.accounts[side].client_id
        of = "tenant_id = %s" if side == "tenant" else "COALESCE(tenant_id, %s) = %s"
        place = (self.acme.id,) if side == "tenant" else (self.home.id, self.home.id)
        return {
            "account_id": account,
            "credential_id": self._one("SELECT id FROM control.service_credential WHERE account_id = %s", account),
            "directory_id": self._one(
                f"SELECT id FROM control.directory WHERE organisation_id = %s AND {of}",  # noqa: S608 - our own
                *(self.doors.northwind, *place),
            ),
            "connection_id": self._one(f"SELECT id FROM control.sso_connection WHERE {of}", *place),  # noqa: S608 - our own
        }

    def _one(self, statement: str, *values: object) -> str:
        return str(self.installation.control(statement, *values)[0].id)

    def _directory(self, side: str, organisation: UUID, tenant: Tenant | None) -> None:
        token, role = new_token(), "viewer" if tenant else "csm"
        values = (new_id(), organisation, tenant.id if tenant else None, _DIRECTORY_NAMES[side], token.digest)
        self.installation.control(_DIRECTORY, *values, role, new_id())
        self.directories[side] = token.text


def _served(town: Town) -> API:
    """What the factory of software takes; of an API it uses the doors."""
    return cast("API", town)
