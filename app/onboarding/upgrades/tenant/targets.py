"""What each onboarding of a workspace goes on with: the version, with what that onboarding was sold with upon it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.onboarding.migration.versions import Target
from app.onboarding.queries.stored import find_onboarding
from app.onboarding.sold import on_another, sold_of
from app.onboarding.upgrades.rules import Line
from tenants.tenant import Tenant


@dataclass(frozen=True, slots=True)
class Targets:
    """The version for all, and for those that were sold with a package their own; or why there is none for one."""

    plain: Target
    own: Mapping[UUID, Target | SlipwayError] = field(default_factory=dict)

    def of(self, line: Line) -> Target:
        """The onboarding's own. Raises TemplateRefused, TemplateMissing where what was sold does not fit."""
        found = self.own.get(line.onboarding, self.plain)
        if isinstance(found, SlipwayError):
            raise found
        return found


def targets_for(
    runtime: Runtime, tenant: Tenant, actor: Actor, plain: Target, lines: Sequence[Line], *, trace_id: str
) -> Targets:
    """Look what each was sold with, then, outside of the workspace's transaction, put that upon the version."""
    sold: dict[UUID, str] = {}
    try:
        with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
            for line in lines:
                kept = sold_of(find_onboarding(work.session, line.onboarding).deal)
                if kept is not None:
                    sold[line.onboarding] = json.dumps(kept, sort_keys=True)
    except SlipwayError:
        return Targets(plain)  # the step itself meets the same, and says so of each

    @cache  # of one workspace, in one step
    def upon(kept: str) -> Target | SlipwayError:
        if plain.effective is None:
            return plain
        try:
            found = on_another(runtime, tenant.organisation_id, plain.effective, json.loads(kept))
        except SlipwayError as error:
            return error
        return Target(plain.to, found)

    return Targets(plain, {onboarding: upon(kept) for onboarding, kept in sold.items()})
