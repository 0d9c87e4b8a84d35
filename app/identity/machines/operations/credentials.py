"""Gives accounts secrets and keys: at most two live ones of a kind, so that one takes over while the other works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.identity.machines.events import CredentialAdded, CredentialEnded
from app.identity.machines.keys import KeyUnfit, ReadKey
from app.identity.machines.operations.accounts import open_account, require_within, save
from app.identity.machines.rules import MOST_LIVE, Account, Credential, Kind
from app.identity.rules import Token
from app.kernel.commands import Result
from app.kernel.errors import Conflict, Missing
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.web.translations import mark

_HINT = 4  # last characters of a secret: enough to tell two apart, too few to help


class TwoLive(Conflict):
    """There are two live credentials of this kind already: end the one that nobody uses any more."""


class CredentialUnknown(Missing):
    """The account has no such credential, or it was ended before."""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A secret (`token`) or a public key, good for so many days."""

    days: int
    token: Token | None = None
    key: ReadKey | None = None


def add_credential(work: Work, account_id: UUID, wanted: NewCredential, *, reason: str) -> tuple[Account, Credential]:
    """Give the account one more credential. Whoever has it can do what the account can: so must you.

    Raises NotPermitted, AccountUnknown, BeyondYours, TwoLive, KeyUnfit.
    """
    require(work, Permission.TRAIL_READ)  # what is answered shows the account
    require(work, Permission.SERVICE_MANAGE)
    row, account = open_account(work, account_id)
    require_within(work, account.roles, account.scopes)
    made = _made(work, wanted)
    if len(account.live(made.kind, work.database_now)) >= MOST_LIVE:
        raise TwoLive(mark("There are two of this kind that work. End the one that nobody uses any more."))
    if any(each.hint == made.hint and each.jwk for each in account.shown()):
        raise KeyUnfit(mark("The account has this key already."))
    saved = save(work, row, account, account.with_one_more(made), reason=reason)
    work.record(
        CredentialAdded(
            subject_id=account.id,
            credential_id=made.id,
            kind=made.kind,
            hint=made.hint,
            expires_at=made.expires_at.isoformat(),
            reason=reason,
        )
    )
    return saved, made


def giving(account_id: UUID, new: NewCredential, reason: str) -> Callable[[Work], Result]:
    """The operation that gives the account a credential; what is kept of it names no secret."""

    def operation(work: Work) -> Result:
        account, credential = add_credential(work, account_id, new, reason=reason)
        return {"id": str(account.id), "credential_id": str(credential.id)}

    return operation


def end_credential(work: Work, account_id: UUID, credential_id: UUID, *, reason: str) -> Account:
    """End a credential now, and with it every token it was given.

    Raises NotPermitted, AccountUnknown, CredentialUnknown.
    """
    require(work, Permission.TRAIL_READ)  # what is answered shows the account
    require(work, Permission.SERVICE_MANAGE)
    row, account = open_account(work, account_id)
    found = next((each for each in account.shown() if each.id == credential_id), None)
    if found is None:
        raise CredentialUnknown(mark("The account has no such credential, or it was ended before."))
    saved = save(work, row, account, account.with_ended([credential_id], work.database_now), reason=reason)
    work.record(
        CredentialEnded(subject_id=account.id, credential_id=found.id, kind=found.kind, hint=found.hint, reason=reason)
    )
    return saved


def _made(work: Work, wanted: NewCredential) -> Credential:
    kind: Kind = "key" if wanted.key else "secret"
    own: dict[str, Any] = {}
    if wanted.key:
        own = {"hint": wanted.key.thumbprint, "jwk": wanted.key.jwk}
    elif wanted.token:
        own = {"hint": wanted.token.text[-_HINT:], "digest": wanted.token.digest.hex()}
    now = work.database_now
    return Credential(id=new_id(), kind=kind, made_at=now, expires_at=now + timedelta(days=wanted.days), **own)
