"""What the create-tenant flow asks `control` for outside any organisation's scope."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.metadata import control_function

control_function(
    "unfinished_requests",
    arguments="p_older_than interval",
    returns="TABLE (organisation_id uuid, request_key text)",
    body=(
        "SELECT t.organisation_id, t.request_key FROM control.tenant t"
        " WHERE t.state = 'requested' AND t.requested_at < now() - p_older_than ORDER BY t.requested_at LIMIT 50"
    ),
)


def unfinished_requests(session: Session, *, seconds: int) -> list[tuple[UUID, str]]:
    """Requests for tenants that were left half done at least `seconds` ago; in a lookup scope."""
    rows = session.execute(
        text("SELECT * FROM control.unfinished_requests(make_interval(secs => :seconds))"), {"seconds": seconds}
    )
    return [(row.organisation_id, row.request_key) for row in rows]


control_function(
    "find_organisation",
    arguments="p_slug text",
    returns="uuid",
    body="SELECT o.id FROM control.organisation o WHERE o.slug = p_slug AND o.state = 'active'",
)


def find_organisation(session: Session, slug: str) -> UUID | None:
    """The active organisation of that slug; in a lookup scope."""
    found: UUID | None = session.execute(text("SELECT control.find_organisation(:slug)"), {"slug": slug}).scalar()
    return found
