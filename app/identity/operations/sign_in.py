"""Sign-in by mailed link, sessions and their end. Everything is decided by lookup functions on the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

import structlog
from sqlalchemy import text

from app.identity.mailer import Mailer
from app.identity.queries import Person
from app.identity.rules import (
    CUSTOMER_LINK,
    LINKS_PER_HOST,
    LINKS_PER_PERSON,
    SESSION_LIFETIME,
    STAFF_LINK,
    clean_address,
    is_token,
    local_path,
    new_token,
    token_digest,
)
from app.identity.sso.entering.duty import find_duty
from app.identity.step_up.rules import agent_label
from app.kernel.errors import Forbidden, Invalid, Missing
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.web.hosts import Site
from app.web.security import Front
from app.web.translations import mark
from tenants.engines import Databases
from tenants.sessions import lookup_session

SYSTEM_ONLY = {
    "ensure_person": "part of an invitation, whose operation has checked its own permission",
    "mail_link": "anybody may ask; only the mailbox's owner learns more",
    "create_link": "rides in a mail that its own operation was allowed to send",
    "sign_in": "whoever holds the link and opened it in this browser",
    "forget_stale": "a platform job of the dispatcher",
    "sign_out": "whoever holds the session",
    "sign_out_everywhere": "the person's own door",
}

_log = structlog.get_logger()


class LinkUnusable(Missing):
    """Unknown, used, expired or made for another brand: one answer for all, so that trying tells nothing."""


class MayNotSignIn(Forbidden):
    """The person neither works for the organisation nor belongs to one of its tenants."""


class AddressUnreadable(Invalid):
    """What should be a mail address is not one."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token for the cookie, whose it is, and where the link was leading."""

    token: str
    person_id: UUID
    next_path: str


def ensure_person(databases: Databases, *, email: str, name: str, locale: str) -> UUID:
    """The id of the person with this address, made when nobody has it yet. Raises AddressUnreadable."""
    address = clean_address(email)
    if address is None:
        raise AddressUnreadable(f"{email!r} is not a mail address. Write one like name@example.com.")
    values = {"id": new_id(), "email": address, "name": name.strip() or address, "locale": locale}
    with lookup_session(databases, actor="identity.ensure_person") as (session, _now):
        return UUID(str(session.execute(_ENSURE_PERSON, values).scalar_one()))


def mail_link(runtime: Runtime, site: Site, *, email: str, next_path: str) -> None:
    """Mail a sign-in link if this address may sign in here and has not asked too often. Tells nobody which it was.

    Run it after the answer has gone out: then not even the time it takes says who is known.
    """
    if find_duty(runtime, site.organisation_id, email=email):
        _log.info("identity.link.not_sent", organisation_id=str(site.organisation_id), reason="provider")
        return
    link = new_token()
    values = {"email": email, "organisation": site.organisation_id, "token": link.digest}
    values |= {"next": local_path(next_path), "lifetime": STAFF_LINK}
    values |= {"per_person": LINKS_PER_PERSON, "per_host": LINKS_PER_HOST}
    with lookup_session(runtime.databases, actor="identity.mail_link") as (session, _now):
        row = session.execute(_REQUEST_LINK, values).one_or_none()
    if row is None:
        _log.info("identity.link.not_sent", organisation_id=str(site.organisation_id))
        return
    person = Person(id=row.person_id, email=row.email, name=row.name, locale=row.locale)
    url = runtime.service(Front).url(site.host, f"/sign-in/{link.text}")
    mailer = runtime.service(Mailer)  # type: ignore[type-abstract]  # the key is the protocol, the value fulfils it
    mailer.send_sign_in_link(person, url, brand=site.brand, valid_for=STAFF_LINK)
    _log.info("identity.link.sent", person_id=str(person.id), organisation_id=str(site.organisation_id))


