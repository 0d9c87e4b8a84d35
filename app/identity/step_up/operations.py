"""Proving again who one is, and setting up what one proves it with. All for the person of a live session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import text

from app.identity.mailer import Mailer, Notice
from app.identity.queries import Person
from app.identity.rules import SESSION_IDLE, token_digest
from app.identity.step_up.rules import (
    CODES_AN_HOUR,
    FRESH,
    LOCK,
    MAILED_CODE,
    TRIES,
    mailed_digest,
    matching_step,
    new_mailed_code,
    new_recovery_codes,
    new_secret,
    recovery_digest,
)
from app.identity.step_up.sealer import PersonSealer
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.runtime import Runtime
from app.web.hosts import Site
from app.web.translations import mark
from app.web.visit import Visit
from tenants.engines import Databases
from tenants.sessions import lookup_session

SYSTEM_ONLY = {
    "mail_code": "the person's own door; the code goes to their own mailbox",
    "prove": "whoever holds the session and the code",
    "prepare": "the person's own authenticator, after a proof that the database looks at itself",
    "confirm": "the person's own authenticator, after a proof that the database looks at itself",
    "renew_codes": "the person's own codes, after a proof that the database looks at itself",
    "remove": "the person's own authenticator, after a proof that the database looks at itself",
    "end_session": "the person's own session",
    "reset": "the operator's command line, for somebody who has lost everything",
}
_log = structlog.get_logger()


class CodeWrong(Invalid):
    """The code is not right, has been used, or too many were tried."""


class ProofNeeded(Forbidden):
    """A proof of the last quarter of an hour is missing that it is still the same person."""


class NotEnrolled(Conflict):
    """There is no authenticator to do this with."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The one who acts: their session on a site."""

    runtime: Runtime
    site: Site
    token: str

    @property
    def values(self) -> dict[str, object]:
        """What every function asks for."""
        return {"session": token_digest(self.token), "organisation": self.site.organisation_id}

    @property
    def databases(self) -> Databases:
        """Where the functions are."""
        return self.runtime.databases

    @property
    def sealer(self) -> PersonSealer:
        """Who keeps the key of authenticators."""
        return self.runtime.service(PersonSealer)  # type: ignore[type-abstract]  # the key is the protocol


@dataclass(frozen=True, slots=True)
class Account:
    """How a person proves themselves: since when with an authenticator, what waits, what is left."""

    confirmed_at: datetime | None
    waiting: bytes | None
    locked_until: datetime | None
    codes_left: int


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of the person's sessions on this site."""

    id: UUID
    agent: str | None
    made_at: datetime
    seen_at: datetime
    mine: bool


def mail_code(holder: Holder) -> bool:
    """Mail a fresh code to the session's person; an earlier one is void. False when too many went out in an hour."""
    code = new_mailed_code()
    values = holder.values | {"code": mailed_digest(code, holder.token), "lifetime": MAILED_CODE, "most": CODES_AN_HOUR}
    with lookup_session(holder.databases, actor="identity.mail_code") as (session, _now):
        row = session.execute(_SEND, values).one_or_none()
    if row is None:
        return False
    person = Person(id=row.person_id, email=row.email, name=row.name, locale=row.locale)
    _mailer(holder).send_code(person, code, brand=holder.site.brand, valid_for=MAILED_CODE)
    return True


def prove(holder: Holder, code: str, *, visit: Visit) -> None:
    """Prove by whatever this is: six digits of the authenticator, a recovery code, or the mailed code.

    Raises CodeWrong, with one sentence for wrong, used and too late.
    """
    if (digest := recovery_digest(code)) is not None:
        _prove_by_recovery(holder, digest, visit)
    elif not (_prove_by_authenticator(holder, code) or _prove_by_mailbox(holder, code)):
        raise CodeWrong(_WRONG, errors=[("step_up_code", _WRONG)])


