"""Logout in both directions: ours tells the provider, by way of the browser; the provider tells us, by itself."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from sqlalchemy import text

from app.identity.rules import token_digest
from app.identity.sso.entering.signing_in import SIGNED_OUT
from app.identity.sso.protocol.provider import Providers
from app.identity.sso.protocol.tokens import Expected, check_logout_token, unverified
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.identity.sso.queries import find_connection, list_by_client
from app.identity.sso.rules import LOGOUT_KEPT
from app.kernel.errors import Invalid
from app.kernel.outbound.world_clock import world_time
from app.kernel.runtime import Runtime
from app.web.hosts import Site
from app.web.security import Front
from app.web.translations import mark
from tenants.sessions import lookup_session

_PROVIDER = text("SELECT connection_id FROM control.find_session_provider(:token, :organisation)")
_OBEY = text("SELECT control.obey_sso_logout(:connection, :jti, :subject, :sid, :lifetime)")


class LogoutTokenRefused(Invalid):
    """What was sent is no logout token of a provider that signs people in here, or it has been used."""

    status = 400


def farewell_url(runtime: Runtime, site: Site, *, session_token: str, id_token: str) -> str | None:
    """Where to send the browser so that the provider's own session ends too; None where there is nothing to tell.

    Never in the way of signing out here: a provider that cannot be asked is left alone.
    """
    values = {"token": token_digest(session_token), "organisation": site.organisation_id}
    with lookup_session(runtime.databases) as (session, _now):
        row = session.execute(_PROVIDER, values).one_or_none()
    connection = find_connection(runtime.databases, site.organisation_id, row.connection_id) if row else None
    if connection is None:
        return None
    try:
        endpoint = runtime.service(Providers).metadata(connection.issuer).end_session_endpoint
    except ProviderTrouble:
        return None
    if not endpoint:
        return None
    back = runtime.service(Front).url(site.host, SIGNED_OUT)
    said = {"client_id": connection.client_id, "post_logout_redirect_uri": back}
    said |= {"id_token_hint": id_token} if id_token else {}
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(said)}"


def obey_logout(runtime: Runtime, site: Site, *, logout_token: str) -> int:
    """End the sessions that a provider's logout token names. Returns how many. Raises LogoutTokenRefused."""
    try:
        return _obey(runtime, site, logout_token)
    except ProviderTrouble as error:
        raise LogoutTokenRefused(error.message) from error


def _obey(runtime: Runtime, site: Site, raw: str) -> int:
    hinted = unverified(raw)
    issuer, audience = hinted.get("iss"), hinted.get("aud")
    clients = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    if not isinstance(issuer, str) or len(clients) != 1 or not isinstance(clients[0], str):
        raise LogoutTokenRefused(_REFUSED)
    connections = list_by_client(runtime.databases, site.organisation_id, issuer, clients[0])
    if not connections:
        raise LogoutTokenRefused(_REFUSED)
    claims = runtime.service(Providers).read(issuer, raw)
    check_logout_token(claims, Expected(issuer, clients[0], world_time().timestamp()))
    values = {"jti": hashlib.sha256(str(claims["jti"]).encode()).digest(), "lifetime": LOGOUT_KEPT}
    values |= {"subject": claims.get("sub"), "sid": claims.get("sid")}
    with lookup_session(runtime.databases, actor="identity.sso.logout") as (session, _now):
        ended = [session.execute(_OBEY, values | {"connection": each.id}).scalar_one() for each in connections]
    if None in ended:
        raise LogoutTokenRefused(_REFUSED)
    return sum(ended)


_REFUSED = mark("This is no logout token that can be obeyed here.")
