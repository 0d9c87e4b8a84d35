"""What the pages of service accounts show and do, whichever place they are of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.policy.words import grouped
from app.identity.machines.keys import KeyUnfit, PrivateKeyGiven, read_key_text
from app.identity.machines.operations.accounts import (
    AccountStale,
    BeyondYours,
    RolesUnfit,
    ScopesUnfit,
    TooManyAccounts,
    Wanted,
    change_account,
    create_account,
    offered_roles,
    offered_scopes,
    remove_account,
    version_tag,
)
from app.identity.machines.operations.credentials import NewCredential, TwoLive, end_credential, giving
from app.identity.machines.places import Place
from app.identity.machines.queries import get_account, list_accounts
from app.identity.machines.rules import ACTIVE, CREDENTIAL_DAYS, DISABLED, MOST_LIVE, Account
from app.identity.machines.schemas import AccountForm, ChangeForm, CredentialForm, ReasonForm
from app.identity.rules import new_token
from app.kernel.commands import Result
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.web.begin import NothingHere, front_of, site_of
from app.web.forms import Filled, Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

Errors = list[tuple[str, str]]
_ANY = frozenset({"*"})
_FIELDS = ("name", "roles", "scopes", "reason")
_TOLD = (RolesUnfit, ScopesUnfit, BeyondYours, TooManyAccounts)  # said beside the form, with all that was typed
_PLACES: dict[type[SlipwayError], str] = {KeyUnfit: "public_key", RolesUnfit: "roles", ScopesUnfit: "scopes"}
_NOTHING = mark("The address may be mistyped, or it was never meant for your account.")


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done to an account only after it was confirmed."""

    name: str
    operation: Callable[[Work, UUID, str], Account]


def _state(state: str) -> Callable[[Work, UUID, str], Account]:
    def change(work: Work, account_id: UUID, reason: str) -> Account:
        return change_account(work, account_id, Wanted(state=state), versions=_ANY, reason=reason)[0]

    return change


STEPS = {
    "disablement": Step("disable", _state(DISABLED)),
    "enablement": Step("enable", _state(ACTIVE)),
    "removal": Step("remove", lambda work, account_id, reason: remove_account(work, account_id, reason=reason)),
}


def show_list(place: Place, typed: dict[str, Any], errors: Errors, *, status: int = 200) -> Response[str]:
    """Every account, and the form for one more."""

    def reading(work: Work) -> dict[str, Any]:
        may = can(work.rights, Permission.SERVICE_MANAGE)
        offers = _offers(work) if may else None
        return {"found": list_accounts(work), "now": work.database_now, "offers": offers}

    seen = place.read(reading)
    use = place.use(seen["found"])
    shown = [msgspec.structs.asdict(place.shown(each, use, seen["now"])) for each in seen["found"]]
    filled = {"name": "", "roles": [], "scopes": [], "reason": ""} | typed
    context = {"accounts": shown, "offers": seen["offers"], "typed": filled, "errors": errors}
    return _page(place, "accounts", context, status=status)


def add(place: Place, form: Form) -> Response[str]:
    """Make an account, and go to its page, where it is given a credential."""
    filled = form.fill(AccountForm)
    typed = {name: form.every(name) if name in {"roles", "scopes"} else form.first(name) for name in _FIELDS}
    if filled.value is None:
        return show_list(place, typed, filled.errors, status=422)
    wanted = msgspec.to_builtins(filled.value)

    def creating(work: Work) -> Result:
        return {"id": str(create_account(work, **wanted).id)}

    try:
        made, _replayed = place.change(form.command_key, wanted, creating)
    except _TOLD as error:
        return show_list(place, typed, [("", error.message)], status=error.status)
    return redirect(place.request, f"{place.path}/{made['id']}")


def show_account(
    place: Place,
    account_id: UUID,
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    status: int = 200,
    *,
    changing: dict[str, Any] | None = None,
) -> Response[str]:
    """One account with its credentials, and the forms that change it; `changing` is what was typed there, and wrong."""

    def reading(work: Work) -> tuple[Account, Any, dict[str, Any] | None]:
        account = get_account(work, account_id)
        may = can(work.rights, Permission.SERVICE_MANAGE)
        return account, work.database_now, _changes(work, account) if may else None

    account, now, change_form = place.read(reading)
    may = change_form is not None
    shown = msgspec.structs.asdict(place.shown(account, place.use([account]), now))
    room = {kind: may and len(account.live(kind, now)) < MOST_LIVE for kind in ("secret", "key")}
    filled = {"kind": "", "days": CREDENTIAL_DAYS, "reason": "", "public_key": ""} | (typed or {})
    context = {"account": shown, "may_change": may, "room": room, "typed": filled, "errors": errors or []}
    context["change"] = change_form | {"errors": []} | (changing or {}) if change_form else None
    return _page(place, "account", context | {"issuer": _issuer(place)}, status=status)


def change(place: Place, account_id: UUID, form: Form) -> Response[str]:
    """Give it other roles and scopes, from the version that was read; what it loses is gone with its next request."""
    filled = form.fill(ChangeForm)
    typed = {name: form.every(name) for name in ("roles", "scopes")} | {"reason": form.first("reason")}
    if (said := filled.value) is None:
        return show_account(place, account_id, status=422, changing={"typed": typed, "errors": filled.errors})
    wanted, versions = Wanted(roles=said.roles, scopes=said.scopes), frozenset({said.version})

    def changing(work: Work) -> Result:
        return {"id": str(change_account(work, account_id, wanted, versions=versions, reason=said.reason)[0].id)}

    try:
        place.change(form.command_key, msgspec.to_builtins(said), changing)
    except (RolesUnfit, ScopesUnfit, BeyondYours, AccountStale) as error:
        told = {"typed": typed, "errors": [(_place_of(error), error.message)]}
        return show_account(place, account_id, status=error.status, changing=told)
    return redirect(place.request, f"{place.path}/{account_id}")


