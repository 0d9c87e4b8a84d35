"""What people do on the pages of hooks. What can be mended is said beside the form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response

from app.connectors.inbound.api.answers import address_of
from app.connectors.inbound.operations.addresses import (
    AddressChanging,
    ConnectionInactive,
    close_hook,
    open_address,
)
from app.connectors.inbound.operations.replaying import (
    NotReplayable,
    SeenBefore,
    StillUnproven,
    StillUnreadable,
    replay_delivery,
)
from app.connectors.inbound.operations.secrets import SecretChanging, SecretUnfit, set_secret
from app.connectors.inbound.pages.forms import LONGEST_SECRET, OverlapForm
from app.connectors.inbound.pages.showing import path_of, show_address, show_hook
from app.kernel.commands import Result
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import run_form, run_once
from app.web.forms import Form
from app.web.responses import redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]


def open_another(request: PageRequest, tenant_id: UUID, hook_id: UUID, form: Form) -> Response[str]:
    """Open an address, and show it."""
    filled, typed, made = form.fill(OverlapForm), form.first("hours"), list[Secret]()
    if (said := filled.value) is None:
        wrong = {"typed": typed, "errors": filled.errors}
        return show_hook(request, tenant_id, hook_id, status=422, address=wrong)

    def opening(work: Work) -> Result:
        hook, token = open_address(work, hook_id, overlap_hours=said.hours)
        made.append(token)
        return {"id": str(hook.id)}

    body = {"hours": said.hours}
    try:
        _result, replayed = run_once(request, tenant_id, key=form.command_key, body=body, operation=opening)
    except (AddressChanging, ConnectionInactive) as error:
        wrong = {"typed": form.first("hours"), "errors": [("hours", error.message)]}
        return show_hook(request, tenant_id, hook_id, status=error.status, address=wrong)
    return show_address(request, tenant_id, hook_id, "" if replayed else address_of(request, made[-1]))


def set_another(request: PageRequest, tenant_id: UUID, hook_id: UUID, form: Form) -> Response[str]:
    """Set a secret. The command's fingerprint leaves it out: a hash of one is a hint."""
    filled, value = form.fill(OverlapForm), form.first("value").strip()
    errors = list(filled.errors)
    if not 0 < len(value) <= LONGEST_SECRET:
        errors.insert(0, ("value", mark("Fill in this field.") if not value else mark("This is too long.")))
    said = filled.value
    if said is None or errors:
        wrong = {"typed": form.first("hours"), "errors": errors}
        return show_hook(request, tenant_id, hook_id, status=422, secret=wrong)
    secret = Secret(value)

    def setting(work: Work) -> Result:
        return {"id": str(set_secret(work, hook_id, secret, overlap_hours=said.hours).id)}

    try:
        run_form(request, tenant_id, key=form.command_key, body={"hours": said.hours}, operation=setting)
    except (SecretUnfit, SecretChanging) as error:
        place = "value" if isinstance(error, SecretUnfit) else "hours"
        wrong = {"typed": form.first("hours"), "errors": [(place, error.message)]}
        return show_hook(request, tenant_id, hook_id, status=error.status, secret=wrong)
    return _back(request, tenant_id, hook_id, "secret")


def replay(request: PageRequest, tenant_id: UUID, hook_id: UUID, delivery_id: UUID, form: Form) -> Response[str]:
    """Have a delivery worked on again."""

    def replaying(work: Work) -> Result:
        return {"id": str(replay_delivery(work, hook_id, delivery_id))}

    try:
        run_form(request, tenant_id, key=form.command_key, body={}, operation=replaying)
    except (NotReplayable, StillUnproven, StillUnreadable, SeenBefore) as error:
        return show_hook(request, tenant_id, hook_id, status=error.status, trouble=error.message)
    return _back(request, tenant_id, hook_id, "again", "#came")


def close(request: PageRequest, tenant_id: UUID, hook_id: UUID, form: Form) -> Response[str]:
    """Let nothing come in by it any more."""

    def closing(work: Work) -> Result:
        return {"id": str(close_hook(work, hook_id).id)}

    run_form(request, tenant_id, key=form.command_key, body={}, operation=closing)
    return _back(request, tenant_id, hook_id, "closed")


def _back(request: PageRequest, tenant_id: UUID, hook_id: UUID, done: str, place: str = "") -> Response[str]:
    return redirect(request, f"{path_of(tenant_id)}/{hook_id}?done={done}{place}")
