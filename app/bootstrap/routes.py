"""Which doors there are. A capability's new controller is one line in `CONTROLLERS`; its doors name themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from litestar import Litestar, Request, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler, Message, Scope

from app.access.api.doors import DelegationDoors
from app.access.api.overview import AccessDoors, ExplanationDoors
from app.access.pages import AccessPages, MyAccessPages, RolePages
from app.access.require import StepUpNeeded
from app.audit.api.doors import TrailDoors
from app.audit.pages import TrailPages
from app.bootstrap.health import ProbeDoors, Readiness, Signals
from app.bootstrap.services.links import Reached, link_services
from app.connectors.drift.doors.api import DriftDoors
from app.connectors.drift.doors.pages import DriftPages
from app.connectors.inbound.api.doors import HookDoors
from app.connectors.inbound.pages.doors import HookPages
from app.connectors.pages import ConnectionPages, ConnectionReturn
from app.connectors.pillars.api.doors import IntegrationDoors
from app.connectors.pillars.pages.doors import IntegrationPages
from app.connectors.settings.api import RunDoors, SettingsDoors
from app.connectors.settings.pages import SettingsPages
from app.connectors.webhooks.api.care import WebhookCareDoors
from app.connectors.webhooks.api.doors import WebhookDoors
from app.connectors.webhooks.pages.doors import WebhookPages
from app.identity.machines.api.accounts import PartnerAccountDoors, TenantAccountDoors
from app.identity.machines.api.oauth import MetadataDoor, TokenDoors
from app.identity.machines.pages.doors import PartnerAccountPages, TenantAccountPages
from app.identity.machines.queries import find_bearer
from app.identity.pages import SignInPages, SignOutPages, choose_preferences
from app.identity.people.hub import PartnerHub, WorkspaceHub
from app.identity.people.pages import PeoplePages, StaffPages
from app.identity.queries import find_visit
from app.identity.scim.doors.directory import serve_directory
from app.identity.scim.queries import find_directory
from app.identity.scim.setup.pages import MemberDirectoryPages, StaffDirectoryPages
from app.identity.sso.entering.pages import ProviderDoors
from app.identity.sso.setup.pages import CustomerProviderPages, StaffProviderPages
from app.identity.step_up.operations import CodeWrong
from app.identity.step_up.pages import AccountPages, StepUpPages, ask_again, look_at_code
from app.intake.api import Hooks
from app.kernel.runtime import Runtime
from app.marketplace.api.doors import MarketDoors
from app.marketplace.api.offers import OfferDoors
from app.marketplace.api.reviews import ReviewDoors
from app.marketplace.pages.imports import ImportPages
from app.marketplace.pages.market import MarketPages
from app.marketplace.pages.offers import OfferPages
from app.marketplace.pages.reviews import ReviewPages
from app.notifications.pages import InboxPages, SandboxMailPages
from app.onboarding.api.commands import CommandDoors
from app.onboarding.api.course import CourseDoors
from app.onboarding.api.doors import OnboardingDoors, OnboardingParts
from app.onboarding.api.exceptions import ExceptionDoors
from app.onboarding.api.packet import PacketDoors
from app.onboarding.dates.api import ScheduleDoors
from app.onboarding.dates.pages import DatePages
from app.onboarding.dates.times import TimePages
from app.onboarding.feeds.pages import FeedDoors, FeedForms
from app.onboarding.files.doors.api import FileDoors
from app.onboarding.files.doors.pages import FilePages
from app.onboarding.handing.api import CredentialDoors
from app.onboarding.handing.pages import CredentialForms
from app.onboarding.lifecycle.api import LifecycleDoors
from app.onboarding.migration.api import MigrationDoors
from app.onboarding.migration.pages import MigrationPages
from app.onboarding.pages import CourseForms, ExceptionForms, HomePages, OnboardingForms, OnboardingPages
from app.onboarding.parts.api import PartDoors
from app.onboarding.parts.pages import PartForms
from app.onboarding.queues.api import WorkDoors
from app.onboarding.queues.many import ManyPages
from app.onboarding.queues.pages import OwnerForms, WorkPages
from app.onboarding.signing.api import SignatureDoors
from app.onboarding.signing.pages import SignatureForms
from app.onboarding.talk.api.doors import CommentDoors, ReminderDoors, WatchDoors
from app.onboarding.talk.pages import CommentPages
from app.onboarding.trying.pages import TrialPages
from app.onboarding.upgrades.doors.api import UpgradeDoors
from app.onboarding.upgrades.doors.pages import UpgradePages
from app.partners.pages import BrandFiles
from app.templates.api.doors import TemplateDoors
from app.templates.packages.editor.pages import EditorPages
from app.templates.packages.pages import PackagePages
from app.templates.pages import CataloguePages
from app.templates.studio.pages import ComparePages, DraftPages, SimulationPages, StartPages
from app.templates.upgrades.pages import LinePages
from app.tenancy.api.doors import TenantDoors
from app.tenancy.api.ending import EndingDoors
from app.tenancy.api.exports import ExportDoors
from app.tenancy.api.imports import ImportDoors
from app.tenancy.care.pages import JobPages
from app.tenancy.pages import GalleryPages
from app.web.assets import DIST
from app.web.begin import Doorkeeper
from app.web.guard.backlog import Backlog
from app.web.guard.doors import enforce_door, provide_form, require_doors
from app.web.guard.limits import Limiter
from app.web.responses import EXCEPTION_HANDLERS
from app.web.security import MAX_BODY
from app.web.wire.openapi import DocumentPlugin
from tenants.engines import Databases

OPENAPI = "/api/openapi.json"
CONTROLLERS: Sequence[ControllerRouterHandler] = (
    ProbeDoors,
    BrandFiles,
    SignInPages,
    SignOutPages,
    choose_preferences,
    AccountPages,
    StepUpPages,
    PeoplePages,
    StaffPages,
    PartnerHub,
    WorkspaceHub,
    TokenDoors,
    MetadataDoor,
    PartnerAccountDoors,
    TenantAccountDoors,
    PartnerAccountPages,
    TenantAccountPages,
    serve_directory,
    StaffDirectoryPages,
    MemberDirectoryPages,
    ProviderDoors,
    StaffProviderPages,
    CustomerProviderPages,
    Hooks,
    ConnectionPages,
    ConnectionReturn,
    HookPages,
    SettingsPages,
    DriftPages,
    IntegrationPages,
    WebhookPages,
    CataloguePages,
    LinePages,
    PackagePages,
    EditorPages,
    MarketPages,
    OfferPages,
    ImportPages,
    ReviewPages,
    StartPages,
    DraftPages,
    SimulationPages,
    ComparePages,
    TrialPages,
    HomePages,
    OnboardingPages,
    DatePages,
    TimePages,
    MigrationPages,
    UpgradePages,
    FeedForms,
    FilePages,
    FileDoors,
    FeedDoors,
    CommentPages,
    OnboardingForms,
    WorkPages,
    OwnerForms,
    ManyPages,
    CourseForms,
    PartForms,
    CredentialForms,
    SignatureForms,
    ExceptionForms,
    InboxPages,
    SandboxMailPages,
    TenantDoors,
    EndingDoors,
    ExportDoors,
    ImportDoors,
    OnboardingDoors,
    OnboardingParts,
    CommandDoors,
    CourseDoors,
    PacketDoors,
    PartDoors,
    CredentialDoors,
    SignatureDoors,
    LifecycleDoors,
    ExceptionDoors,
    WorkDoors,
    CommentDoors,
    WatchDoors,
    ReminderDoors,
    ScheduleDoors,
    MigrationDoors,
    UpgradeDoors,
    HookDoors,
    SettingsDoors,
    DriftDoors,
    IntegrationDoors,
    RunDoors,
    WebhookDoors,
    WebhookCareDoors,
    TemplateDoors,
    MarketDoors,
    OfferDoors,
    ReviewDoors,
    AccessPages,
    MyAccessPages,
    RolePages,
    DelegationDoors,
    ExplanationDoors,
    AccessDoors,
    TrailDoors,
    TrailPages,
    GalleryPages,
    JobPages,
)


class ReachedAt(Reached, Protocol):
    """The settings that doors need; `app.settings.Settings` has them."""

    @property
    def redis_url(self) -> str:
        """Where the wake-up line and the counters of requests are."""

    @property
    def rate_scale(self) -> int:
        """What every limit of requests is multiplied by."""

    @property
    def queue_age(self) -> int:
        """Seconds a job may wait before nothing new is begun; 0: for ever."""

    @property
    def worker_threads(self) -> int:
        """Jobs one worker runs at the same time."""


def door_services(databases: Databases, settings: ReachedAt) -> dict[type, object]:
    """What doors ask the Runtime for by type; `Mailer` comes from who can send mail."""
    return {
        Doorkeeper: Doorkeeper(find_visit, find_bearer, find_directory, look_at_code),
        Readiness: Readiness(databases, settings.redis_url),
        Backlog: Backlog(databases, settings.queue_age),
        Signals: Signals(databases, settings.worker_threads, settings.queue_age),
        Limiter: Limiter(settings.redis_url, scale=settings.rate_scale, key=databases.key.secret),
        **link_services(databases, settings),
    }


def make_application(runtime: Runtime | None, controllers: Sequence[ControllerRouterHandler] = CONTROLLERS) -> Litestar:
    """Every door, guarded; without a runtime only for its document. Raises LookupError for a route without a door."""
    app = Litestar(
        route_handlers=[*controllers, _static_files()],
        guards=[enforce_door],
        before_send=[_tell_all_methods, _tell_standing],
        exception_handlers={**EXCEPTION_HANDLERS, StepUpNeeded: ask_again, CodeWrong: ask_again},
        dependencies={"form": Provide(provide_form)},
        state=State({"runtime": runtime}),
        request_max_body_size=MAX_BODY,
        openapi_config=_openapi(),
        logging_config=None,
        debug=False,
    )
    require_doors(app)
    return app


async def _tell_all_methods(message: Message, scope: Scope) -> None:
    """Litestar answers OPTIONS with the methods of the first handler of a path; here are those of all of them."""
    if message["type"] != "http.response.start" or scope.get("method") != "OPTIONS":
        return
    routes = [route for route in scope["litestar_app"].routes if isinstance(route, HTTPRoute)]
    mine = [route for route in routes if route.path_format == scope.get("path_template")]
    methods = sorted({str(method) for route in mine for method in route.methods})
    headers = [(name, value) for name, value in message["headers"] if name.lower() != b"allow"]
    message["headers"] = [*headers, (b"allow", ", ".join(methods).encode())]


async def _tell_standing(message: Message, scope: Scope) -> None:
    """How the sender stands with its limit of requests, in each answer that was counted."""
    standing = scope["state"].get("standing")
    if message["type"] == "http.response.start" and standing is not None:
        told = [(name.encode(), value.encode()) for name, value in standing.headers().items()]
        message["headers"] = [*message["headers"], *told]


def _static_files() -> Router:
    """Built under names that hold their content's hash, so they may be kept for ever."""
    kept = CacheControlHeader(max_age=31_536_000, public=True, immutable=True)
    DIST.mkdir(parents=True, exist_ok=True)  # a fresh checkout has built nothing yet; its pages say so
    return create_static_files_router(
        path="/static",
        directories=[DIST],
        cache_control=kept,
        opt={"door": "public", "quota": None},
        include_in_schema=False,
        before_request=_nameable,
    )


async def _nameable(request: Request) -> None:  # type: ignore[type-arg]  # Litestar inspects the plain name
    """A name with a NUL in it is no file's, and asking the system for it is an error rather than an answer."""
    if "\x00" in request.scope["path"]:
        raise NotFoundException


def _openapi() -> OpenAPIConfig:
    """OpenAPI 3.1 of the JSON doors, at one address and without any page of a third party."""
    router = Router(
        "/api",
        route_handlers=[],
        opt={"door": "public"},
        include_in_schema=False,
        before_request=partial(_only, OPENAPI),
    )
    return OpenAPIConfig(
        title="Onboarding API",
        version="1",
        path="/api",
        render_plugins=[DocumentPlugin()],
        openapi_router=router,
        use_handler_docstrings=True,
    )


async def _only(path: str, request: Request) -> None:  # type: ignore[type-arg]  # Litestar inspects the plain name
    """Litestar adds doors of its own beside the document; they are not ours to show."""
    if request.url.path != path:
        raise NotFoundException
