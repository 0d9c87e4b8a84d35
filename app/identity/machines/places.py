"""Where accounts are kept: a partner's home, or the tenant of the path; and what each place's accounts look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request

from app.identity.machines.operations.following import follow_soon
from app.identity.machines.queries import Use, read_use
from app.identity.machines.rules import TOKEN, Account, Credential
from app.identity.machines.schemas import AccountOut, CredentialOut
from app.kernel.commands import Result
from app.kernel.work import Work
from app.web.begin import (
    NOTHING_HERE,
    NothingHere,
    begin_work,
    front_of,
    home_of,
    run_once,
    runtime_of,
    site_of,
    trace_of,
    visit_of,
)
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """The tenant whose accounts these are, and the request that asks for them."""

    request: PageRequest
    tenant: Tenant

    @property
    def path(self) -> str:
        """Where the pages of its accounts are."""
        return "/service-accounts" if self.tenant.kind == "home" else f"/t/{self.tenant.id}/service-accounts"

    @property
    def api(self) -> str:
        """Where the API of its accounts is."""
        prefix = "/api/v1" if self.tenant.kind == "home" else f"/api/v1/tenants/{self.tenant.id}"
        return f"{prefix}/service-accounts"

    def read(self, reading: Callable[[Work], Any]) -> Any:
        """What the reading gives, in a transaction of the place."""
        with begin_work(self.request, self.tenant.id) as work:
            return reading(work)

    def change(self, key: str, body: object, operation: Callable[[Work], Result]) -> tuple[Result, bool]:
        """Run it once for the key, then let `control` follow. Gives the result, and whether it was done before.

        The result names the account by `id`; it is kept, so there is no secret in it.
        """
        result, replayed = run_once(self.request, self.tenant.id, key=key, body=body, operation=operation)
        self.follow(UUID(str(result["id"])))
        return result, replayed

    def follow(self, account_id: UUID) -> None:
        """Let `control` hear of what was committed."""
        runtime, actor = runtime_of(self.request), visit_of(self.request).actor
        follow_soon(runtime, self.tenant, actor, account_id, trace_id=trace_of(self.request))

    def use(self, accounts: list[Account]) -> Use:
        """When they were last used."""
        return read_use(runtime_of(self.request), visit_of(self.request).actor, self.tenant, accounts)

    def shown(self, account: Account, use: Use, now: datetime) -> AccountOut:
        """The account as software sees it."""
        return AccountOut(
            id=account.id,
            name=account.name,
            state=account.state,  # type: ignore[arg-type]  # the row holds no other words
            roles=list(account.roles),
            scopes=list(account.scopes),
            made_at=account.made_at,
            used_at=use.accounts.get(account.id),
            credentials=[credential_out(each, use, now) for each in account.shown()],
            token_url=front_of(self.request).url(site_of(self.request).host, TOKEN),
        )


def credential_out(one: Credential, use: Use, now: datetime) -> CredentialOut:
    """A credential as everybody sees it."""
    state = "expiring" if one.ends_soon(now) else "live" if one.is_live(now) else "expired"
    return CredentialOut(
        id=one.id,
        kind=one.kind,
        hint=one.hint,
        state=state,  # type: ignore[arg-type]  # one of the three, one line above
        made_at=one.made_at,
        expires_at=one.expires_at,
        used_at=use.credentials.get(one.id),
    )


def home_place(request: PageRequest) -> Place:
    """The home of the host's organisation. Raises NothingHere if there is none."""
    return Place(request, home_of(request))


def tenant_place(request: PageRequest) -> Place:
    """The tenant of the path, as the door let the visitor into it. A home has its own address. Raises NothingHere."""
    tenant = visit_of(request).tenant
    if tenant is None or tenant.kind == "home":
        raise NothingHere(NOTHING_HERE)
    return Place(request, tenant)
