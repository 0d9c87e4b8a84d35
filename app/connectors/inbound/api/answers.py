"""What the doors of hooks read and answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar import Request, Response
from msgspec import UNSET

from app.connectors.inbound.queries import Came, Source, get_source, list_deliveries
from app.connectors.inbound.rules import Hook
from app.connectors.inbound.schemas import (
    AddressMade,
    AddressOut,
    ArrivalOut,
    ArrivalPage,
    ArrivalQuery,
    HeaderOut,
    HookKeyOut,
    HookOut,
    MessageOut,
)
from app.kernel.commands import Result
from app.kernel.outbound.world_clock import world_time
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, read_cursor
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import begin_work, front_of, run_once, site_of
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import read_key

PageRequest = Request[Any, Any, Any]


@dataclass
class Place:
    """One workspace, as whoever asks sees it."""

    request: PageRequest
    tenant_id: UUID
    _shown: list[Secret] = field(default_factory=list)

    def change(self, body: object, operation: Callable[[Work], Result]) -> tuple[Result, bool]:
        """Run it once for the request's key."""
        key = read_key(self.request)
        return run_once(self.request, self.tenant_id, key=key, body=body, operation=operation)

    def one(self, hook_id: UUID, *, replayed: bool) -> Response[bytes]:
        """How the hook is now."""
        with begin_work(self.request, self.tenant_id) as work:
            content = write(shown(work, get_source(work, hook_id)))
        return answer_done(content, status=200, replayed=replayed)

    def opened(self, hook_id: UUID, body: object, opening: Callable[[Work], tuple[Hook, Secret]]) -> Response[bytes]:
        """Open an address once for the key; it is in the first answer and nowhere else."""

        def operation(work: Work) -> Result:
            hook, token = opening(work)
            self._shown.append(token)
            return {"id": str(hook.id)}

        _made, replayed = self.change(body, operation)
        url = None if replayed else address_of(self.request, self._shown[-1])
        with begin_work(self.request, self.tenant_id) as work:
            content = write(AddressMade(shown(work, get_source(work, hook_id)), url))
        return answer_done(content, status=201, replayed=replayed)


def address_of(request: PageRequest, token: Secret) -> str:
    """The address that a token makes, on the host that was asked."""
    return front_of(request).url(site_of(request).host, f"/hooks/{token.reveal()}")


def shown(work: Work, source: Source) -> HookOut:
    """A hook as its reader may see it."""
    now, hook = work.database_now, source.hook
    return HookOut(
        id=source.id,
        connector=source.manifest.provider,
        name=source.name,
        state=source.state,
        scheme=source.webhooks.scheme,
        types=sorted(source.webhooks.events),
        addresses=[AddressOut(each.hint, each.made_at, each.until) for each in hook.open(now)],
        secrets=[HookKeyOut(each.number, each.set_at, each.until) for each in hook.active(now)],
    )


def delivery_page(work: Work, hook_id: UUID, asked: ArrivalQuery) -> ArrivalPage:
    """A page of what came in. Raises CursorForeign, CursorExpired and what reading it raises."""
    filters = (("hook", str(hook_id)), ("held", asked.held))
    listing = Listing("deliveries that came in", tenant_id=work.tenant.id, filters=filters)
    key, before = work.service(CursorKey).value, None
    get_source(work, hook_id)
    if asked.cursor is not UNSET:
        before = read_cursor(key, listing, str(asked.cursor), now=work.database_now).id
    found = list_deliveries(work, hook_id, held=asked.held == "true", before=before, limit=asked.limit + 1)
    behind = None
    if len(found) > asked.limit:
        behind = make_cursor(key, listing, Position((), found[asked.limit - 1].id), now=work.database_now)
    return ArrivalPage([delivery_out(came) for came in found[: asked.limit]], behind)


def delivery_out(came: Came) -> ArrivalOut:
    """A delivery without its body, and without what it was proven by."""
    one = came.delivery
    return ArrivalOut(
        id=came.id,
        at=one.at,
        state=one.state,
        held=came.held,
        reason=one.reason,
        said=one.said,
        size=one.size,
        sha256=one.digest,
        headers=[HeaderOut(name, value) for name, value in one.headers],
        messages=[MessageOut(each.id, each.type, each.object) for each in one.messages],
        asked=one.asked,
        replayable=one.can_be_replayed(world_time()),
    )
