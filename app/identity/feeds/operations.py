"""Makes, ends and recognises the private address of somebody's dates in one tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from app.identity.queries import visit_from
from app.identity.rules import is_token, new_token, token_digest
from app.web.hosts import Site
from app.web.visit import Visit
from tenants.engines import Databases
from tenants.sessions import lookup_session

SYSTEM_ONLY = {
    "start_feed": "of one's own, in a tenant that one has entered",
    "end_feed": "of one's own",
    "find_feed": "of one's own",
    "find_feed_visit": "before anybody is known: the token says who it is",
}


def start_feed(databases: Databases, site: Site, *, session_token: str, tenant_id: UUID) -> str:
    """A fresh token for whoever holds this session; the one before ends. Empty where the session has just ended."""
    token = new_token()
    values: dict[str, object] = {"token": token.digest, "session": token_digest(session_token)}
    values |= {"organisation": site.organisation_id, "tenant": tenant_id}
    with lookup_session(databases, actor="identity.start_feed") as (session, _now):
        made = session.execute(_START, values).scalar_one_or_none()
    return token.text if made else ""


def end_feed(databases: Databases, site: Site, *, person_id: UUID, tenant_id: UUID) -> bool:
    """End it at once. False where there was none."""
    values = {"person": person_id, "organisation": site.organisation_id, "tenant": tenant_id}
    with lookup_session(databases, actor="identity.end_feed") as (session, _now):
        return bool(session.execute(_END, values).scalar_one_or_none())


def find_feed(databases: Databases, site: Site, *, person_id: UUID, tenant_id: UUID) -> datetime | None:
    """When the person's address in that tenant was made; None: there is none."""
    values = {"person": person_id, "organisation": site.organisation_id, "tenant": tenant_id}
    with lookup_session(databases) as (session, _now):
        found: datetime | None = session.execute(_READ, values).scalar_one_or_none()
    return found


def find_feed_visit(databases: Databases, site: Site, token: str) -> Visit | None:
    """Whose address this is, with the roles they have now, and the tenant; None for an unknown one.

    It is no session: it opens nothing but the feed.
    """
    if not is_token(token):
        return None
    values = {"token": token_digest(token), "organisation": site.organisation_id}
    with lookup_session(databases) as (session, _now):
        row = session.execute(_VISIT, values).one_or_none()
    return visit_from(row, site, stepped_up=False) if row else None


_START = text("SELECT control.start_date_feed(:token, :session, :organisation, :tenant)")
_END = text("SELECT control.end_date_feed(:person, :organisation, :tenant)")
_READ = text("SELECT control.read_date_feed(:person, :organisation, :tenant)")
_VISIT = text("SELECT * FROM control.find_feed_visit(:token, :organisation)")
