"""Issues and revokes access tokens (RFC 6749 4.4, RFC 7009). Unknown, ended and wrong: one answer, the same work."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.identity.machines.assertions import AssertionRefused, check_claims, find_signer, read_assertion
from app.identity.machines.rules import TOKEN_LIFETIME
from app.identity.rules import new_token, token_digest
from app.web.hosts import Site
from tenants.engines import Databases
from tenants.sessions import lookup_session

SYSTEM_ONLY = {
    "authenticate": "whoever holds the credential of an account",
    "issue_token": "whoever holds the credential of an account",
    "revoke_token": "whoever holds the credential of the account it was issued to",
    "forget_stale_machines": "a platform job of the dispatcher",
}
_NOBODY = UUID(int=0)
_NO_DIGEST = bytes(32)


class ClientRefused(Exception):
    """The client did not show that it is one. `said` is only for one whose signature has shown which it is."""

    def __init__(self, said: str = "") -> None:
        super().__init__(said or "The client is unknown, or its credential is not right.")


class ScopeRefused(Exception):
    """A scope was asked for that the account does not have."""


class ForeignToken(Exception):
    """The token was issued to another client."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client shows: its id and secret, or a signed assertion that names it."""

    client_id: str = ""
    secret: str = ""
    assertion: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """An account that has shown a credential. `used` marks its assertion, which works once: digest and end."""

    account_id: UUID
    credential_id: UUID
    scopes: frozenset[str]
    used: tuple[bytes, datetime] | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A fresh token: for the client's hands only, what it opens, and for how long."""

    text: str
    scopes: tuple[str, ...]
    lifetime: timedelta

    def __repr__(self) -> str:
        return "Issued(...)"


def authenticate(databases: Databases, site: Site, shown: Shown, audiences: frozenset[str]) -> Client:
    """Which account this is. Raises ClientRefused, DatabaseAway.

    Known or not, it takes one look into `control` and as many comparisons.
    """
    if not shown.assertion:
        account_id = _id_of(shown.client_id)
        rows = _credentials(databases, site, account_id)
        digest = token_digest(shown.secret)
        secrets = [(row, bytes(row.digest or _NO_DIGEST)) for row in rows if row.kind == "secret"]
        right = [row for row, kept in secrets or [(None, _NO_DIGEST)] if hmac.compare_digest(kept, digest) and row]
        if not right:
            raise ClientRefused
        return Client(account_id, right[0].credential_id, frozenset(right[0].scopes))
    try:
        assertion = read_assertion(shown.assertion)
    except AssertionRefused as error:
        raise ClientRefused(str(error)) from error
    account_id = assertion.client_id or _NOBODY
    rows = _credentials(databases, site, account_id)
    signer = find_signer(assertion, [(row.credential_id, row.jwk) for row in rows if row.kind == "key"])
    if signer is None or (shown.client_id and _id_of(shown.client_id) != account_id):
        raise ClientRefused
    try:
        used = check_claims(assertion, audiences, rows[0].at)
    except AssertionRefused as error:
        raise ClientRefused(str(error)) from error
    return Client(account_id, signer, frozenset(rows[0].scopes), used)


def issue_token(databases: Databases, site: Site, client: Client, asked: str | None) -> Issued:
    """A token for these scopes, for all of the account's where none is named. At most 15 minutes.

    Raises ScopeRefused, and ClientRefused where the assertion was used before or the credential ended meanwhile.
    """
    wanted = client.scopes if asked is None else frozenset(asked.split(" "))
    if not wanted or not wanted <= client.scopes:
        raise ScopeRefused
    token, scopes = new_token(), tuple(sorted(wanted))
    values = {"token": token.digest, "account": client.account_id, "credential": client.credential_id}
    values |= {"organisation": site.organisation_id, "scopes": json.dumps(scopes), "lifetime": TOKEN_LIFETIME}
    with lookup_session(databases, actor=f"service:{client.account_id}") as (session, _now):
        fresh = client.used is None or session.execute(_USE, _used(client)).scalar_one()
        lifetime = session.execute(_ISSUE, values).scalar_one_or_none() if fresh else None
    if not fresh:
        raise ClientRefused("This assertion was used before: sign a new one, with a jti of its own, for each request.")
    if lifetime is None:
        raise ClientRefused
    return Issued(token.text, scopes, lifetime)


def revoke_token(databases: Databases, site: Site, client: Client, token: str) -> None:
    """End it now; one that is unknown or over is as good as ended. Raises ForeignToken, ClientRefused."""
    values = {"token": token_digest(token), "account": client.account_id, "organisation": site.organisation_id}
    with lookup_session(databases, actor=f"service:{client.account_id}") as (session, _now):
        fresh = client.used is None or session.execute(_USE, _used(client)).scalar_one()
        owner = session.execute(_REVOKE, values).scalar_one_or_none() if fresh else None
    if not fresh:
        raise ClientRefused("This assertion was used before: sign a new one, with a jti of its own, for each request.")
    if owner not in {None, client.account_id}:
        raise ForeignToken


def forget_stale_machines(databases: Databases) -> None:
    """Delete tokens and used assertions that are over, and what ended a month ago."""
    with lookup_session(databases, actor="identity.forget_stale") as (session, _now):
        session.execute(_FORGET)


def _credentials(databases: Databases, site: Site, account_id: UUID) -> list[Any]:
    with lookup_session(databases) as (session, _now):
        return list(session.execute(_FIND, {"account": account_id, "organisation": site.organisation_id}))


def _id_of(text_of_it: str) -> UUID:
    try:
        return UUID(text_of_it)
    except ValueError:
        return _NOBODY


def _used(client: Client) -> dict[str, object]:
    digest, until = client.used or (b"", None)
    return {"account": client.account_id, "digest": digest, "until": until}


_FIND = text("SELECT * FROM control.find_client(:account, :organisation)")
_USE = text("SELECT control.use_assertion(:account, :digest, :until)")
_ISSUE = text(
    "SELECT control.issue_token(:token, :account, :credential, :organisation, CAST(:scopes AS jsonb), :lifetime)"
)
_REVOKE = text("SELECT control.revoke_token(:token, :account, :organisation)")
_FORGET = text("SELECT control.forget_stale_machines()")
