"""The JSON door that starts what follows an onboarding."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding.api import described
from app.onboarding.api.answers import Command, once
from app.onboarding.api.doors import ONBOARDINGS
from app.onboarding.lifecycle.operations import ask_for_next
from app.onboarding.schemas import NextOut, NextWish
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body

PageRequest = Request[Any, Any, Any]


class LifecycleDoors(Controller):
    """What follows an onboarding."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @post(
        "/{onboarding_id:uuid}/next",
        operation_id="onboardings.startNext",
        operation_class=account(described.NEXT),
        status_code=200,
        sync_to_thread=True,
    )
    def begin(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Start now what the template says follows, once. A job begins it under the id of the answer."""
        sent = read_body(request, body, NextWish)

        def perform(work: Work) -> UUID:
            wish = {"lifecycle": sent.lifecycle, "reason": sent.reason}
            return ask_for_next(work, onboarding_id=onboarding_id, **wish)

        def show(_work: Work, _seen: object, made: UUID) -> NextOut:
            return NextOut(made, sent.lifecycle, onboarding_id)

        return once(request, tenant_id, Command(onboarding_id, sent, perform, show))
