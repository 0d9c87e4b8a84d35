"""The two halves of a sign-in: off to the provider, and back with its answer. The calls hold no transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text

from app.identity.rules import SESSION_LIFETIME, is_token, local_path, new_token, token_digest
from app.identity.sso.entering.admit import NotAdmitted, admit
from app.identity.sso.protocol.provider import Client, Providers
from app.identity.sso.protocol.tokens import Expected, check_access_token, check_id_token
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.identity.sso.queries import Connection, find_connection
from app.identity.sso.rules import ATTEMPT_LIFETIME, Claimed, bound_value, read_claims
from app.identity.sso.secrets import ClientSecrets, Revealed
from app.identity.step_up.rules import agent_label
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden, Missing
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.web.hosts import Site
from app.web.security import Front
from app.web.translations import mark
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

CALLBACK = "/sign-in/callback"
SIGNED_OUT = "/sign-in"
_log = structlog.get_logger()


class ConnectionUnknown(Missing):
    """There is no such way in on this host, or it is switched off."""


class AttemptUnusable(Forbidden):
    """The answer belongs to no sign-in that this browser has under way: used, expired, or begun elsewhere."""


class SignInDeclined(Forbidden):
    """The provider sent the person back without signing them in."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A fresh session, where the person was going, and the token that the provider knows them by at logout."""

    token: str
    next_path: str
    id_token: str


def begin_sign_in(runtime: Runtime, site: Site, *, connection_id: UUID, next_path: str, browser: str) -> str:
    """The provider's address to go to. `browser`: the random value of this browser's cookie.

    Raises ConnectionUnknown, ProviderTrouble.
    """
    connection = _get(runtime, site, connection_id)
    state = new_token()
    url = runtime.service(Providers).authorization_url(
        client_of(runtime, site, connection),
        state=state.text,
        nonce=bound_value(browser, state.text, "nonce"),
        verifier=bound_value(browser, state.text, "verifier"),
        acr=connection.settings.acr,
    )
    values = {"state": state.digest, "connection": connection.id, "browser": token_digest(browser)}
    values |= {"next": local_path(next_path), "lifetime": ATTEMPT_LIFETIME}
    with lookup_session(runtime.databases, actor="identity.sso.begin") as (session, _now):
        session.execute(_BEGIN, values)
    return url


@dataclass(frozen=True, slots=True)
class Coming:
    """A browser with a provider's answer: the value in its own cookie, the session it had, what it says it is."""

    browser: str
    earlier: str | None
    agent: str


def finish_sign_in(
    runtime: Runtime, site: Site, *, answer: Mapping[str, str], coming: Coming, trace_id: str
) -> Arrived:
    """Turn the provider's answer into a session. The attempt is used up, whatever comes of it.

    The session this browser came with ends. Raises AttemptUnusable, ConnectionUnknown, SignInDeclined,
    ProviderTrouble, NotAdmitted, TenantNotActive, LimitReached.
    """
    state, browser = answer.get("state", ""), coming.browser
    connection_id, next_path = _take(runtime, site, state, browser)
    connection = _get(runtime, site, connection_id)
    providers = runtime.service(Providers)
    _check_sender(providers, connection, answer)
    if answer.get("error") or not answer.get("code"):
        _log.info("identity.sso.declined", connection_id=str(connection.id), error=answer.get("error", "")[:60])
        raise SignInDeclined(_DECLINED)
    tenant = tenant_of(runtime, connection)
    client = client_of(runtime, site, connection, open_secret(runtime, connection, tenant, trace_id=trace_id))
    try:
        tokens = providers.exchange(client, code=answer["code"], verifier=bound_value(browser, state, "verifier"))
        nonce = bound_value(browser, state, "nonce")
        claimed, id_token = _read(providers, client, connection, tokens, nonce=nonce)
        person_id = admit(runtime, connection, tenant, claimed, trace_id=trace_id)
    except (ProviderTrouble, NotAdmitted) as trouble:
        reason = trouble.word if isinstance(trouble, ProviderTrouble) else trouble.slug
        _log.warning("identity.sso.refused", connection_id=str(connection.id), reason=reason)
        raise
    token = _open_session(runtime, site, connection, claimed, person_id, coming)
    return Arrived(token, local_path(next_path), id_token)


def client_of(runtime: Runtime, site: Site, connection: Connection, secret: Revealed | None = None) -> Client:
    """Who we are to this provider on this host."""
    redirect_uri = runtime.service(Front).url(site.host, CALLBACK)
    return Client(connection.issuer, connection.client_id, redirect_uri, secret)


