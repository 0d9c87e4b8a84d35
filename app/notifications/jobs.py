"""The queue door of letters: read, make a fresh link, hand over, write down."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.identity.queries import find_reader
from app.kernel.errors import SlipwayError
from app.kernel.outcomes import Done, GiveUp, Outcome
from app.kernel.queue.jobs import JobRun, LeaseLost, job
from app.kernel.trail import get_entry
from app.notifications.compose import AddressUnusable
from app.notifications.drafting import draft_of
from app.notifications.links import letter_link
from app.notifications.operations import (
    Guest,
    Letter,
    get_queued,
    letter_of_connection,
    letter_of_endpoint,
    mark_failed,
    mark_kept,
    mark_sent,
    queue_checkpoint,
    queue_letter,
    readers_of,
)
from app.notifications.postroom import Postroom
from app.notifications.queries import StoredLetter, find_asker, list_owners
from app.notifications.smtp import MailRefused
from app.web.translations import LOCALES


@job("notifications.send_letter", attempts=10)
def send_letter(run: JobRun, *, message_id: str) -> Outcome:
    """Send one letter. The mail server may get it twice when a worker dies, with the same Message-ID."""
    letter_id = UUID(message_id)
    with run.work() as work:
        letter, now = get_queued(work, letter_id), work.now
    if letter is None:
        return Done()
    if run.tenant.kind == "sandbox":
        return _keep(run, letter_id)
    trouble = _trouble_with(run, letter, now)
    with run.finish(GiveUp(trouble) if trouble else None) as work:
        if trouble:
            mark_failed(work, letter_id, error=trouble)
        else:
            mark_sent(work, letter_id)
    return Done()  # of the job there is nothing left to settle: how it went is stored with the letter


@job("notifications.invite")
def invite(run: JobRun, *, event_id: str) -> Outcome:
    """Somebody was asked into a workspace or among a partner's staff: tell them, with a way in."""
    with run.finish() as work:
        entry = get_entry(work.session, UUID(event_id))
        guest = Guest(entry.subject_id, str(entry.body["name"]), str(entry.body["email"]), str(entry.body["locale"]))
        where = dict.fromkeys(LOCALES, work.tenant.name)
        queue_letter(work, Letter("invited", guest, {"by": str(entry.body["by"]), "title": where}))
    return Done()


def _keep(run: JobRun, letter_id: UUID) -> Outcome:
    with run.finish() as work:
        mark_kept(work, letter_id)
    return Done()


def _trouble_with(run: JobRun, letter: StoredLetter, now: datetime) -> str:
    """Send it; what will never work is told, what may work later is raised."""
    try:
        post(run, letter, now)
    except LeaseLost:
        raise
    except SlipwayError as error:
        if not (run.last_attempt or isinstance(error, MailRefused | AddressUnusable)):
            raise
        return str(error)
    return ""


def post(run: JobRun, letter: StoredLetter, now: datetime) -> None:
    """Make a link that only this mail holds, and hand the mail over."""
    site, link = letter_link(run.runtime, run.tenant, letter)
    run.runtime.service(Postroom).post(draft_of(letter, site.brand, link=link, now=now))


@job("notifications.tell_of_access")
def tell_of_access(run: JobRun, *, event_id: str) -> Outcome:
    """Something happened to a partner's access: the customer's owners, or who asked for it, get a letter; once each."""
    with run.work() as work:
        entry = get_entry(work.session, UUID(event_id))
        asker, owners = find_asker(work, entry.subject_id), list_owners(work, admins=True)
    reader = find_reader(run.runtime.databases, asker) if asker else None
    with run.finish() as work:
        for letter in readers_of(entry, owners, reader, workspace=run.tenant.name):
            queue_letter(work, letter)
    return Done()


@job("notifications.mail_checkpoint")
def mail_checkpoint(run: JobRun, *, event_id: str) -> Outcome:
    """A checkpoint of the trail was published: each address that the workspace has named gets it."""
    with run.finish() as work:
        queue_checkpoint(work, get_entry(work.session, UUID(event_id)).body)
    return Done()


@job("notifications.tell_of_endpoint")
def tell_of_endpoint(run: JobRun, *, event_id: str) -> Outcome:
    """An address takes nothing, or hears nothing any more: who named it gets a letter; else who runs the workspace.

    Whoever switched it off themselves knows it already.
    """
    with run.work() as work:
        entry, owners = get_entry(work.session, UUID(event_id)), list_owners(work, admins=True)
    if entry.actor_kind == "person":
        return Done()
    named_by = entry.body["named_by"]
    reader = find_reader(run.runtime.databases, UUID(str(named_by))) if named_by else None
    with run.finish() as work:
        for recipient in [reader] if reader else owners:
            queue_letter(work, letter_of_endpoint(entry, recipient, run.tenant))
    return Done()


@job("notifications.tell_of_connection")
def tell_of_connection(run: JobRun, *, event_id: str) -> Outcome:
    """A connection needs a person: who connected it gets a letter; else who runs the workspace."""
    with run.work() as work:
        entry, owners = get_entry(work.session, UUID(event_id)), list_owners(work, admins=True)
    owner = entry.body["owner"]
    reader = find_reader(run.runtime.databases, UUID(str(owner))) if owner else None
    with run.finish() as work:
        for recipient in [reader] if reader else owners:
            queue_letter(work, letter_of_connection(entry, recipient, run.tenant))
    return Done()
