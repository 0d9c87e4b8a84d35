"""What the forms of an integration's page send, as the doors over the wire take it; what is wrong stays on the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from app.connectors.pillars import doing
from app.connectors.pillars.pages.showing import show
from app.connectors.pillars.rules import QUESTIONS
from app.connectors.pillars.wire import (
    BackWanted,
    BeginWanted,
    ConsentWanted,
    QualityWanted,
    RiskWanted,
    ScopeWanted,
    StageWanted,
)
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.web.begin import run_form
from app.web.forms import Form
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]
_LONG: Final = 2000
_SHORT: Final = 300
_DIGITS: Final = 7


def take(request: PageRequest, tenant_id: UUID, connection_id: UUID, form: Form, part: str) -> Response[str]:
    """Do what the form is for, once; what can be mended is said beside it, with all that was typed."""
    read, doer = _PARTS[part]
    wanted = read(form)

    def operation(work: Work) -> dict[str, object]:
        doer(work, connection_id, wanted)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
    except (Invalid, Conflict) as error:
        wrong: dict[str, Any] = {"open": part, "typed": form.typed, "said": error.message}
        wrong |= {"errors": [(pointer.strip("/"), sentence) for pointer, sentence in error.errors]}
        return show(request, tenant_id, connection_id, wrong=wrong, status=error.status)
    return redirect(request, f"/t/{tenant_id}/connections/{connection_id}/integration?done={part}")


def _text(form: Form, name: str, longest: int = _SHORT) -> str:
    return form.first(name).strip()[:longest]


def _number(form: Form, name: str) -> int:
    """What was typed as a number; -1 for what is none, which no operation takes."""
    text = form.first(name).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else -1


def _scope(form: Form) -> ScopeWanted:
    return ScopeWanted([line.strip()[:_SHORT] for line in form.first("scenarios").splitlines() if line.strip()][:40])


def _risk(form: Form) -> RiskWanted:
    said = {name: name in form.every("answers") for name in QUESTIONS}
    return RiskWanted(**said, plan=_text(form, "plan", _LONG))


def _consent(form: Form) -> ConsentWanted:
    basis: Any = form.first("basis")
    return ConsentWanted(
        person=_text(form, "person"),
        role=_text(form, "role"),
        basis=basis,
        purpose=_text(form, "purpose", _LONG),
        keep=_text(form, "keep"),
        needed=form.first("needed") == "true",
    )


def _quality(form: Form) -> QualityWanted:
    return QualityWanted(_number(form, "checked"), _number(form, "wrong"), _text(form, "note", _LONG))


def _stage(form: Form) -> StageWanted:
    stage: Any = form.first("stage")
    share = _number(form, "share") if form.first("share").strip() else 0
    return StageWanted(
        stage, share if stage == "pilot" else 0, _ids(form) if stage == "pilot" else [], _text(form, "reason")
    )


def _ids(form: Form) -> list[UUID]:
    found = []
    for word in form.first("chosen").split():
        try:
            found.append(UUID(word))
        except ValueError:
            continue  # what names no onboarding lets none out
    return found


def _begin(form: Form) -> BeginWanted:
    return BeginWanted(_text(form, "reason"))


def _back(form: Form) -> BackWanted:
    return BackWanted(_text(form, "reason"))


def _nothing(_form: Form) -> None:
    return None


_PARTS: Final[Mapping[str, tuple[Callable[[Form], Any], Callable[[Work, UUID, Any], None]]]] = {
    "begin": (_begin, doing.begin),
    "scope": (_scope, doing.scope),
    "risk": (_risk, doing.risk),
    "accept": (_nothing, doing.accept),
    "consent": (_consent, doing.consent),
    "quality": (_quality, doing.quality),
    "validate": (_nothing, doing.validate),
    "stage": (_stage, doing.stage),
    "back": (_back, doing.back),
}
