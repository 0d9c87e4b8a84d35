"""What people do on the pages of connections. Secrets become `Secret` here, and are no part of any fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl
from uuid import UUID

from litestar import Request, Response
from msgspec import Meta, Struct

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.auth.schemes import WAY, AuthorizationCode, Scheme
from app.connectors.connecting.ageing import watch_age
from app.connectors.connecting.care import (
    NameUnfit,
    NothingToChange,
    ask_test,
    get_detail,
    remove_connection,
    rename_connection,
    replace_credentials,
)
from app.connectors.connecting.journeys import (
    JourneyUnusable,
    Traveller,
    begin_journey,
    end_journey_with,
    read_state,
)
from app.connectors.kit.manifest import Manifest
from app.connectors.operations import ConnectionSetting, add_connection
from app.connectors.pages.offering import FIELD, FIELDS, manifests_of
from app.connectors.pages.showing import callback_of, show_departure, show_list, show_one
from app.identity.rules import token_digest
from app.kernel.commands import Result
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import begin_work, run_form, session_token
from app.web.forms import Form
from app.web.responses import redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_ANSWERS: Final = frozenset({"state", "code", "error"})
_LONGEST: Final = 200  # characters of a plain field


class NewConnection(Struct, frozen=True):
    """What the form sends besides the secrets, which are never part of a schema."""

    connector: Annotated[str, Meta(max_length=60, pattern="^[a-z][a-z0-9_]*$")]
    name: Annotated[str, Meta(max_length=80)]
    way: Annotated[str, Meta(max_length=40)] = ""


def add(request: PageRequest, tenant_id: UUID, form: Form) -> Response[str]:
    """Set a connection up; one that a person has to be asked for at the peer goes on there."""
    filled, manifest = form.fill(NewConnection), manifests_of(request).get(form.first("connector"))
    scheme = manifest.ways.get(form.first("way")) if manifest else None
    errors = filled.errors + (_missing(scheme, form) if scheme else [])
    if filled.value is None or manifest is None or scheme is None or errors:
        typed = {name: form.first(name) for name in ("connector", "name", "way")} | _plain(form)
        return show_list(request, tenant_id, typed=typed, errors=errors, status=422)
    wanted, auth = filled.value, _auth(scheme, form)
    waits = isinstance(scheme, AuthorizationCode)
    setting = ConnectionSetting(
        wanted.connector, wanted.name, {"auth": auth} if auth else {}, _secrets(scheme, form),
        state="pending" if waits else "active",
    )  # fmt: skip
    body = {"connector": wanted.connector, "name": wanted.name, "auth": auth}
    made = run_form(request, tenant_id, key=form.command_key, body=body, operation=_adding(setting, manifest))
    return redirect(request, f"/t/{tenant_id}/connections" + (f"/{made['id']}" if waits else ""))


def _adding(setting: ConnectionSetting, manifest: Manifest) -> Callable[[Work], Result]:
    def operation(work: Work) -> Result:
        connection_id = add_connection(work, setting)
        watch_age(work, connection_id, manifest)
        return {"id": str(connection_id)}

    return operation


def rename(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form) -> Response[str]:
    """Call it otherwise."""
    name = form.first("name")

    def renaming(work: Work) -> Result:
        rename_connection(work, connection_id, name)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body={"name": name}, operation=renaming)
    except NameUnfit as error:
        wrong = {"name": name, "errors": [("name", error.message)], "open": "rename"}
        return show_one(request, tenant_id, connection_id, wrong=wrong, status=error.status)
    return _back(request, tenant_id, connection_id, "renamed")


def leave(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form) -> Response[str]:
    """Begin a journey. Each press of the button begins another: what was made for one is nobody's to see again."""
    form.command_key  # noqa: B018  raises for a form that is not ours
    manifests, traveller = manifests_of(request), Traveller(_session(request), callback_of(request))
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        detail = get_detail(work, connection_id)
        url = begin_journey(work, connection_id, manifests[detail.connector], traveller)
    return show_departure(request, tenant_id, detail, manifests[detail.connector], url)


