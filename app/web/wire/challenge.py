"""Tells software that is not let in what it lacks: the `WWW-Authenticate` header of RFC 6750."""

from __future__ import annotations

from app.kernel.errors import Forbidden, SlipwayError
from app.web.begin import NotSignedIn, TokenUnusable, find_site, find_visit
from app.web.security import Connection

_API = "/api/v1/"


def challenge(connection: Connection, error: SlipwayError) -> dict[str, str]:
    """The header for this trouble at a door of the API; nothing for other trouble, and for people at pages."""
    site = find_site(connection)
    if site is None or not connection.scope["path"].startswith(_API) or not isinstance(error, Forbidden):
        return {}
    parts = [f'Bearer realm="{site.host}"']
    visit = find_visit(connection)
    if isinstance(error, TokenUnusable):
        parts += ['error="invalid_token"', 'error_description="It is unknown here, expired or revoked."']
    elif not isinstance(error, NotSignedIn):
        if visit is None or visit.actor.kind != "service":
            return {}
        wanted = error.extensions.get("permission")
        parts += ['error="insufficient_scope"', *([f'scope="{wanted}"'] if wanted else [])]
    return {"www-authenticate": ", ".join(parts)}
