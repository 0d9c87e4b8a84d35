"""The doors of walking a draft: ask for it, see how far it is, and what it found."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.permissions import Permission
from app.kernel.work import Work
from app.templates.studio.operations import ask_simulation
from app.templates.studio.pages.entering import PageRequest, enter
from app.templates.studio.queries import find_simulation, get_draft
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import fragment, locale_of, page, redirect, wants_fragment


class SimulationPages(Controller):
    """What many histories of a draft find."""

    path = "/templates/drafts/{draft_id:uuid}/simulation"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, draft_id: FromPath[UUID]) -> Response[str]:
        """What was found; while it is under way, how far it is."""
        home = enter(request, Permission.TEMPLATE_EDIT)
        with begin_work(request, home.id) as work:
            draft = get_draft(work.session, draft_id, locale_of(request).language)[0]
            found = find_simulation(work.session, draft_id)
        context: dict[str, Any] = {"draft": draft, "simulation": found.body if found else None}
        if wants_fragment(request):
            return fragment(request, "templates/studio/findings/_simulation.html", context)
        context["command_key"] = new_command_key()
        return page(request, "templates/studio/simulation.html", context, nav=staff_nav(request))

    @post("/", sync_to_thread=True)
    def ask(self, request: PageRequest, draft_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Walk the draft as it is saved; in the background."""
        home = enter(request, Permission.TEMPLATE_EDIT)

        def operation(work: Work) -> dict[str, object]:
            return {"number": ask_simulation(work, draft_id)}

        run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, f"/templates/drafts/{draft_id}/simulation")