def create_link(
    runtime: Runtime, site: Site, *, person_id: UUID, next_path: str, lifetime: timedelta = CUSTOMER_LINK
) -> str:
    """Make a link for a mail to this person and return its address, which is stored nowhere.

    `site` is where it opens (`SiteDirectory.site_of(organisation_id)` in a job). Raises MayNotSignIn. For who
    has to come by an identity provider it is the way there.
    """
    if connection_id := find_duty(runtime, site.organisation_id, person_id=person_id):
        query = urlencode({"next": local_path(next_path)})
        return runtime.service(Front).url(site.host, f"/sign-in/with/{connection_id}?{query}")
    link = new_token()
    values = {"token": link.digest, "person": person_id, "organisation": site.organisation_id}
    values |= {"next": local_path(next_path), "lifetime": lifetime}
    with lookup_session(runtime.databases, actor="identity.create_link") as (session, _now):
        if not session.execute(_CREATE_LINK, values).scalar_one_or_none():
            raise MayNotSignIn("This person has no access here, so a link would lead nowhere. Invite them first.")
    return runtime.service(Front).url(site.host, f"/sign-in/{link.text}")


def sign_in(databases: Databases, site: Site, *, link_token: str, earlier: str | None, agent: str = "") -> SignedIn:
    """Use the link up and open a fresh session, in one statement: sent twice, used once. Raises LinkUnusable.

    `earlier` is the session this browser came with; it ends, so nobody keeps a session that was planted before.
    `agent` is what the browser says of itself; its two words are all that is kept of it.
    """
    session_token = new_token()
    values = {"token": token_digest(link_token), "organisation": site.organisation_id}
    values |= {
        "session": session_token.digest,
        "lifetime": SESSION_LIFETIME,
        "id": new_id(),
        "agent": agent_label(agent),
    }
    with lookup_session(databases, actor="identity.sign_in") as (session, _now):
        row = session.execute(_CONSUME, values).one_or_none() if is_token(link_token) else None
        if row is None:
            raise LinkUnusable(mark("This link has been used or has expired. Ask for a new one on the sign-in page."))
        if earlier:
            session.execute(_END, {"token": token_digest(earlier), "organisation": site.organisation_id})
    return SignedIn(session_token.text, row.person_id, local_path(row.next_path))


def sign_out(databases: Databases, site: Site, *, session_token: str) -> None:
    """End this session; the next request with its cookie is nobody's."""
    with lookup_session(databases, actor="identity.sign_out") as (session, _now):
        session.execute(_END, {"token": token_digest(session_token), "organisation": site.organisation_id})


def sign_out_everywhere(databases: Databases, site: Site, *, person_id: UUID) -> None:
    """End every session of this person in this brand, and use up the links that still wait in their mailbox."""
    with lookup_session(databases, actor="identity.sign_out_everywhere") as (session, _now):
        session.execute(_END_ALL, {"person": person_id, "organisation": site.organisation_id})


def forget_stale(databases: Databases) -> int:
    """Delete links and sessions useless for a month, and old attempts at providers. Returns how many rows went."""
    with lookup_session(databases, actor="identity.forget_stale") as (session, _now):
        return int(session.execute(_FORGET).scalar_one()) + int(session.execute(_FORGET_SSO).scalar_one())


_FORGET = text("SELECT control.forget_stale_sign_ins()")
_FORGET_SSO = text("SELECT control.forget_stale_sso()")
_ENSURE_PERSON = text("SELECT control.ensure_person(:id, :email, :name, :locale)")
_REQUEST_LINK = text(
    "SELECT * FROM control.request_link(:email, :organisation, :token, :next, :lifetime, :per_person, :per_host)"
)
_CREATE_LINK = text("SELECT control.create_link(:token, :person, :organisation, :next, :lifetime)")
_CONSUME = text("SELECT * FROM control.consume_link(:token, :organisation, :session, :lifetime, :id, :agent)")
_END = text("SELECT control.end_session(:token, :organisation)")
_END_ALL = text("SELECT control.end_all_sessions(:person, :organisation)")
