"""A live page's stream: what its reader may see now, drawn again after every ring, until they may see it no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.response import Stream

from app.kernel.errors import Forbidden, Missing
from app.web.begin import Doorkeeper, runtime_of, session_token, site_of, visit_of
from app.web.streams import SignedOut, Streams

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def live_stream(request: Request[Any, Any, Any], topic: str, draw: Callable[[], str]) -> Stream:
    """Stream what `draw` gives, at once and after each ring of the topic.

    The session is asked for anew before each drawing: who has signed out, or lost the right to look, gets a closing
    event (an error status would make the browser ask again for ever).
    """
    runtime, visit = runtime_of(request), visit_of(request)
    tenant_id = visit.tenant.id if visit.tenant else None

    def look_again() -> str:
        token = session_token(request)
        found = runtime.service(Doorkeeper).find_visit(runtime.databases, site_of(request), token or "", tenant_id)
        if found is None or found.actor.id != visit.actor.id:
            raise SignedOut
        request.scope["state"]["visit"] = found
        try:
            return draw()
        except (Forbidden, Missing):
            raise SignedOut from None

    events = runtime.service(Streams).listen(topic, look_again)
    return Stream(events, media_type="text/event-stream", headers=_HEADERS)
