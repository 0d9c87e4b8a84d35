"""Makes, changes, stops and removes service accounts, in the tenant they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import func, select

from app.access.decisions import permissions_of
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import implied_roles, known_roles
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES
from app.identity.machines.documents import to_document
from app.identity.machines.events import AccountChanged, AccountCreated
from app.identity.machines.queries import account_of, get_row
from app.identity.machines.rules import ACTIVE, DISABLED, FOR_PEOPLE, MOST_ACCOUNTS, REMOVED, SERVICE, Account
from app.identity.models import Member
from app.kernel.errors import Conflict, Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.web.translations import mark
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "rest_accounts": "part of the import of a tenant: its software has to be let in anew",
    "require_within": "asked by operations that have asked for their own right",
    "save": "part of the operations that change an account",
    "version_tag": "says which version of an account somebody has read",
    "offered_roles": "what a form may offer, behind a list that asks for its own right",
    "offered_scopes": "what a form may offer, behind a list that asks for its own right",
    "open_account": "part of the operations that change an account",
}
FOLLOW = "identity.follow_account"


class RolesUnfit(Invalid):
    """The roles are not ones that an account of this place can have."""


class ScopesUnfit(Invalid):
    """A scope is no permission, is a decision that needs a person, or goes beyond what the roles allow."""


class BeyondYours(Forbidden):
    """The account would get, or has, a role or a permission that you do not hold yourself."""


class TooManyAccounts(Conflict):
    """There are as many service accounts as one workspace may have."""


class AccountStale(Conflict):
    """The account has changed since you read it."""

    status = 412


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an account is to be; None leaves it as it is."""

    name: str | None = None
    roles: Sequence[str] | None = None
    scopes: Sequence[str] | None = None
    state: str | None = None


def create_account(work: Work, *, name: str, roles: Sequence[str], scopes: Sequence[str], reason: str) -> Account:
    """Make an account; it can do nothing before it has a credential.

    Raises NotPermitted, RolesUnfit, ScopesUnfit, BeyondYours, TooManyAccounts.
    """
    require(work, Permission.TRAIL_READ)  # what is answered shows the account
    require(work, Permission.SERVICE_MANAGE)
    require_within(work, roles, scopes)
    count = select(func.count()).select_from(Member).where(Member.kind == SERVICE, Member.state != REMOVED)
    if (work.session.scalar(count) or 0) >= MOST_ACCOUNTS:
        raise TooManyAccounts(mark("There are a hundred service accounts here. Remove one that nobody uses."))
    account = Account(new_id(), name, ACTIVE, tuple(roles), tuple(sorted(set(scopes))), 1, work.now)
    row = Member(
        person_id=account.id,
        email="",
        name=name,
        role=account.roles[0],
        locale="en",
        state=ACTIVE,
        invited_at=account.made_at,
        kind=SERVICE,
        service=to_document(account),
    )
    work.session.add(row)
    given = AccountCreated(
        subject_id=account.id, name=name, roles=list(account.roles), scopes=list(account.scopes), reason=reason
    )
    work.record(given)
    _let_follow(work, account)
    return account


def change_account(
    work: Work, account_id: UUID, wanted: Wanted, *, versions: frozenset[str], reason: str
) -> tuple[Account, bool]:
    """Change the version that the sender has read: one of these tags, or any where `*` is among them.

    Returns the account and whether anything changed. What it may do afterwards has to be within what the sender holds,
    unless it is only stopped. Raises NotPermitted, AccountUnknown, AccountStale, RolesUnfit, ScopesUnfit, BeyondYours.
    """
    require(work, Permission.TRAIL_READ)  # what is answered shows the account
    require(work, Permission.SERVICE_MANAGE)
    row, account = open_account(work, account_id)
    if not versions & {"*", version_tag(account)}:
        raise AccountStale(mark("The account has changed since you read it. Read it again, then change it."))
    given = {name: getattr(wanted, name) for name in Wanted.__slots__ if getattr(wanted, name) is not None}
    after = replace(account, **given)
    after = replace(after, roles=tuple(after.roles), scopes=tuple(sorted(set(after.scopes))))
    if after == account:
        return account, False
    if after.state == ACTIVE or (after.roles, after.scopes) != (account.roles, account.scopes):
        require_within(work, after.roles, after.scopes)
    return save(work, row, account, after, reason=reason), True


