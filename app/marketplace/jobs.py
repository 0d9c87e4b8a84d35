"""The queue door of the marketplace: what a home has decided is carried to `control`, and to whom it concerns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from app.kernel.outcomes import Done, GiveUp, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry
from app.marketplace import events
from app.marketplace.operations import following
from app.marketplace.operations.following import PackageExchanged, Signing, Told
from app.marketplace.operations.outcomes import tell_publisher, tell_reviewers
from app.marketplace.operations.telling import tell_holders, tell_of_end
from app.marketplace.queries.offers import is_operator
from app.marketplace.rules import State
from app.templates.queries import get_pinned
from app.vault.keyring import Keyring
from app.vault.operations.package_keys import package_key
from tenants.sessions import partner_session

_OPERATOR: Final = "operator"  # what the installation's own key is called: no partner's page says the platform's name
_ENDINGS = {
    events.VersionDeclined.type: State.DECLINED,
    events.VersionDeprecated.type: State.DEPRECATED,
    events.VersionWithdrawn.type: State.WITHDRAWN,
    events.VersionTakenDown.type: State.TAKEN_DOWN,
}
_WORDS = {events.ListingRated.type: "rating", events.ListingReported.type: "report"}


@job("marketplace.follow", lease=timedelta(seconds=60))
def follow(run: JobRun, *, event_id: str) -> Outcome:
    """Something was done in this home: `control` follows, and whoever has the version is told of its end."""
    with run.work() as work:
        entry = get_entry(work.session, UUID(event_id))
        by = {"id": str(entry.actor_id), "name": entry.actor_name}
        told = Told(entry.id, entry.subject_id, entry.at, by, entry.reason or "", dict(entry.body))
    return _FOLLOWED.get(entry.action, _nothing)(run, told, entry.action)


def _submit(run: JobRun, told: Told, _action: str) -> Outcome:
    operator = _is_operator(run)
    with run.work() as work:
        addresses = (told.body["digest"], *told.body["overlays"])
        documents = [dict(get_pinned(work.session, each).document) for each in addresses]
    following.follow_submission(run.runtime, run.tenant, told, documents, _signing(run, operator), operator=operator)
    tell_reviewers(run.runtime, run.tenant, told, **_who(run))
    return Done()


def _approve(run: JobRun, told: Told, _action: str) -> Outcome:
    """Only the operator's home decides for all."""
    if not _is_operator(run):
        return GiveUp("Only the operator approves.")
    try:
        following.follow_approval(run.runtime, run.tenant, told, _signing(run, operator=True))
    except PackageExchanged as trouble:
        return GiveUp(trouble.message)
    tell_publisher(run.runtime, run.tenant, told, State.LISTED, **_who(run))
    return Done()


def _end(run: JobRun, told: Told, action: str) -> Outcome:
    state = _ENDINGS[action]
    following.follow_ending(run.runtime, run.tenant, told, state)
    tell = tell_publisher if state is State.DECLINED else tell_holders
    tell(run.runtime, run.tenant, told, state, **_who(run))
    return Done()


def _install(run: JobRun, told: Told, _action: str) -> Outcome:
    following.follow_install(run.runtime, run.tenant, told)
    tell_of_end(run.runtime, run.tenant, told.subject_id, since=told.at, **_who(run))
    return Done()


def _say(run: JobRun, told: Told, action: str) -> Outcome:
    following.follow_word(run.runtime, run.tenant, told, kind=_WORDS[action])
    return Done()


def _nothing(_run: JobRun, _told: Told, _action: str) -> Outcome:
    return GiveUp("Nothing follows this entry.")


def _who(run: JobRun) -> dict[str, Any]:
    """As whom others are told."""
    return {"actor": run.actor, "trace_id": run.job.trace_id}


def _is_operator(run: JobRun) -> bool:
    with partner_session(run.runtime.databases, run.tenant.organisation_id, actor=run.actor.label) as (session, _now):
        return is_operator(session, run.tenant.organisation_id)


def _signing(run: JobRun, operator: bool) -> Signing:  # noqa: FBT001 - a fact of the home
    name = _OPERATOR if operator else run.tenant.name.replace("+", " ").strip()[:100]
    with run.work() as work:
        return Signing(*package_key(work, run.runtime.service(Keyring), name=name))


_FOLLOWED: Final = {
    events.VersionSubmitted.type: _submit,
    events.VersionApproved.type: _approve,
    events.VersionInstalled.type: _install,
    **dict.fromkeys(_ENDINGS, _end),
    **dict.fromkeys(_WORDS, _say),
}
