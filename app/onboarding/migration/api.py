"""The JSON doors of migrations: which versions there are, a dry run, propose, agree or decline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.permissions import Permission
from app.access.require import NotPermitted, require
from app.flow.decide import OnboardingEnded
from app.flow.migration.asking import MigrationNotProposed, MigrationWaits, SameVersion
from app.flow.migration.migrate import MigrationRefused
from app.flow.steps.holds import OnHold
from app.flow.steps.work import ReasonNeeded
from app.kernel.commands import CommandKeyReused
from app.kernel.work import TenantNotActive, TenantUpgrading, Work
from app.onboarding.api.answers import Command, answer_seen, once, see
from app.onboarding.migration import operations
from app.onboarding.migration.operations import MapUnfit, NotRunning, PlanMoved
from app.onboarding.migration.queries import plan_out, read_migration
from app.onboarding.migration.schemas import Decided, MigrationOut, PlanOut, PlanQuery, Proposed
from app.onboarding.migration.versions import OtherTemplate, Target, Version, find_target, list_versions
from app.onboarding.operations.reporting import OnboardingStale
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.templates.queries import TemplateMissing
from app.templates.rules import TemplateRefused
from app.web.begin import NothingHere, NotSignedIn, begin_work, runtime_of
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told, described
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
    read_body,
    read_query,
)

PageRequest = Request[Any, Any, Any]


_NEW = "sha256:2f1c9d"
_WAITING = {
    "definition": _NEW,
    "version": "1.3.0",
    "plan": "sha256:77aa01",
    "reason": "The kickoff is shorter now",
    "by": "person:0196f0a1-7c1e-7b52-b1de-0c9a8f7e6d5c",
    "at": "2026-11-25T10:12:00Z",
    "still": True,
}
_OFFER = {"to": _NEW, "version": "1.3.0", "title": "Managed services", "published_at": "2026-11-24T08:00:00Z"}
_SHOWN: dict[str, Any] = {"seq": 4, "definition": "sha256:11aa", "version": "1.2.0", "versions": [_OFFER]}
_SHOWN |= {"waiting": _WAITING, "made": []}
_FATE = {"fate": "kept", "was": "task.kickoff", "becomes": "task.first_meeting", "state": "done"}
_PLAN: dict[str, Any] = {
    "plan": "sha256:77aa01",
    "definition": _NEW,
    "version": "1.3.0",
    "items": [_FATE],
    "values": [],
}
_PLAN |= {"problems": [], "opens": ["task.pilot"], "moves": [], "ends": False}
_HERE = (NotSignedIn, NotPermitted, NothingHere, OnboardingMissing, TenantNotActive, TenantUpgrading)
_CHOSEN = (TemplateMissing, TemplateRefused, OtherTemplate, SameVersion, NotRunning, OnHold)
_SENT = (
    *(NotFromHere, BodyUnreadable, BodyUnfit, MediaTypeUnknown, IdempotencyKeyMissing, IdempotencyKeyUnfit),
    *(CommandKeyReused, PreconditionMissing, PreconditionUnfit, OnboardingStale),
)
_DONE = Told("What runs and what waits now.", MigrationOut, headers=("ETag", "Idempotency-Replayed"), example=_SHOWN)
_READ = Described(
    answers={200: Told("What runs, what is on offer, what waits.", MigrationOut, headers=("ETag",), example=_SHOWN)},
    problems=_HERE,
    scopes=(Permission.ONBOARDING_WRITE,),
)
_TRY = Described(
    answers={200: Told("What it would do now.", PlanOut, headers=("ETag",), example=_PLAN)},
    query=PlanQuery,
    problems=(*_HERE, *_CHOSEN, QueryUnfit, MapUnfit),
    scopes=(Permission.ONBOARDING_WRITE,),
)
_PROPOSE = Described(
    answers={200: _DONE},
    takes=Proposed,
    example={"to": _NEW, "plan": "sha256:77aa01", "reason": "The kickoff is shorter now", "map": {}},
    headers=("Idempotency-Key", "If-Match"),
    problems=(*_HERE, *_CHOSEN, *_SENT, PlanMoved, MigrationRefused, MigrationWaits, ReasonNeeded),
    scopes=(Permission.ONBOARDING_WRITE,),
)
_DECIDE = Described(
    answers={200: _DONE},
    takes=Decided,
    example={"agreed": True, "plan": "sha256:77aa01"},
    headers=("Idempotency-Key", "If-Match"),
    problems=(
        *(*_HERE, *_SENT, PersonNeeded, SecondPersonNeeded, MigrationNotProposed, PlanMoved, MigrationRefused),
        *(ReasonNeeded, NotRunning, OnHold, OnboardingEnded),
    ),
    scopes=(Permission.ONBOARDING_WRITE,),
)


class MigrationDoors(Controller):
    """The version that one onboarding runs, and the way to another."""

    path = "/api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/migration"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/", operation_id="onboardings.migration", operation_class=described(_READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Read which version it runs, which others there are, what waits for a decision and what was done before."""
        published = offered(request, tenant_id, onboarding_id)
        with begin_work(request, tenant_id) as work:
            picture = see(request, work, onboarding_id)
            return answer_seen(picture, read_migration(work, picture, published))

    @get("/plan", operation_id="onboardings.tryMigration", operation_class=described(_TRY), sync_to_thread=True)
    def plan(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Look at what going on with a version would do to each item, value and date. Nothing is changed."""
        asked = read_query(request, PlanQuery)
        wanted = operations.read_map(asked.map)
        target = choose(request, tenant_id, onboarding_id, asked.to)
        with begin_work(request, tenant_id) as work:
            found = operations.try_migration(work, onboarding_id=onboarding_id, target=target, wanted=wanted)
            picture = see(request, work, onboarding_id)
            return answer_seen(picture, plan_out(found, picture.state))

    @post(
        "/",
        operation_id="onboardings.proposeMigration",
        operation_class=described(_PROPOSE),
        status_code=200,
        sync_to_thread=True,
    )
    def propose(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Ask another person to agree to the plan you have looked at. In a sandbox it is done at once."""
        said = read_body(request, body, Proposed)
        published = offered(request, tenant_id, onboarding_id)
        wish: dict[str, Any] = {
            "wanted": said.map.of_engine(),
            "target": choose(request, tenant_id, onboarding_id, said.to),
        }

        def perform(work: Work) -> None:
            wished = {"reason": said.reason, "seen": said.plan} | wish
            operations.propose_migration(work, onboarding_id=onboarding_id, **wished)

        return once(request, tenant_id, _command(onboarding_id, said, perform, published))

    @post(
        "/decision",
        operation_id="onboardings.decideMigration",
        operation_class=described(_DECIDE),
        status_code=200,
        sync_to_thread=True,
    )
    def decide(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Agree to what somebody else proposed, naming its plan, and it is done; or decline it with a reason."""
        said = read_body(request, body, Decided)
        published = offered(request, tenant_id, onboarding_id)

        def perform(work: Work) -> None:
            operations.decide_migration(
                work, onboarding_id=onboarding_id, agreed=said.agreed, seen=said.plan, reason=said.reason
            )

        return once(request, tenant_id, _command(onboarding_id, said, perform, published))


def offered(request: PageRequest, tenant_id: UUID, onboarding_id: UUID) -> list[Version]:
    """The published versions, read between two transactions of the tenant: never in one with it.

    Raises NotPermitted, OnboardingMissing.
    """
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        running = see(request, work, onboarding_id).definition
        organisation_id = work.tenant.organisation_id
    return list_versions(runtime_of(request), organisation_id, running)


def choose(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, to: str) -> Target:
    """The version of that address. Raises NotPermitted, OnboardingMissing, TemplateRefused."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        see(request, work, onboarding_id)
        organisation_id = work.tenant.organisation_id
    return find_target(runtime_of(request), organisation_id, to)


def _command(
    onboarding_id: UUID, said: msgspec.Struct, perform: Callable[[Work], None], published: list[Version]
) -> Command:
    def shown(work: Work, picture: Picture, _made: object) -> MigrationOut:
        return read_migration(work, picture, published)

    return Command(onboarding_id, said, perform, shown)