def remove_account(work: Work, account_id: UUID, *, reason: str) -> Account:
    """End it for good, with every credential and token. Raises NotPermitted, AccountUnknown."""
    require(work, Permission.TRAIL_READ)  # what is answered shows the account
    require(work, Permission.SERVICE_MANAGE)
    row, account = open_account(work, account_id)
    gone = replace(account.with_ended([each.id for each in account.credentials], work.database_now), state=REMOVED)
    return save(work, row, account, gone, reason=reason)


def rest_accounts(work: Work, *, reason: str) -> None:
    """Stop every account and end its credentials, with an entry for each: somebody here lets it in anew."""
    rows = work.session.scalars(select(Member).where(Member.kind == SERVICE, Member.state != REMOVED).with_for_update())
    for row in rows:
        account = account_of(row)
        rested = account.with_ended([each.id for each in account.credentials], work.database_now)
        save(work, row, account, replace(rested, state=DISABLED), reason=reason)


def open_account(work: Work, account_id: UUID) -> tuple[Member, Account]:
    """The account, locked until the commit. Raises AccountUnknown."""
    row = get_row(work, account_id, lock=True)
    return row, account_of(row)


def save(work: Work, row: Member, before: Account, after: Account, *, reason: str | None) -> Account:
    """Write the account as its next version, say in the trail what is another now, and let `control` follow."""
    saved = replace(after, version=before.version + 1)
    row.name, row.state, row.role = saved.name, saved.state, saved.roles[0]
    row.service = to_document(saved)
    was = {name: getattr(before, name) for name in ("name", "roles", "scopes", "state")}
    changed = {name: value for name, value in was.items() if value != getattr(saved, name)}
    if changed:
        work.record(
            AccountChanged(
                subject_id=saved.id,
                name=saved.name,
                roles=list(saved.roles),
                scopes=list(saved.scopes),
                state=saved.state,
                before=changed,
                reason=reason,
            )
        )
    _let_follow(work, saved)
    return saved


def version_tag(account: Account) -> str:
    """The ETag of an account's version."""
    return f'"{account.id.hex[-12:]}-{account.version}"'


def require_within(work: Work, roles: Sequence[str], scopes: Sequence[str]) -> None:
    """Go on only where these fit together and the actor holds them. Raises RolesUnfit, ScopesUnfit, BeyondYours."""
    known, home = known_roles(roles), work.tenant.kind == "home"
    if not roles or len(known) != len(roles) or not known <= _roles_of(work.tenant) or (not home and len(roles) != 1):
        raise RolesUnfit(_ROLES if home else _ONE_ROLE)
    allowed = permissions_of(frozenset(roles)) - FOR_PEOPLE
    if unfit := sorted(set(scopes) - allowed):
        raise ScopesUnfit(_SCOPES, errors=[("/scopes", name) for name in unfit])
    mine = implied_roles(work.rights)
    beyond = [str(role) for role in sorted(known - mine)] + sorted(set(scopes) - permissions_of(work.rights))
    if beyond:
        raise BeyondYours(_BEYOND, errors=[("", name) for name in beyond])


def offered_roles(work: Work) -> list[str]:
    """The roles that this actor can give an account of this place."""
    return sorted(str(role) for role in implied_roles(work.rights) & _roles_of(work.tenant))


def offered_scopes(work: Work) -> list[str]:
    """The scopes that this actor can give an account of this place."""
    able = permissions_of(frozenset(offered_roles(work))) & permissions_of(work.rights)
    return sorted(able - FOR_PEOPLE)


def _roles_of(tenant: Tenant) -> frozenset[str]:
    return frozenset(PARTNER_ROLES | PLATFORM_ROLES if tenant.kind == "home" else CUSTOMER_ROLES)


def _let_follow(work: Work, account: Account) -> None:
    """Whoever changed it tells `control` right after the commit; where that fails, this job does."""
    work.enqueue(FOLLOW, args={"account_id": str(account.id)}, dedupe_key=f"{FOLLOW}:{account.id}:{account.version}")


_ROLES = mark("An account of a partner has one or more of the partner's roles.")
_ONE_ROLE = mark("An account of a workspace has exactly one of the workspace's roles.")
_SCOPES = mark("These scopes are not among what the roles allow, or they are decisions that need a person.")
_BEYOND = mark("Nobody gives software more than they hold themselves. Ask somebody who holds these.")
