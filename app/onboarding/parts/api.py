"""The JSON doors of optional and repeated parts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding.api import described
from app.onboarding.api.answers import Command, once
from app.onboarding.api.doors import ONBOARDINGS
from app.onboarding.parts import operations
from app.onboarding.queries.wire.items import get_item
from app.onboarding.schemas import Decline, GonePart, NewPart
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body

PageRequest = Request[Any, Any, Any]


class PartDoors(Controller):
    """What changes the parts of an onboarding that not every one needs."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @post(
        "/{onboarding_id:uuid}/items/{key:str}/decline",
        operation_id="items.decline",
        operation_class=account(described.DECLINE),
        status_code=200,
        sync_to_thread=True,
    )
    def decline(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Say that an optional step of your side is not needed. Nothing waited for it."""
        sent = read_body(request, body, Decline)

        def perform(work: Work) -> None:
            operations.decline_item(work, onboarding_id=onboarding_id, item=key, reason=sent.reason)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, key))
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/items/{key:str}/parts",
        operation_id="items.addPart",
        operation_class=account(described.ADD_PART),
        status_code=200,
        sync_to_thread=True,
    )
    def add(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Let a repeated part happen once more. The answer is the group; its newest item has the highest number."""
        sent = read_body(request, body, NewPart)

        def perform(work: Work) -> None:
            operations.add_part(work, onboarding_id=onboarding_id, item=key, name=sent.name)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, key))
        return once(request, tenant_id, command)

    @post(
        "/{onboarding_id:uuid}/items/{key:str}/removal",
        operation_id="items.removePart",
        operation_class=account(described.REMOVE_PART),
        status_code=200,
        sync_to_thread=True,
    )
    def remove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Take away one of several in which nothing was done. The answer is the group that it was in."""
        sent = read_body(request, body, GonePart)

        def perform(work: Work) -> None:
            operations.remove_part(work, onboarding_id=onboarding_id, item=key, reason=sent.reason)

        group = key.partition("#")[0]
        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_item(work, seen, group))
        return once(request, tenant_id, command)
