"""A person lets us in at the peer: off with PKCE and state, back with a code, which only a worker ever opens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.auth.authorize import Journey as Secrets
from app.connectors.auth.authorize import authorize_url, challenge_of, digest_of
from app.connectors.auth.schemes import AuthorizationCode
from app.connectors.connecting.care import get_row
from app.connectors.connecting.state import GRANT, LIFETIME, Journey, find_journey, keep_journey
from app.connectors.kit.manifest import Manifest
from app.kernel.errors import Conflict, Forbidden, Missing
from app.kernel.work import Work
from app.vault.operations import forget_connection_secrets, put_connection_secret
from app.vault.secret import Secret
from app.web.translations import mark

CALLBACK: Final = "/connections/callback"
_STATE: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")
_LONGEST: Final = 4_000  # characters of a code
_OPEN: Final = frozenset({"pending", "active", "reconnect"})


class NotConnectable(Conflict):
    """The connection signs in with what somebody types: nobody has to be asked at the peer."""


class JourneyUnknown(Missing):
    """What came back says of no journey of this installation."""


class JourneyUnusable(Forbidden):
    """What came back belongs to no journey that this person has under way here."""


@dataclass(frozen=True, slots=True)
class Traveller:
    """Who goes: the digest of their session, and where they come back to."""

    session: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Coming:
    """Which connection an answer is about, by its state."""

    tenant_id: UUID
    connection_id: UUID


def read_state(state: str) -> Coming:
    """Where the answer with this state belongs. Raises JourneyUnknown."""
    if (found := _STATE.fullmatch(state)) is None:
        raise JourneyUnknown(_UNKNOWN)
    return Coming(UUID(hex=found[1]), UUID(hex=found[2]))


def begin_journey(work: Work, connection_id: UUID, manifest: Manifest, traveller: Traveller) -> str:
    """The address to go to; it is good for ten minutes and one answer, in this session.

    Raises NotPermitted, ConnectionUnknown, NotConnectable, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    connection = get_row(work, connection_id, lock=True)
    auth: Mapping[str, str] = connection.config.get("auth") or {}
    scheme = manifest.way(auth)
    if not isinstance(scheme, AuthorizationCode) or connection.state not in _OPEN:
        raise NotConnectable(mark("This connection signs in with credentials: change them instead."))
    secrets = Secrets.make()
    state = f"{work.tenant.id.hex}.{connection_id.hex}.{secrets.state.reveal()}"
    put_connection_secret(work, connection_id=connection_id, field="verifier", value=secrets.verifier, stage=GRANT)
    journey = Journey(
        digest=digest_of(state),
        by=str(work.actor.id),
        session=traveller.session,
        redirect_uri=traveller.redirect_uri,
        expires_at=(work.database_now + LIFETIME).isoformat(),
    )
    keep_journey(work, connection_id, journey)
    return authorize_url(
        scheme,
        manifest.address,
        client_id=auth.get("client_id", ""),
        redirect_uri=traveller.redirect_uri,
        state=state,
        challenge=challenge_of(secrets.verifier),
    )


def end_journey_with(work: Work, connection_id: UUID, *, answer: Mapping[str, str], session: str) -> str:
    """Take the peer's answer, once: seal the code and ask a worker to exchange it. Returns "" or what was refused.

    Raises NotPermitted, JourneyUnusable.
    """
    require(work, Permission.CONNECTION_WRITE)
    journey = find_journey(work.session, connection_id, lock=True)
    state, code = answer.get("state", ""), answer.get("code", "")
    if journey is None or journey.step != "away" or journey.digest != digest_of(state):
        raise JourneyUnusable(_UNKNOWN)
    if journey.by != str(work.actor.id) or journey.session != session:
        raise JourneyUnusable(_ELSEWHERE)
    if journey.is_over(work.database_now):
        raise JourneyUnusable(_LATE)
    if answer.get("error") or not code or len(code) > _LONGEST:
        keep_journey(work, connection_id, replace(journey, step="refused", said=_word(answer.get("error", ""))))
        forget_connection_secrets(work, connection_id=connection_id, stage=GRANT)
        return "refused"
    put_connection_secret(work, connection_id=connection_id, field="code", value=Secret(code), stage=GRANT)
    keep_journey(work, connection_id, replace(journey, step="exchanging"))
    work.enqueue("connectors.exchange_code", args={"connection_id": connection_id, "digest": journey.digest})
    return ""


def _word(error: str) -> str:
    """The peer's word for a refusal, as far as it is one of RFC 6749 4.1.2.1."""
    return error if re.fullmatch(r"[a-z_]{1,40}", error) else "no_code"


_UNKNOWN = mark("This answer was used already, or a newer attempt has replaced it. Start again from the connection.")
_ELSEWHERE = mark("This was begun by somebody else or in another session. Start again from the connection.")
_LATE = mark("This took longer than ten minutes. Start again from the connection.")
