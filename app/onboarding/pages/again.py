"""A step's page once more, after what was sent from it was refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Request, Response

from app.flow.definition import Item
from app.kernel.errors import SlipwayError
from app.onboarding.pages.doors import saying, see
from app.onboarding.pages.steps import step_page
from app.onboarding.sending import in_words
from app.web.begin import begin_work
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page

MENDABLE = frozenset({409, 422})  # the state of things, or what was typed: told where it was typed
Place = tuple[UUID, UUID, str]  # the tenant, the onboarding and the step


def step_again(
    request: Request[Any, Any, Any],
    place: Place,
    error: SlipwayError,
    typed: Callable[[Item], Mapping[str, Any]],
    *,
    prefix: str = "",
) -> Response[str]:
    """The page with what was wrong and what may be shown again of what was typed; `prefix` stands before each field.

    Raises the error itself where nothing on the page can mend it.
    """
    if error.status not in MENDABLE:
        raise error
    tenant_id, onboarding_id, task = place
    with begin_work(request, tenant_id) as work:
        seen = see(request, work, onboarding_id)
        name, context = step_page(work, seen, task)
        values = dict(typed(seen.item(task)))
    say = saying(request)
    places = [(f"{prefix}{where.rpartition('/')[2]}", in_words(said, say)) for where, said in error.errors]
    context |= {"values": values, "errors": places or [("", in_words(error.message, say))]}
    context |= {"command_key": new_command_key()}
    return page(request, f"onboarding/{name}.html", context, status=error.status, nav=staff_nav(request))