def open_secret(runtime: Runtime, connection: Connection, tenant: Tenant, *, trace_id: str) -> Revealed | None:
    """The client secret, opened in a transaction of its own. Raises ProviderTrouble, TenantNotActive."""
    secrets = runtime.service(ClientSecrets)  # type: ignore[type-abstract]  # the key is the protocol
    actor = Actor(kind="service", id=connection.id, name=connection.name)
    with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
        secret = secrets.open(work, connection.id) if connection.has_secret else None
    if connection.has_secret and secret is None:
        raise ProviderTrouble("secret")
    return secret


def tenant_of(runtime: Runtime, connection: Connection) -> Tenant:
    """The home or the tenant that trusts this connection. Raises ConnectionUnknown."""
    with lookup_session(runtime.databases) as (session, _now):
        tenant = find_tenant(session, connection.tenant_id)
    if tenant is None or tenant.organisation_id != connection.organisation_id:
        raise ConnectionUnknown(_UNKNOWN)
    return tenant


def _get(runtime: Runtime, site: Site, connection_id: UUID) -> Connection:
    connection = find_connection(runtime.databases, site.organisation_id, connection_id)
    if connection is None:
        raise ConnectionUnknown(_UNKNOWN)
    return connection


def _take(runtime: Runtime, site: Site, state: str, browser: str) -> tuple[UUID, str]:
    if not is_token(state) or not is_token(browser):
        raise AttemptUnusable(_ATTEMPT)
    values = {"state": token_digest(state), "browser": token_digest(browser), "organisation": site.organisation_id}
    with lookup_session(runtime.databases, actor="identity.sso.take") as (session, _now):
        row = session.execute(_TAKE, values).one_or_none()
    if row is None:
        raise AttemptUnusable(_ATTEMPT)
    return row.connection_id, row.next_path


def _check_sender(providers: Providers, connection: Connection, answer: Mapping[str, str]) -> None:
    """The answer must come from the provider that was asked (RFC 9207), where it says who it is or always should."""
    said = answer.get("iss")
    if said is None and not providers.metadata(connection.issuer).names_itself:
        return
    if said != connection.issuer:
        raise ProviderTrouble("wrong_issuer")


def _read(
    providers: Providers, client: Client, connection: Connection, tokens: Mapping[str, object], *, nonce: str
) -> tuple[Claimed, str]:
    """What the provider says of the person, every part of it checked. Raises ProviderTrouble."""
    raw, access = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(raw, str):
        raise ProviderTrouble("no_token")
    claims = providers.read(connection.issuer, raw)
    check_id_token(claims, Expected(client.issuer, client.client_id, world_time().timestamp()), nonce=nonce)
    settings = connection.settings
    if settings.acr and claims.get("acr") not in settings.acr.split():
        raise ProviderTrouble("level")
    if isinstance(access, str):
        check_access_token(claims, raw, access)
    lacking = "email" not in claims or (settings.group_roles and settings.groups_claim not in claims)
    if lacking and isinstance(access, str):
        more = providers.userinfo(client, access)
        if more and more.get("sub") != claims["sub"]:
            raise ProviderTrouble("subject")
        own = {"iss", "aud", "sub", "nonce", "sid", "acr"}
        claims = {name: value for name, value in more.items() if name not in own} | claims
    return read_claims(claims, settings), raw


def _open_session(
    runtime: Runtime, site: Site, connection: Connection, claimed: Claimed, person_id: UUID, coming: Coming
) -> str:
    token = new_token()
    values = {"token": token.digest, "person": person_id, "connection": connection.id}
    values |= {"organisation": site.organisation_id, "subject": claimed.subject, "sid": claimed.sid}
    values |= {"id": new_id(), "agent": agent_label(coming.agent)}
    with lookup_session(runtime.databases, actor="identity.sso.open") as (session, _now):
        if not session.execute(_OPEN, values | {"lifetime": SESSION_LIFETIME}).scalar_one_or_none():
            raise ConnectionUnknown(_UNKNOWN)
        if coming.earlier:
            session.execute(_END, {"token": token_digest(coming.earlier), "organisation": site.organisation_id})
    return token.text


_BEGIN = text("SELECT control.begin_sso(:state, :connection, :browser, :next, :lifetime)")
_TAKE = text("SELECT * FROM control.take_sso_attempt(:state, :browser, :organisation)")
_OPEN = text(
    "SELECT control.open_sso_session(:token, :person, :connection, :organisation, :subject, :sid, :lifetime,"
    " :id, :agent)"
)
_END = text("SELECT control.end_session(:token, :organisation)")
_UNKNOWN = mark("There is no such way to sign in here, or it has been switched off. Ask for a link by e-mail instead.")
_ATTEMPT = mark("This sign-in has been used, has expired or was begun in another browser. Begin again.")
_DECLINED = mark("Your provider did not sign you in. Begin again, or ask its administrator.")
