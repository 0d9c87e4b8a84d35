"""The JSON doors of migrations: which versions there are, a dry run, propose, agree or decline."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.di import NamedDependency
from litestar.params import RawBody

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
from app.onboarding.api.answers import ASKED, Asked, Show
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.migration import operations
from app.onboarding.migration.operations import MapUnfit, NotRunning, PlanMoved
from app.onboarding.migration.queries import plan_out, read_migration
from app.onboarding.migration.schemas import Decided, MigrationOut, PlanOut, PlanQuery, Proposed
from app.onboarding.migration.versions import OtherTemplate, Target, Version, find_target, list_versions
from app.onboarding.operations.reporting import OnboardingStale
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.sold import sold_of
from app.templates.queries import TemplateMissing
from app.templates.rules import TemplateRefused
from app.web.begin import NothingHere, NotSignedIn, begin_work, runtime_of
from app.web.security import NotFromHere
from app.web.wire.doors import commands, reads
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
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

    path = f"{ONBOARDING}/migration"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @reads("/", "onboardings.migration", _READ)
    def read(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """Read which version it runs, which others there are, what waits for a decision and what was done before."""
        return of.show(_shown(of))

    @reads("/plan", "onboardings.tryMigration", _TRY)
    def plan(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """Look at what going on with a version would do to each item, value and date. Nothing is changed."""
        asked = read_query(of.request, PlanQuery)
        wanted, target = operations.read_map(asked.map), choose(of.request, of.tenant_id, of.onboarding_id, asked.to)

        def shown(work: Work, picture: Picture) -> PlanOut:
            to = of.onboarding_id
            found = operations.try_migration(work, onboarding_id=to, target=target, wanted=wanted)
            return plan_out(found, picture.state)

        return of.show(shown)

    @commands("/", "onboardings.proposeMigration", _PROPOSE)
    def propose(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Ask another person to agree to the plan you have looked at. In a sandbox it is done at once."""
        of.headers()
        said = of.read(body, Proposed)
        wish: dict[str, Any] = {"wanted": said.map.of_engine(), "reason": said.reason, "seen": said.plan}
        wish["target"] = choose(of.request, of.tenant_id, of.onboarding_id, said.to)
        return of.once(said, partial(operations.propose_migration, onboarding_id=of.onboarding_id, **wish), _shown(of))

    @commands("/decision", "onboardings.decideMigration", _DECIDE)
    def decide(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Agree to what somebody else proposed, naming its plan, and it is done; or decline it with a reason."""
        of.headers()
        said = of.read(body, Decided)
        word: dict[str, Any] = {"agreed": said.agreed, "seen": said.plan, "reason": said.reason}
        return of.once(said, partial(operations.decide_migration, onboarding_id=of.onboarding_id, **word), _shown(of))


def offered(request: PageRequest, tenant_id: UUID, onboarding_id: UUID) -> list[Version]:
    """The published versions, read between two transactions of the tenant: never in one with it.

    Raises NotPermitted, OnboardingMissing.
    """
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        picture = _see(request, tenant_id, onboarding_id, work)
        organisation_id, sold = work.tenant.organisation_id, sold_of(picture.onboarding.deal)
    return list_versions(runtime_of(request), organisation_id, picture.definition, sold)


def choose(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, to: str) -> Target:
    """The version of that address. Raises NotPermitted, OnboardingMissing, TemplateRefused."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.ONBOARDING_WRITE)
        sold = sold_of(_see(request, tenant_id, onboarding_id, work).onboarding.deal)
        organisation_id = work.tenant.organisation_id
    return find_target(runtime_of(request), organisation_id, to, sold)


def _shown(of: Asked) -> Show:
    published = offered(of.request, of.tenant_id, of.onboarding_id)

    def shown(work: Work, picture: Picture) -> MigrationOut:
        return read_migration(work, picture, published)

    return shown


def _see(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, work: Work) -> Picture:
    return Asked(request, tenant_id, onboarding_id).see(work)
