"""The product as its people meet it: two partners' portals over HTTP, with live pages, mail and work that goes on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar
from uuid import UUID

import uvicorn

from app.asgi import Server, create_app
from app.bootstrap.routes import door_services
from app.bootstrap.seeding import seeder
from app.bootstrap.services.client_secrets import SealedClientSecrets
from app.bootstrap.services.trails import trail_services
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.catalog.hubspot import stand_in as hubspot
from app.connectors.catalog.product_admin import stand_in as product_admin
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionSetting, add_connection
from app.demo.world import crm
from app.demo.world.clock import BusinessClock, at_hour, working_day
from app.demo.world.course import Deed, Scene, next_deeds
from app.demo.world.crm import CrmClient
from app.demo.world.harbor import HARBOR
from app.demo.world.house import OPERATOR, House, actor_of, set_up_house, set_up_platform
from app.demo.world.northwind import NORTHWIND
from app.demo.world.shapes import Sale
from app.demo.world.tokens import Tokens
from app.flow.events import Evidenced
from app.identity.mailer import Mailer
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.secrets import ClientSecrets
from app.identity.step_up.sealer import PersonSealer
from app.intake.operations import HookMessage, receive_messages
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.kernel.paging import CursorKey
from app.kernel.queue.drain import drain
from app.kernel.queue.wake import Doorbell, ValkeyWake
from app.kernel.runtime import Runtime
from app.kernel.work import JOBS, Work
from app.notifications.postroom import Postroom
from app.notifications.sink import MailSink, listen
from app.onboarding import operations
from app.onboarding.models import Onboarding
from app.onboarding.queries.stored import definition_of, state_of
from app.settings.values import MailServer
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keepers.people_keys import PeopleSafe
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from app.vault.secret import Secret
from app.web.streams import Streams
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.factories.installation import Installation, make_runtime
from tests.factories.vault.files import files_in

# Their lanes run the small templates, which the journeys walk; what the complete ones ask is tested elsewhere.
_SMALL = ((NORTHWIND, "msp/managed-services"), (HARBOR, "erp/rollout"))
PARTNERS = {
    partner.slug: replace(partner, lanes=tuple(replace(lane, template=template) for lane in partner.lanes), packages=())
    for partner, template in _SMALL
}
PRODUCT = "product_admin"
PLATFORM = "slipway"  # the slug of the operator, whose people work on a host without one
_PATIENCE = 20.0  # seconds until something that should happen counts as not happening
_GLANCE = 0.03  # seconds between two looks at what nobody announces

Found = TypeVar("Found")


class Reached(NamedTuple):
    """What the doors read of the settings."""

    public_url: str
    redis_url: str
    inbox: Path | None = None
    rate_scale: int = 1000  # nobody but the tests of limits is to be stopped by one
    queue_age: int = 120
    worker_threads: int = 64


@dataclass(frozen=True, slots=True)
class Started:
    """An onboarding that came of a sale."""

    house: House
    sale: Sale
    tenant: Tenant
    onboarding_id: UUID

    @property
    def path(self) -> str:
        """The address of its page."""
        return f"/t/{self.tenant.id}/onboardings/{self.onboarding_id}"


def until(what: str, look: Callable[[], Found | None]) -> Found:
    """What `look` finds, as soon as it finds anything."""
    clock = threading.Event()
    for _glance in range(int(_PATIENCE / _GLANCE)):
        if found := look():
            return found
        clock.wait(_GLANCE)
    raise AssertionError(f"waited in vain for {what}")


class Portals:
    """Both partners' hosts, served by the product's own server. Work is done in a thread, as the worker would."""

    def __init__(self, installation: Installation, folder: Path, redis_url: str, stack: ExitStack) -> None:
        declare_everything()
        self.installation = installation
        self.tokens = Tokens(folder / "tokens")
        self.tokens.make(f"{slug}/{crm.SOURCE}" for slug in PARTNERS)
        self.tokens.make(f"{sale.key}/{PRODUCT}" for partner in PARTNERS.values() for sale in partner.sales)
        self.crm = hubspot.start(tokens=self.tokens.of(crm.SOURCE))
        stack.callback(self.crm.stop)
        self.product = product_admin.start(tokens=self.tokens.of(PRODUCT))
        stack.callback(self.product.stop)
        self.mail = stack.enter_context(MailSink(folder / "mail"))
        self._clock = BusinessClock([installation.urls.cell_url])
        stack.callback(self._clock.close)
        self._listening = stack.enter_context(listen(0))
        self.port = int(self._listening.getsockname()[1])
        self.runtime = self._wire(folder, redis_url, stack)
        installation.runtime = self.runtime
        self.show_hour(9)
        self.platform = set_up_platform(self.runtime)
        self.houses = {
            slug: set_up_house(self.runtime, self.platform, partner, self.tokens) for slug, partner in PARTNERS.items()
        }
        self._serve(stack)
        stack.enter_context(Working(self.runtime, redis_url))

    def origin(self, slug: str) -> str:
        """Scheme, host and port of a partner's portal, or of the operator's."""
        return f"http://localhost:{self.port}" if slug == PLATFORM else f"http://{slug}.localhost:{self.port}"

    def show_hour(self, hour: int) -> None:
        """Business time is that hour of the last working day before today; it runs on from there."""
        self._clock.show(at_hour(working_day(datetime.now(UTC).date(), -1), hour))

    def sell(self, slug: str, key: str) -> Started:
        """Close a deal of the partner in the CRM; gives the onboarding that it has become."""
        house = self.houses[slug]
        sale = next(each for each in house.partner.sales if each.key == key)
        client = CrmClient(self.crm.port, self.tokens[f"{slug}/{crm.SOURCE}"])
        deal_id = client.create_deal(sale, date(2026, 1, 5))
        message = HookMessage(external_id=f"told-{new_id()}", deal_id=deal_id, starts=True, body={})
        actor = Actor(kind="service", id=house.home.id, name=crm.SOURCE)
        with self.installation.work(house.home, actor, trace_id=f"sold-{key}") as work:
            receive_messages(work, source=crm.SOURCE, messages=[message])
        return until(f"the onboarding of {key}", lambda: self._started(house, sale, deal_id))

    def reviews(self) -> None:
        """The operator has a home, where its people review what partners offer."""
        wanted = TenantRequest(self.platform, kind="home", name="Slipway", key="home")
        create_tenant(self.runtime, OPERATOR, wanted, trace_id="set-up")

    def leads_to(self, slug: str, template: str) -> None:
        """The partner's lane starts what is offered of that template."""
        any_of_it = "SELECT digest FROM {}.definition WHERE template_id = %s AND document ? 'stages' LIMIT 1"
        query = f"UPDATE {{}}.workflow SET overlay_digest = NULL, template_digest = ({any_of_it})"  # noqa: S608 - a query of ours
        self.installation.rows(self.houses[slug].home, query, template)

    def practises(self, slug: str, email: str, name: str) -> Tenant:
        """A sandbox that one of the staff has made, as soon as something runs in it."""
        house = self.houses[slug]
        request = TenantRequest(house.organisation_id, kind="sandbox", name=name, key=name)
        made = create_tenant(self.runtime, actor_of(self.runtime, house, email), request, trace_id=f"made-{name}")
        kept = "SELECT 1 FROM {}.message WHERE state = 'kept'"
        until(f"a mail of {name}", lambda: self.installation.rows(made, kept))
        return made

    def connects(self, started: Started) -> None:
        """The technical colleague connects the product in the customer's tenant."""
        secrets = {"api_token": Secret(self.tokens[f"{started.sale.key}/{PRODUCT}"])}
        technical = actor_of(self.runtime, started.house, started.house.partner.player("implementation_lead").email)
        with self.installation.work(started.tenant, technical) as work:
            add_connection(work, ConnectionSetting(PRODUCT, "Product", {}, secrets))

    def goes_on(self, started: Started, *, stalls: tuple[str, ...]) -> None:
        """Everybody does what is theirs, except for the items of these keys."""
        partner, sale = started.house.partner, replace(started.sale, stalls=stalls)
        while True:
            with self.installation.work(started.tenant, Actor("service", started.tenant.id, "looks")) as work:
                onboarding = work.session.get_one(Onboarding, started.onboarding_id)
                definition, state = definition_of(work, onboarding.definition_digest), state_of(onboarding)
            deed = next(next_deeds(Scene(partner, sale, date(2026, 11, 20)), definition, state), None)
            if deed is None:
                return
            with self.installation.work(started.tenant, actor_of(self.runtime, started.house, deed.by)) as work:
                _do(work, started.onboarding_id, deed)

    def serving_ends(self) -> None:
        """The first signal that tells the server to stop. Nothing is served afterwards."""
        self._server.handle_exit(signal.SIGTERM, None)
        self._thread.join(_PATIENCE)
        assert not self._thread.is_alive(), "the server does not stop"

    def _started(self, house: House, sale: Sale, deal_id: str) -> Started | None:
        query = "SELECT tenant_id, onboarding_id FROM {}.deal WHERE external_id = %s AND state = 'started'"
        rows = self.installation.rows(house.home, query, deal_id)
        if not rows or rows[0].onboarding_id is None:
            return None
        with lookup_session(self.runtime.databases) as (session, _now):
            tenant = find_tenant(session, rows[0].tenant_id)
        return Started(house, sale, tenant, rows[0].onboarding_id) if tenant else None

    def _wire(self, folder: Path, redis_url: str, stack: ExitStack) -> Runtime:
        create_keyring(folder / "keys", folder / "worker-keys")
        keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
        product = self.product.port  # answers under its own name, and as somebody who is no identity provider
        names = ("admin.workbench.example", "login.northwind-id.example")
        book = AddressBook.parse(
            ",".join((f"api.hubapi.com:443={self.crm.port}", *(f"{n}:443={product}" for n in names)))
        )
        server = MailServer("127.0.0.1", self.mail.port, tls=False, user=None, password=None)
        postroom = Postroom(server, "no-reply@localhost")
        wake = ValkeyWake(redis_url)
        stack.callback(wake.close)
        databases = self.installation.databases
        own: dict[type, object] = {
            Keyring: keyring,
            **files_in(folder),
            CursorKey: CursorKey(keyring.cursor_key.reveal_bytes()),
            Seeder: seeder(keyring),
            **trail_services(keyring, databases, "http://localhost:8000"),
            Runner: Runner(Registry.load(), OutboundClient(book), time_limit=2.0),
            Providers: Providers(OutboundClient(book)),
            ClientSecrets: SealedClientSecrets(keyring),
            Postroom: postroom,
            Mailer: postroom,
            PersonSealer: PeopleSafe(keyring.people_key),
            Streams: Streams(redis_url),
        }
        doors = door_services(databases, Reached(f"http://localhost:{self.port}", redis_url))
        return make_runtime(databases, wake=wake, services=own | doors)

    def _serve(self, stack: ExitStack) -> None:
        streams = self.runtime.service(Streams)
        config = uvicorn.Config(
            create_app(self.runtime),
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        self._server = Server(config, streams)
        streams.start()
        serving = {"sockets": [self._listening]}
        self._thread = threading.Thread(target=self._server.run, kwargs=serving, name="portals", daemon=True)
        self._thread.start()
        stack.callback(self.serving_ends)
        until("the server", lambda: self._server.started)


def _do(work: Work, onboarding_id: UUID, deed: Deed) -> None:
    proof = Evidenced(statement=deed.statement) if deed.statement else None
    if deed.verb == "decide":
        said: dict[str, Any] = {"decision": deed.decision, "reason": deed.statement}
        operations.decide_gate(work, onboarding_id=onboarding_id, gate=deed.key, **said)
    elif deed.verb == "prove":
        operations.prove_milestone(work, onboarding_id=onboarding_id, milestone=deed.key, evidence=proof or Evidenced())
    else:
        given: dict[str, Any] = {"answers": deed.answers, "evidence": proof}
        operations.complete_task(work, onboarding_id=onboarding_id, task=deed.key, **given)


class Working:
    """Does what is due, in a thread, at each ring of the wake-up line."""

    def __init__(self, runtime: Runtime, redis_url: str) -> None:
        self._runtime = runtime
        self._bell = Doorbell(redis_url, JOBS)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="working", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_trouble: object) -> None:
        self._ended.set()
        self._bell.ring()
        self._thread.join(_PATIENCE)
        self._bell.close()

    def _work(self) -> None:
        while not self._ended.is_set():
            drain(self._runtime, SUBSCRIPTIONS)
            self._bell.wait(0.2)