def take_answer(request: PageRequest, tenant_id: UUID) -> Response[str]:
    """Take the peer's answer. Raises NotPermitted, JourneyUnknown, JourneyUnusable."""
    answer = answer_of(request)
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        coming = read_state(answer.get("state", ""))
        if coming.tenant_id != tenant_id:
            raise JourneyUnusable(_ANOTHER)
        end_journey_with(work, coming.connection_id, answer=answer, session=_session(request))
    return redirect(request, f"/t/{tenant_id}/connections/{coming.connection_id}")


def change(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form) -> Response[str]:
    """Lay new credentials beside those in use; what is left empty stays as it is."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        detail = get_detail(work, connection_id)
    manifest = manifests_of(request)[detail.connector]
    scheme = manifest.way(detail.auth)
    values = {slot: Secret(text) for slot in scheme.slots if (text := form.first(slot))}
    auth = {**detail.auth, **{name: text for name, text in _auth(scheme, form).items() if text}}

    def changing(work: Work) -> Result:
        replace_credentials(work, connection_id, values=values, auth=auth)
        return {}

    body = {"auth": auth, "fields": sorted(values)}
    try:
        run_form(request, tenant_id, key=form.command_key, body=body, operation=changing)
    except NothingToChange as error:
        wrong = {"errors": [(scheme.slots[0] if scheme.slots else "", error.message)], "open": "credentials"}
        return show_one(request, tenant_id, connection_id, wrong=wrong, status=error.status)
    return _back(request, tenant_id, connection_id, "changed")


def test(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form) -> Response[str]:
    """Have it tried out."""
    run_form(request, tenant_id, key=form.command_key, body={}, operation=_done(ask_test, connection_id))
    return _back(request, tenant_id, connection_id, "")


def remove(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form) -> Response[str]:
    """Take it away."""
    run_form(request, tenant_id, key=form.command_key, body={}, operation=_done(remove_connection, connection_id))
    return redirect(request, f"/t/{tenant_id}/connections?done=removed")


def answer_of(request: PageRequest) -> dict[str, str]:
    """The parameters of the peer's answer, each once. Raises JourneyUnusable."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    mine = [(name, value) for name, value in pairs if name in _ANSWERS]
    if len(dict(mine)) != len(mine) or any("\x00" in value for _name, value in mine):
        raise JourneyUnusable(_TWICE)
    return dict(mine)


def _done(operation: Callable[[Work, UUID], None], connection_id: UUID) -> Callable[[Work], Result]:
    def run(work: Work) -> Result:
        operation(work, connection_id)
        return {}

    return run


def _session(request: PageRequest) -> str:
    """The digest of the session that somebody came with."""
    return token_digest(session_token(request) or "").hex()


def _missing(scheme: Scheme, form: Form) -> list[tuple[str, str]]:
    asked = [FIELD + name for name in scheme.fields if name not in scheme.may_ask]
    empty = [(name, _EMPTY) for name in (*asked, *scheme.slots) if not form.first(name).strip()]
    return empty + [(FIELD + name, _LONG) for name in scheme.fields if len(form.first(FIELD + name)) > _LONGEST]


def _auth(scheme: Scheme, form: Form) -> dict[str, str]:
    """The way and its plain fields, as the connection keeps them."""
    fields = {name: form.first(FIELD + name).strip()[:_LONGEST] for name in scheme.fields}
    chosen = {WAY: scheme.way} if scheme.way else {}
    return chosen | {name: text for name, text in fields.items() if text}


def _secrets(scheme: Scheme, form: Form) -> dict[str, Secret]:
    return {slot: Secret(form.first(slot)) for slot in scheme.slots}


def _plain(form: Form) -> dict[str, str]:
    return {FIELD + name: text for name in FIELDS if (text := form.first(FIELD + name))}


def _back(request: PageRequest, tenant_id: UUID, connection_id: UUID, done: str) -> Response[str]:
    return redirect(request, f"/t/{tenant_id}/connections/{connection_id}" + (f"?done={done}" if done else ""))


_EMPTY = mark("Fill in this field.")
_LONG = mark("This is too long.")
_TWICE = mark("This answer cannot be read. Start again from the connection.")
_ANOTHER = mark("This answer is for another workspace. Start again from the connection.")