def read_account(holder: Holder) -> Account:
    """How the session's person proves themselves; what waits is opened: it is shown until its first code has come."""
    with lookup_session(holder.databases) as (session, _now):
        row = session.execute(_ACCOUNT, holder.values).one_or_none()
    return Account(*row) if row else Account(None, None, None, 0)


def open_waiting(holder: Holder, person_id: UUID, account: Account) -> bytes | None:
    """The secret that waits for its first code, to be shown once more."""
    return holder.sealer.open(person_id, account.waiting) if account.waiting else None


def prepare(holder: Holder, person_id: UUID) -> None:
    """Make a new secret, which waits beside the present one for its first code. Raises ProofNeeded."""
    values = holder.values | {"sealed": holder.sealer.seal(person_id, new_secret()), "fresh": FRESH}
    with lookup_session(holder.databases, actor="identity.prepare_authenticator") as (session, _now):
        if not session.execute(_PREPARE, values).scalar_one_or_none():
            raise ProofNeeded(_PROVE)


def confirm(holder: Holder, person_id: UUID, code: str, *, visit: Visit) -> list[str]:
    """Take the waiting secret into use by its first code. Returns fresh recovery codes, which are shown once.

    Raises CodeWrong, ProofNeeded, NotEnrolled.
    """
    codes = new_recovery_codes()
    with lookup_session(holder.databases, actor="identity.confirm_authenticator") as (session, now):
        tried = session.execute(_TRY, holder.values | {"most": TRIES, "lock": LOCK}).one_or_none()
        waiting = tried.waiting if tried else None
        step = matching_step(holder.sealer.open(person_id, waiting), code, now) if waiting else None
        if step is not None:
            values = holder.values | {"waiting": waiting, "step": step, "codes": _digests(codes), "fresh": FRESH}
            if not session.execute(_CONFIRM, values).scalar_one():
                raise ProofNeeded(_PROVE)
    if waiting is None:
        raise NotEnrolled(_RESTS if tried is None else _NOTHING_WAITS)
    if step is None:
        raise CodeWrong(_WRONG, errors=[("code", _WRONG)])
    _tell(holder, visit, Notice.AUTHENTICATOR_SET)
    return codes


def renew_codes(holder: Holder) -> list[str]:
    """Ten fresh recovery codes in the place of all earlier ones. Raises ProofNeeded."""
    codes = new_recovery_codes()
    values = holder.values | {"codes": _digests(codes), "fresh": FRESH}
    with lookup_session(holder.databases, actor="identity.renew_recovery_codes") as (session, _now):
        if not session.execute(_RENEW, values).scalar_one():
            raise ProofNeeded(_PROVE)
    return codes


def remove(holder: Holder, *, visit: Visit) -> None:
    """Take the authenticator and its recovery codes away. Raises ProofNeeded."""
    with lookup_session(holder.databases, actor="identity.remove_authenticator") as (session, _now):
        if not session.execute(_REMOVE, holder.values | {"fresh": FRESH}).scalar_one():
            raise ProofNeeded(_PROVE)
    _tell(holder, visit, Notice.AUTHENTICATOR_REMOVED)


def reset(databases: Databases, email: str) -> bool:
    """Take somebody's authenticator away and end all their sessions everywhere. False when they have none."""
    with lookup_session(databases, actor="identity.reset_authenticator") as (session, _now):
        return session.execute(_RESET, {"email": email}).scalar_one_or_none() is not None


def list_sessions(holder: Holder) -> list[OpenSession]:
    """The person's open sessions on this site, the last used first."""
    with lookup_session(holder.databases) as (session, _now):
        rows = session.execute(_SESSIONS, holder.values | {"idle": SESSION_IDLE}).all()
    return [OpenSession(*row) for row in rows]


def end_session(holder: Holder, session_id: UUID) -> None:
    """End one of the person's own sessions; one that is over already, or is nobody's of theirs, changes nothing."""
    with lookup_session(holder.databases, actor="identity.end_one_session") as (session, _now):
        session.execute(_END_ONE, holder.values | {"id": session_id})


