"""What people do on the pages of webhooks. What can be mended is said beside the form, with all that was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from app.connectors.webhooks.forms import CodeForm, EndpointForm, KeyForm
from app.connectors.webhooks.operations.care import (
    CodeWrong,
    ask_again,
    confirm_endpoint,
    disable_endpoint,
    enable_endpoint,
    repeat_delivery,
    repeat_wished,
    rotate_key,
    try_endpoint,
)
from app.connectors.webhooks.operations.endpoints import (
    AddressUnfit,
    EndpointStale,
    TooManyEndpoints,
    TypesUnfit,
    Wanted,
    add_endpoint,
    change_endpoint,
    remove_endpoint,
)
from app.connectors.webhooks.operations.keys import RotationUnderWay
from app.connectors.webhooks.pages.showing import (
    Errors,
    path_of,
    show_endpoint,
    show_list,
    show_question,
    show_secret,
)
from app.connectors.webhooks.signing import shared_of
from app.kernel.commands import Result
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import NOTHING_HERE, NothingHere, run_form, run_once
from app.web.forms import Filled, Form
from app.web.responses import redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a button does to an endpoint; what harms is `asked` before, with the question of that name."""

    operation: Callable[[Work, UUID], object]
    asked: str = ""


_BOXES: Final = ("ordered", "thin", "customers")
STEPS: Final = {
    "verification": Step(ask_again),
    "test": Step(try_endpoint),
    "enablement": Step(enable_endpoint),
    "disablement": Step(disable_endpoint, "disable"),
    "repetition": Step(repeat_wished, "repeat"),
    "removal": Step(remove_endpoint, "remove"),
}


def add(request: PageRequest, tenant_id: UUID, form: Form) -> Response[str]:
    """Name an address, and show the secret that its messages are signed with."""
    filled, typed = _filled(form)
    if filled.value is None:
        return show_list(request, tenant_id, typed=typed, errors=filled.errors, status=422)
    wanted, made = filled.value.wanted, list[Secret]()

    def adding(work: Work) -> Result:
        endpoint, key = add_endpoint(work, **wanted)
        made.append(key)
        return {"id": str(endpoint.id)}

    try:
        result, replayed = run_once(request, tenant_id, key=form.command_key, body=wanted, operation=adding)
    except (AddressUnfit, TypesUnfit, TooManyEndpoints) as error:
        told = _told(error, wanted["types"])
        return show_list(request, tenant_id, typed=typed, status=error.status, **told)
    return show_secret(request, tenant_id, UUID(str(result["id"])), _once(made, replayed=replayed), fresh=True)


def change(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, form: Form) -> Response[str]:
    """Let it hear something else, or somewhere else, from what was read."""
    filled, typed = _filled(form)
    if (said := filled.value) is None:
        wrong = {"typed": typed, "errors": filled.errors, "open": True}
        return show_endpoint(request, tenant_id, endpoint_id, status=422, change=wrong)

    def changing(work: Work) -> Result:
        change_endpoint(work, endpoint_id, Wanted(**said.wanted), versions=frozenset({said.seen}))
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=said.wanted, operation=changing)
    except (AddressUnfit, TypesUnfit, EndpointStale) as error:
        wrong = {"typed": typed, "open": True} | _told(error, said.all_types())
        return show_endpoint(request, tenant_id, endpoint_id, status=error.status, change=wrong)
    return _back(request, tenant_id, endpoint_id, "changed")


def confirm(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, form: Form) -> Response[str]:
    """Prove the address by the code that arrived there."""
    filled, typed = form.fill(CodeForm), form.first("code")
    if (said := filled.value) is None:
        wrong = {"typed": typed, "errors": filled.errors}
        return show_endpoint(request, tenant_id, endpoint_id, status=422, code=wrong)

    def confirming(work: Work) -> Result:
        return {"id": str(confirm_endpoint(work, endpoint_id, said.code).id)}

    try:
        run_form(request, tenant_id, key=form.command_key, body={"code": said.code}, operation=confirming)
    except CodeWrong as error:
        wrong = {"typed": typed, "errors": [("code", error.message)]}
        return show_endpoint(request, tenant_id, endpoint_id, status=error.status, code=wrong)
    return _back(request, tenant_id, endpoint_id, "verified")


