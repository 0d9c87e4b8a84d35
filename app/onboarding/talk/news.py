"""What those who watch are told: one letter to each about all that others did in a quarter of an hour."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.queries.explaining import Assigned, find_assigned, rights_of
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Definition
from app.identity.queries import Person, find_reader
from app.kernel.queue.jobs import JobRun
from app.kernel.trail import TrailLine, list_entries
from app.kernel.work import Work
from app.notifications.operations import Letter, queue_letter
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing, plan_of, state_of
from app.onboarding.queries.story import facts_line, story_line
from app.onboarding.talk.watching import WHOLE, News, take_news, watched_by, watching_at_all
from app.web.translations import negotiate, translations

SYSTEM_ONLY = {"write_to_watchers": "called by the job that tells those who watch; whom it tells is asked for each"}
_SHOWN = 20  # lines of a letter; the page has the others


@dataclass(frozen=True, slots=True)
class _Reader:
    """Somebody who watches, and what is assigned to them beside their place in the workspace."""

    person: Person
    assigned: list[Assigned]


def write_to_watchers(run: JobRun, onboarding_id: UUID) -> None:
    """A letter to each who watches and may still see it, about what others did. Nothing to tell is no letter."""
    with run.work() as work:
        onboarding = work.session.get(Onboarding, onboarding_id)
        watching = watching_at_all(onboarding) if onboarding else {}
    readers = [reader for one in watching if (reader := _reader(run, UUID(one)))]
    with run.finish() as work:
        try:
            onboarding = lock_onboarding(work, onboarding_id)
        except OnboardingMissing:
            return
        definition = plan_of(work, onboarding)
        news = take_news(onboarding)
        entries = {entry.id: entry for entry in list_entries(work.session, [one.entry for one in news])}
        for reader in readers:
            _write(work, onboarding, definition, reader, news=news, entries=entries)


def _reader(run: JobRun, person_id: UUID) -> _Reader | None:
    person = find_reader(run.runtime.databases, person_id)
    if person is None:
        return None
    return _Reader(person, find_assigned(run.runtime, person_id, run.tenant.organisation_id))


def _write(
    work: Work,
    onboarding: Onboarding,
    definition: Definition,
    reader: _Reader,
    *,
    news: Collection[News],
    entries: dict[UUID, TrailLine],
) -> None:
    rights = rights_of(work, reader.person.id, reader.assigned)
    places, theirs = watched_by(onboarding, reader.person.id), bool(rights & CUSTOMER_ROLES)
    if not can(rights, Permission.ONBOARDING_READ):
        return
    language = negotiate(None, reader.person.locale).language
    say = translations(language).gettext
    tenant = work.tenant
    picture = Picture(
        onboarding, definition, state_of(onboarding), tenant.id, tenant.name, work.now, say=say, language=language
    )
    heard = [entries[one.entry] for one in news if _concerns(one, places, theirs=theirs) and one.entry in entries]
    lines = [_line(entry, picture, theirs=theirs) for entry in heard if entry.actor_id != reader.person.id]
    if lines:
        text = "\n".join(dict.fromkeys(lines[-_SHOWN:]))
        facts = {"title": {language: onboarding.name}, "text": {language: text}, "onboarding": onboarding.name}
        queue_letter(work, Letter("watched", reader.person, facts | {"page": "/comments"}, onboarding.id))


def _concerns(news: News, places: frozenset[str], *, theirs: bool) -> bool:
    return not (theirs and news.staff) and bool({WHOLE, news.about or WHOLE} & places)


def _line(entry: TrailLine, picture: Picture, *, theirs: bool) -> str:
    """What happened, what it was about and who did it; reasons are for the partner's staff."""
    told = story_line(entry, picture)
    about = facts_line(entry.body, picture) if theirs else told["facts"]
    words = f"{told['what']}: {about}" if about else str(told["what"])
    return f"{words} ({told['by']})" if told["by"] else words
