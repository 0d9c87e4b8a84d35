"""`slipway onboardings migrate`: look at going on with another version of a template, or propose it to the partner.

Without `--apply` nothing is changed. With it each is a proposal that a person of the partner agrees to or declines; in
a sandbox it is done. Repeatable: what runs the version or waits for a decision already is counted and left as it is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from uuid import UUID

from app.flow.events import MigrationMap
from app.flow.migration.plan import MigrationPlan
from app.kernel.errors import Invalid, SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.onboarding.migration.operations import read_map
from app.onboarding.migration.operator import Outcome, list_running, propose_as_operator
from app.onboarding.migration.versions import Target, find_target
from app.onboarding.queries.stored import definition_of, find_onboarding
from app.onboarding.sold import sold_of
from app.templates.queries import list_published
from tenants.sessions import partner_session
from tenants.tenant import Tenant

Enter = Callable[[Tenant, str], AbstractContextManager[Work]]


class NothingChosen(Invalid):
    """Neither onboardings nor a version whose onboardings are meant."""


class ReasonMissing(Invalid):
    """A proposal is made for a reason."""


def migrate_parser(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to its parser."""
    parser = actions.add_parser("migrate", help="dry run, or a proposal, to go on with another version of the template")
    parser.add_argument("onboardings", type=UUID, nargs="*", metavar="ONBOARDING", help="their ids")
    parser.add_argument("--template", metavar="ID", help="instead of ids: all that run a version of this template")
    parser.add_argument("--from", dest="version", metavar="VERSION", help="that version")
    parser.add_argument("--tenant", type=UUID, help="in this workspace only")
    parser.add_argument("--to", required=True, metavar="VERSION", help="a published version, or an address")
    parser.add_argument("--map", type=Path, metavar="FILE", help="JSON: items, dropped, values")
    parser.add_argument("--apply", action="store_true", help="propose it to the partner; in a sandbox it is done")
    parser.add_argument("--reason", help="kept in the journal and the trail")


def run_migrate(chosen: argparse.Namespace, runtime: Runtime, tenants: Iterable[Tenant], enter: Enter) -> int:
    """Each onboarding with its result, and counts that add up; 1 where one was refused.

    Raises NothingChosen, ReasonMissing, and what an unreadable map does.
    """
    if chosen.apply and not (chosen.reason or "").strip():
        raise ReasonMissing("Say with --reason why these onboardings go on with another version.")
    if not chosen.onboardings and not (chosen.template and chosen.version):
        raise NothingChosen("Name onboardings, or --template and --from.")
    wanted = read_map(chosen.map.read_text("utf-8")) if chosen.map else MigrationMap()
    targets = cache(partial(_target, runtime, chosen.to))
    counted: Counter[str] = Counter()
    for number, (tenant, onboarding_id) in enumerate(_chosen(chosen, tenants, enter), start=1):
        with enter(tenant, "migrate") as work:
            onboarding = find_onboarding(work.session, onboarding_id)
            template, sold = definition_of(work, onboarding.definition_digest).id, sold_of(onboarding.deal)
        target = partial(targets, tenant.organisation_id, template, json.dumps(sold, sort_keys=True))
        outcome = _one(tenant, onboarding_id, target, enter, chosen, wanted)
        counted[outcome.word] += 1
        _say(tenant, onboarding_id, outcome, whole=len(chosen.onboardings) == 1)
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number} looked at")
    told = ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))
    print(f"{counted.total()} looked at{': ' if told else ''}{told}.")
    missing = len(set(chosen.onboardings)) - counted.total() if chosen.onboardings else 0
    if missing:
        print(f"{missing} not found in any workspace that can be entered.")
    return int(bool(counted["refused"] or missing))


def _one(  # the parts of one try, by name
    tenant: Tenant,
    onboarding_id: UUID,
    target: Callable[[], Target],
    enter: Enter,
    chosen: argparse.Namespace,
    wanted: MigrationMap,
) -> Outcome:
    reason = chosen.reason if chosen.apply else None
    try:
        found = target()
        with enter(tenant, "migrate") as work:
            return propose_as_operator(work, onboarding_id=onboarding_id, target=found, wanted=wanted, reason=reason)
    except SlipwayError as error:
        return Outcome(word="refused", why=error.message)


def _chosen(chosen: argparse.Namespace, tenants: Iterable[Tenant], enter: Enter) -> Iterator[tuple[Tenant, UUID]]:
    """Where each is, one workspace after the other."""
    wanted = set(chosen.onboardings)
    for tenant in tenants:
        with enter(tenant, "migrate") as work:
            if wanted:
                found = [each for each in sorted(wanted) if _is_here(work, each)]
            else:
                found = list_running(work, template=chosen.template, version=chosen.version)
        yield from ((tenant, each) for each in found)
        wanted -= set(found)
        if chosen.onboardings and not wanted:
            return


def _is_here(work: Work, onboarding_id: UUID) -> bool:
    try:
        find_onboarding(work.session, onboarding_id)
    except SlipwayError:
        return False
    return True


def _target(runtime: Runtime, to: str, organisation_id: UUID, template: str, sold: str) -> Target:
    """A version's address by its number; an address is one already. `sold` is JSON, so that it can be remembered."""
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        published = list_published(session, organisation_id, template)
    address = next((each.digest for each in published if each.version == to), to)
    return find_target(runtime, organisation_id, address, json.loads(sold))


def _say(tenant: Tenant, onboarding_id: UUID, outcome: Outcome, *, whole: bool) -> None:
    why = f": {outcome.why}" if outcome.why else ""
    print(f"{tenant.id} {onboarding_id} {outcome.word}{why}")
    if whole and outcome.plan is not None:
        for line in _shown(outcome.plan):
            print(f"  {line}")


def _shown(plan: MigrationPlan) -> Iterator[str]:
    yield f"to version {plan.version}, {plan.definition}; plan {plan.address}"
    kept = plan.of("kept")
    yield f"kept: {len(kept)} items, {sum(line.state in {'done', 'skipped'} for line in kept)} of them finished"
    for line in plan.lines:
        if line.fate != "kept" or line.was != line.becomes:
            went = f"{line.was} → {line.becomes}" if line.was and line.becomes else line.becomes or line.was
            yield f"{line.fate.replace('_', ' ')}: {went}{f' ({line.state})' if line.state else ''}"
    yield from (f"other value: {place}" for place in plan.values)
    yield from (f"settle first: {each.place}: {each.reason}" for each in plan.problems)