def _prove_by_authenticator(holder: Holder, code: str) -> bool:
    """The try is counted first, whatever comes of it: guesses at once are as many as one after the other."""
    with lookup_session(holder.databases, actor="identity.prove") as (session, now):
        tried = session.execute(_TRY, holder.values | {"most": TRIES, "lock": LOCK}).one_or_none()
        if tried is None or tried.sealed is None:
            return False
        step = matching_step(holder.sealer.open(tried.person_id, tried.sealed), code, now)
        return step is not None and bool(session.execute(_USE, holder.values | {"step": step}).scalar_one())


def _prove_by_mailbox(holder: Holder, code: str) -> bool:
    values = holder.values | {"code": mailed_digest(code, holder.token), "tries": TRIES}
    with lookup_session(holder.databases, actor="identity.prove") as (session, _now):
        return bool(session.execute(_USE_MAILED, values).scalar_one())


def _prove_by_recovery(holder: Holder, digest: bytes, visit: Visit) -> None:
    with lookup_session(holder.databases, actor="identity.prove") as (session, _now):
        tried = session.execute(_TRY, holder.values | {"most": TRIES, "lock": LOCK}).one_or_none()
        values = holder.values | {"code": digest}
        used = tried is not None and bool(session.execute(_USE_RECOVERY, values).scalar_one())
    if not used:
        raise CodeWrong(_WRONG, errors=[("step_up_code", _WRONG)])
    _tell(holder, visit, Notice.RECOVERY_CODE_USED)


def _tell(holder: Holder, visit: Visit, notice: Notice) -> None:
    """By mail, so that it reaches the person whoever sits at the browser. Mail that does not go changes nothing."""
    person = Person(id=visit.actor.id, email=visit.email, name=visit.actor.name, locale=visit.locale)
    try:
        _mailer(holder).send_notice(person, notice, brand=holder.site.brand)
    except Exception as error:  # noqa: BLE001 - whatever it is, the change stands and is logged
        _log.warning("identity.notice_not_sent", notice=str(notice), reason=type(error).__name__)


def _mailer(holder: Holder) -> Mailer:
    return holder.runtime.service(Mailer)  # type: ignore[type-abstract]  # the key is the protocol, the value fulfils it


def _digests(codes: list[str]) -> list[bytes]:
    return [digest for code in codes if (digest := recovery_digest(code))]


_WRONG = mark("This code is wrong, has been used, or has run out. After five wrong ones, wait a quarter of an hour.")
_PROVE = mark("Prove again that it is you, then go on.")
_NOTHING_WAITS = mark("The set-up took too long. Begin it again.")
_RESTS = mark("Too many wrong codes. Wait a quarter of an hour, then go on.")
_SEND = text("SELECT * FROM control.send_mailed_code(:session, :organisation, :code, :lifetime, :most)")
_USE_MAILED = text("SELECT control.use_mailed_code(:session, :organisation, :code, :tries)")
_TRY = text("SELECT * FROM control.try_authenticator(:session, :organisation, :most, :lock)")
_USE = text("SELECT control.use_authenticator(:session, :organisation, :step)")
_USE_RECOVERY = text("SELECT control.use_recovery_code(:session, :organisation, :code)")
_PREPARE = text("SELECT control.prepare_authenticator(:session, :organisation, :sealed, :fresh)")
_CONFIRM = text("SELECT control.confirm_authenticator(:session, :organisation, :waiting, :step, :codes, :fresh)")
_RENEW = text("SELECT control.renew_recovery_codes(:session, :organisation, :codes, :fresh)")
_REMOVE = text("SELECT control.remove_authenticator(:session, :organisation, :fresh)")
_RESET = text("SELECT control.reset_authenticator(:email)")
_ACCOUNT = text("SELECT * FROM control.read_account(:session, :organisation)")
_SESSIONS = text("SELECT * FROM control.list_sessions(:session, :organisation, :idle)")
_END_ONE = text("SELECT control.end_one_session(:session, :organisation, :id)")
