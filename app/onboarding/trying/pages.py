"""The door of trying a published version out."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.onboarding.trying.operations import begin_trial
from app.templates.authoring.addresses import digest_of
from app.web.begin import home_of, runtime_of, site_of, trace_of, visit_of
from app.web.forms import Form
from app.web.guard.backlog import BEGINS_WORK
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]


class TrialPages(Controller):
    """A version in a sandbox."""

    path = "/templates/{address:str}/trials"
    opt = {"door": "partner", **BEGINS_WORK}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/", sync_to_thread=True)
    def begin(self, request: PageRequest, address: FromPath[str], form: NamedDependency[Form]) -> Response[str]:
        """Make the sandbox and go there; it fills itself."""
        home_of(request)
        wanted = site_of(request).organisation_id, digest_of(address)
        given = runtime_of(request), visit_of(request).actor, wanted
        return redirect(request, f"/t/{begin_trial(*given, key=form.command_key, trace_id=trace_of(request))}")
