"""What the doors of accounts do and answer, whichever place they are of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from msgspec import UNSET

from app.identity.machines.keys import KeyUnfit, read_key
from app.identity.machines.operations.accounts import (
    Wanted,
    change_account,
    create_account,
    remove_account,
    version_tag,
)
from app.identity.machines.operations.credentials import (
    CredentialUnknown,
    NewCredential,
    end_credential,
    giving,
)
from app.identity.machines.places import Place, credential_out
from app.identity.machines.queries import Use, get_account, list_accounts
from app.identity.machines.rules import Account
from app.identity.machines.schemas import (
    AccountCreate,
    AccountList,
    AccountPatch,
    CredentialCreate,
    CredentialMade,
    WhyQuery,
)
from app.identity.rules import new_token
from app.kernel.commands import Result
from app.kernel.work import Work
from app.web.translations import mark
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import JSON, MERGE_PATCH, read_body, read_match, read_query
from app.web.wire.reading import read_key as read_once_key

PageRequest = Request[Any, Any, Any]


def answer_list(place: Place) -> Response[bytes]:
    """All accounts of the place."""
    accounts, now = place.read(lambda work: (list_accounts(work), work.database_now))
    use = place.use(accounts)
    return answer_done(write(AccountList([place.shown(each, use, now) for each in accounts])), status=200)


def answer_one(place: Place, account_id: UUID, *, status: int = 200, replayed: bool = False) -> Response[bytes]:
    """One account, with its version."""
    account, now = place.read(lambda work: (get_account(work, account_id), work.database_now))
    content = write(place.shown(account, place.use([account]), now))
    told = {"etag": version_tag(account)}
    if status == 201:  # noqa: PLR2004 - created
        told["location"] = f"{place.api}/{account_id}"
    return answer_done(content, status=status, headers=told, replayed=replayed)


def create(place: Place, body: bytes) -> Response[bytes]:
    """Make an account once for the key."""
    wanted = read_body(place.request, body, AccountCreate)
    given = msgspec.to_builtins(wanted)

    def creating(work: Work) -> Result:
        return {"id": str(create_account(work, **given).id)}

    made, replayed = place.change(read_once_key(place.request), given, creating)
    return answer_one(place, UUID(str(made["id"])), status=201, replayed=replayed)


def change(place: Place, account_id: UUID, body: bytes) -> Response[bytes]:
    """Change the version that was read."""
    versions = read_match(place.request)
    patch = read_body(place.request, body, AccountPatch, media=(MERGE_PATCH, JSON))
    given = {name: getattr(patch, name) for name in Wanted.__slots__}
    wanted = Wanted(**{name: value for name, value in given.items() if value is not UNSET})
    place.read(lambda work: change_account(work, account_id, wanted, versions=versions, reason=patch.reason))
    place.follow(account_id)
    return answer_one(place, account_id)


def remove(place: Place, account_id: UUID) -> Response[bytes]:
    """End the account for good."""
    reason = read_query(place.request, WhyQuery).reason

    def removing(work: Work) -> tuple[Account, Any]:
        return remove_account(work, account_id, reason=reason), work.database_now

    account, now = place.read(removing)
    place.follow(account_id)
    return answer_done(write(place.shown(account, Use(), now)), status=200)


def give(place: Place, account_id: UUID, body: bytes) -> Response[bytes]:
    """Give the account a credential once for the key; the secret is in the first answer and nowhere else."""
    wanted = read_body(place.request, body, CredentialCreate)
    new = _new(wanted)
    result, replayed = place.change(
        read_once_key(place.request), msgspec.to_builtins(wanted), giving(account_id, new, wanted.reason)
    )
    account, now = place.read(lambda work: (get_account(work, account_id), work.database_now))
    given = next((each for each in account.credentials if str(each.id) == result["credential_id"]), None)
    if given is None:
        raise CredentialUnknown(mark("The account has no such credential, or it was ended before."))
    use, secret = place.use([account]), None if replayed or new.token is None else new.token.text
    made = CredentialMade(credential_out(given, use, now), secret, place.shown(account, use, now))
    return answer_done(write(made), status=201, headers={"etag": version_tag(account)}, replayed=replayed)


def take(place: Place, account_id: UUID, credential_id: UUID) -> Response[bytes]:
    """End one credential."""
    reason = read_query(place.request, WhyQuery).reason
    place.read(lambda work: end_credential(work, account_id, credential_id, reason=reason))
    place.follow(account_id)
    return answer_one(place, account_id)


def _new(wanted: CredentialCreate) -> NewCredential:
    if wanted.kind == "secret" and wanted.public_key is None:
        return NewCredential(wanted.days, token=new_token())
    if wanted.kind == "key" and wanted.public_key is not None:
        return NewCredential(wanted.days, key=read_key(wanted.public_key))
    raise KeyUnfit(mark("A key comes with `public_key`, a secret without."), errors=[("/public_key", "")])