def rotate(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, form: Form) -> Response[str]:
    """Sign with a new key, and show its secret."""
    filled, typed, made = form.fill(KeyForm), form.first("hours"), list[Secret]()
    if (said := filled.value) is None:
        wrong = {"typed": typed, "errors": filled.errors}
        return show_endpoint(request, tenant_id, endpoint_id, status=422, rotate=wrong)

    def rotating(work: Work) -> Result:
        endpoint, key = rotate_key(work, endpoint_id, overlap_hours=said.hours)
        made.append(key)
        return {"id": str(endpoint.id)}

    body = {"hours": said.hours}
    try:
        _result, replayed = run_once(request, tenant_id, key=form.command_key, body=body, operation=rotating)
    except RotationUnderWay as error:
        wrong = {"typed": typed, "errors": [("hours", error.message)]}
        return show_endpoint(request, tenant_id, endpoint_id, status=error.status, rotate=wrong)
    return show_secret(request, tenant_id, endpoint_id, _once(made, replayed=replayed), fresh=False)


def repeat_one(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, event_id: UUID, form: Form) -> Response[str]:
    """Send one event again."""

    def repeating(work: Work) -> Result:
        repeat_delivery(work, endpoint_id, event_id)
        return {}

    run_form(request, tenant_id, key=form.command_key, body={}, operation=repeating)
    return _back(request, tenant_id, endpoint_id, "again", "#deliveries")


def ask(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, step: str) -> Response[str]:
    """The question before a step that is not taken lightly. Raises NothingHere for another one."""
    wanted = STEPS.get(step)
    if wanted is None or not wanted.asked:
        raise NothingHere(NOTHING_HERE)
    return show_question(request, tenant_id, endpoint_id, step, wanted.asked)


def do(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, step: str, form: Form) -> Response[str]:
    """Take a step. Raises NothingHere for one that there is not."""
    wanted = STEPS.get(step)
    if wanted is None:
        raise NothingHere(NOTHING_HERE)

    def doing(work: Work) -> Result:
        wanted.operation(work, endpoint_id)
        return {}

    run_form(request, tenant_id, key=form.command_key, body={}, operation=doing)
    if step == "removal":
        return redirect(request, f"{path_of(tenant_id)}?done={step}")
    return _back(request, tenant_id, endpoint_id, step)


def _filled(form: Form) -> tuple[Filled[EndpointForm], dict[str, Any]]:
    """The form of an endpoint, and what was typed into it; that it hears nothing at all is a mistake of its own."""
    filled = form.fill(EndpointForm)
    typed: dict[str, Any] = {name: form.first(name) for name in ("url", "description", "names")} | {
        "types": form.every("types")
    }
    typed |= {"hears": form.first("hears", "some")} | {name: bool(form.first(name)) for name in _BOXES}
    if filled.value and not filled.value.all_types():
        filled = Filled(None, filled.typed, [("types", mark("Choose at least one event, or everything."))])
    return filled, typed


def _told(error: SlipwayError, types: list[str]) -> dict[str, Any]:
    """What is wrong, by the form's own fields, with the names that no event has."""
    if isinstance(error, TypesUnfit):
        places = [int(place.rpartition("/")[2]) for place, _ in error.errors]
        return {"errors": [("names", error.message)], "unknown": [types[place] for place in places]}
    errors: Errors = [("url" if isinstance(error, AddressUnfit) else "", error.message)]
    return {"errors": errors}


def _once(made: list[Secret], *, replayed: bool) -> str:
    """The receiver's half of the key that was made just now; "" where it was made, and shown, before."""
    return "" if replayed else shared_of(made[-1]).reveal()


def _back(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, done: str, place: str = "") -> Response[str]:
    return redirect(request, f"{path_of(tenant_id)}/{endpoint_id}?done={done}{place}")
