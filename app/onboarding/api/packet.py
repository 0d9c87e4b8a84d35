"""The JSON doors of the facts that were handed over."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, patch
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described
from app.onboarding.api.answers import Command, answer_seen, once, see
from app.onboarding.api.doors import ONBOARDINGS
from app.onboarding.queries.wire.items import get_packet
from app.onboarding.schemas import PacketChange
from app.web.begin import begin_work
from app.web.wire.openapi import described as account
from app.web.wire.reading import JSON, MERGE_PATCH, read_body

PageRequest = Request[Any, Any, Any]


class PacketDoors(Controller):
    """The packet of one onboarding."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get(
        "/{onboarding_id:uuid}/packet",
        operation_id="packet.read",
        operation_class=account(described.PACKET),
        sync_to_thread=True,
    )
    def packet(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Read the facts that were handed over, each with its block rule and where it came from."""
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            shown = get_packet(work, seen)
        return answer_seen(seen, shown)

    @patch(
        "/{onboarding_id:uuid}/packet",
        operation_id="packet.change",
        operation_class=account(described.CHANGE_PACKET),
        sync_to_thread=True,
    )
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Give, correct or withdraw facts of the packet; the others stay as they are."""
        sent = read_body(request, body, PacketChange, media=(MERGE_PATCH, JSON))

        def perform(work: Work) -> None:
            operations.change_packet(work, onboarding_id=onboarding_id, facts=sent.facts)

        command = Command(onboarding_id, sent, perform, lambda work, seen, _made: get_packet(work, seen))
        return once(request, tenant_id, command)