def give_credential(place: Place, account_id: UUID, form: Form) -> Response[str]:
    """Give it a secret, which is shown in this answer and never again, or a public key."""
    filled, kind = form.fill(CredentialForm), form.first("kind")
    typed = {name: form.first(name) for name in ("kind", "days", "reason", "public_key")}
    if filled.value is None:
        return show_account(place, account_id, typed, filled.errors, 422)
    try:
        new = _new(filled.value, kind)
        operation = giving(account_id, new, filled.value.reason)
        _result, replayed = place.change(form.command_key, typed, operation)
    except (KeyUnfit, TwoLive) as error:
        typed = typed | ({"public_key": ""} if isinstance(error, PrivateKeyGiven) else {})
        return show_account(place, account_id, typed, [(_place_of(error), error.message)], error.status)
    if new.token is None:
        return redirect(place.request, f"{place.path}/{account_id}")
    account = place.read(lambda work: get_account(work, account_id))
    told = {"account": {"id": account.id, "name": account.name}, "secret": "" if replayed else new.token.text}
    return _page(place, "secret", told | {"token_url": f"{_issuer(place)}/oauth/token"}, status=201)


def ask(place: Place, account_id: UUID, step: str, credential_id: UUID | None = None) -> Response[str]:
    """What would be done, and the form that does it."""
    return _ask(place, account_id, step, credential_id, None)


def do(place: Place, account_id: UUID, step: str, form: Form) -> Response[str]:
    """Carry a confirmed step out."""
    wanted = STEPS.get(step)
    if wanted is None:
        raise NothingHere(_NOTHING)
    filled = form.fill(ReasonForm)
    if filled.value is None:
        return _ask(place, account_id, step, None, filled)
    reason, operation = filled.value.reason, wanted.operation

    def doing(work: Work) -> Result:
        return {"id": str(operation(work, account_id, reason).id)}

    place.change(form.command_key, {"reason": reason}, doing)
    return redirect(place.request, place.path if wanted.name == "remove" else f"{place.path}/{account_id}")


def end(place: Place, account_id: UUID, credential_id: UUID, form: Form) -> Response[str]:
    """End a credential after it was confirmed."""
    filled = form.fill(ReasonForm)
    if filled.value is None:
        return _ask(place, account_id, "ending", credential_id, filled)
    reason = filled.value.reason

    def ending(work: Work) -> Result:
        return {"id": str(end_credential(work, account_id, credential_id, reason=reason).id)}

    place.change(form.command_key, {"reason": reason}, ending)
    return redirect(place.request, f"{place.path}/{account_id}")


def _ask(
    place: Place, account_id: UUID, step: str, credential_id: UUID | None, filled: Filled[ReasonForm] | None
) -> Response[str]:
    account = place.read(lambda work: get_account(work, account_id))
    credential = next((each for each in account.shown() if each.id == credential_id), None)
    if step not in STEPS and credential is None:
        raise NothingHere(_NOTHING)
    path = f"{place.path}/{account_id}"
    context = {
        "account": {"id": account.id, "name": account.name},
        "step": "end" if credential else STEPS[step].name,
        "credential": credential and {"kind": credential.kind, "hint": credential.hint},
        "action": f"{path}/credentials/{credential.id}/ending" if credential else f"{path}/{step}",
        "typed": filled.typed if filled else {"reason": ""},
        "errors": filled.errors if filled else [],
    }
    return _page(place, "confirm", context, status=422 if filled else 200)


def _offers(work: Work, account: Account | None = None) -> dict[str, Any]:
    """What the reader may give; what the account has beyond that stands there too, to be taken away."""
    roles, scopes = offered_roles(work), offered_scopes(work)
    held = account.scopes if account else ()
    groups = [
        {
            "title": group.title,
            "offers": [{"value": name, "words": words, "beyond": name not in scopes} for name, words in group.items],
        }
        for group in grouped({*scopes, *held})
    ]
    return {"roles": list(dict.fromkeys([*roles, *(account.roles if account else ())])), "scopes": groups}


def _changes(work: Work, account: Account) -> dict[str, Any]:
    typed = {"roles": list(account.roles), "scopes": list(account.scopes), "reason": ""}
    return {"offers": _offers(work, account), "typed": typed, "version": version_tag(account)}


def _new(wanted: CredentialForm, kind: str) -> NewCredential:
    if kind == "secret":
        return NewCredential(wanted.days, token=new_token())
    return NewCredential(wanted.days, key=read_key_text(wanted.public_key))


def _page(place: Place, name: str, context: dict[str, Any], *, status: int) -> Response[str]:
    tenant = place.tenant
    own = {
        "home": tenant.kind == "home",
        "place": {"name": tenant.name, "path": "/" if tenant.kind == "home" else f"/t/{tenant.id}"},
        "path": place.path,
        "command_key": new_command_key(),
    }
    nav = staff_nav(place.request)
    return page(place.request, f"identity/machines/{name}.html", own | context, status=status, nav=nav)


def _issuer(place: Place) -> str:
    return front_of(place.request).url(site_of(place.request).host, "")


def _place_of(error: SlipwayError) -> str:
    return next((place for kind, place in _PLACES.items() if isinstance(error, kind)), "")
