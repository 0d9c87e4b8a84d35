"""What the doors of webhooks read and answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response
from msgspec import UNSET

from app.access.decisions import can
from app.access.permissions import Permission
from app.connectors.webhooks.operations.endpoints import host_of, version_tag
from app.connectors.webhooks.queries import Sent, get_endpoint, list_deliveries
from app.connectors.webhooks.rules import DISABLED_AFTER, Endpoint, Trouble
from app.connectors.webhooks.schemas import (
    AttemptOut,
    DeliveryOut,
    DeliveryPage,
    DeliveryQuery,
    EndpointMade,
    EndpointOut,
    KeyOut,
    TroubleOut,
)
from app.connectors.webhooks.signing import shared_of
from app.kernel.commands import Result
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, read_cursor
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import begin_work, run_once
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import read_key

PageRequest = Request[Any, Any, Any]
MakesKey = Callable[[Work], tuple[Endpoint, Secret]]


@dataclass
class Place:
    """One workspace, as whoever asks sees it."""

    request: PageRequest
    tenant_id: UUID
    _shown: list[Secret] = field(default_factory=list)

    def one(self, endpoint_id: UUID, *, status: int = 200, replayed: bool = False) -> Response[bytes]:
        """One endpoint with its version."""
        with begin_work(self.request, self.tenant_id) as work:
            endpoint = get_endpoint(work, endpoint_id)
            content = write(shown(work, endpoint))
        return answer_done(content, status=status, headers={"etag": version_tag(endpoint)}, replayed=replayed)

    def change(self, body: object, operation: Callable[[Work], Result]) -> tuple[Result, bool]:
        """Run it once for the request's key."""
        key = read_key(self.request)
        return run_once(self.request, self.tenant_id, key=key, body=body, operation=operation)

    def key_made(self, body: object, making: MakesKey, *, status: int) -> Response[bytes]:
        """Run what makes a key; its shared half is in the first answer and nowhere else."""

        def operation(work: Work) -> Result:
            endpoint, key = making(work)
            self._shown.append(shared_of(key))
            return {"id": str(endpoint.id)}

        made, replayed = self.change(body, operation)
        with begin_work(self.request, self.tenant_id) as work:
            endpoint = get_endpoint(work, UUID(str(made["id"])))
            told = shown(work, endpoint)
        secret = None if replayed else self._shown[-1].reveal()
        headers = {"etag": version_tag(endpoint)}
        if status == 201:  # noqa: PLR2004  created
            headers["location"] = f"/api/v1/tenants/{self.tenant_id}/webhooks/{endpoint.id}"
        return answer_done(write(EndpointMade(told, secret)), status=status, headers=headers, replayed=replayed)


def shown(work: Work, endpoint: Endpoint) -> EndpointOut:
    """An endpoint as its reader may see it."""
    return EndpointOut(
        id=endpoint.id,
        url=endpoint.url if can(work.rights, Permission.CONNECTION_WRITE) else None,
        host=host_of(endpoint.url),
        description=endpoint.description,
        types=list(endpoint.types),
        ordered=endpoint.ordered,
        thin=endpoint.thin,
        customers=endpoint.customers,
        health=endpoint.health,  # type: ignore[arg-type]  # one of the five words
        reason=endpoint.reason or endpoint.challenge.said,
        made_at=endpoint.made_at,
        delivered_at=endpoint.delivered_at,
        keys=[KeyOut(key.number, key.hint, key.public, key.made_at, key.until) for key in endpoint.keys],
        trouble=trouble_out(endpoint.trouble) if endpoint.trouble else None,
    )


def trouble_out(one: Trouble) -> TroubleOut:
    """How long an endpoint has taken nothing, and until when that may go on."""
    return TroubleOut(one.since, one.count, one.said, one.again_at, one.since + DISABLED_AFTER)


def delivery_page(work: Work, endpoint_id: UUID, asked: DeliveryQuery) -> DeliveryPage:
    """A page of what an endpoint was sent. Raises CursorForeign, CursorExpired and what reading it raises."""
    key = work.service(CursorKey).value
    listing = Listing("webhook deliveries", tenant_id=work.tenant.id, filters=(("endpoint", str(endpoint_id)),))
    get_endpoint(work, endpoint_id)
    before = None
    if asked.cursor is not UNSET:
        before = read_cursor(key, listing, str(asked.cursor), now=work.database_now).id
    found = list_deliveries(work, endpoint_id, before=before, limit=asked.limit + 1)
    behind = None
    if len(found) > asked.limit:
        behind = make_cursor(key, listing, Position((), found[asked.limit - 1].event_id), now=work.database_now)
    return DeliveryPage([delivery_out(sent) for sent in found[: asked.limit]], behind)


def delivery_out(sent: Sent) -> DeliveryOut:
    """A delivery with its attempts."""
    one = sent.delivery
    attempts = [AttemptOut(each.at, each.code, each.status, each.ms, each.excerpt) for each in one.attempts]
    told = (sent.event_id, one.type, one.at, one.state, one.tenant_id, one.tries)
    return DeliveryOut(*told, one.next_at, attempts)


def given(body: msgspec.Struct) -> dict[str, Any]:
    """What was sent of a body, by name."""
    return {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
