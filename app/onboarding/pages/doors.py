"""The HTML doors of running work: one address for an onboarding, shown to each side as its own page."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from app.access.permissions import Permission
from app.access.require import require
from app.access.roles import CUSTOMER_ROLES
from app.flow.events import Evidenced
from app.identity.queries import list_workspaces
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.pages.steps import step_page
from app.onboarding.queries import customer, gate, home, partner, picture
from app.onboarding.queries.attention import STATES
from app.onboarding.queries.cards import Asked
from app.onboarding.queries.picture import Picture, get_picture
from app.onboarding.sending import (
    check_all_were_asked,
    evidence_of,
    in_words,
    typed_answers,
    typed_value,
    wrong_fields,
)
from app.templates.lines.ends import End, end_of, ends_of
from app.web.begin import begin_work, run_form, runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.live import live_stream
from app.web.page.ways import OPERATES, staff_nav
from app.web.responses import draw_fragment, fragment, locale_of, page, redirect
from app.web.translations import translations
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]
ONBOARDING = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"
VIEWS = frozenset({"plan", "gates", "exceptions", "trail", "course"})


class HomePages(Controller):
    """Where people land on a partner's host."""

    include_in_schema = False

    @get("/", opt={"door": "signed_in"}, sync_to_thread=True)
    def landing(
        self, request: PageRequest, after: FromQuery[str] = "", limit: FromQuery[int | None] = None
    ) -> Response[str]:
        """Staff see what needs them, the operator's what waits for a review; customers are led to their onboarding."""
        visit, runtime, site = visit_of(request), runtime_of(request), site_of(request)
        if visit.actor.roles == OPERATES:
            return redirect(request, "/marketplace/reviews")
        if visit.actor.roles:
            wanted = wanted_home(request, Asked(after, limit))
            context = home.home_page(home.get_home(runtime, visit.actor, site.organisation_id, wanted), wanted)
            return page(request, "onboarding/partner_home.html", context, nav=staff_nav(request))
        spaces = [] if visit.reach else list_workspaces(runtime.databases, visit.actor.id, site.organisation_id)
        entered = visit.reach or (spaces[0].tenant_id if spaces else None)
        path = f"/t/{entered}" if entered else "/sign-in"
        return redirect(request, path)

    @get("/customers", opt={"door": "partner"}, sync_to_thread=True)
    def customers(
        self,
        request: PageRequest,
        after: FromQuery[str] = "",
        limit: FromQuery[int | None] = None,
        kind: FromQuery[str] = "customer",
    ) -> Response[str]:
        """The partner's customers, a page at a time; its sandboxes for who asks for them."""
        asked, actor = Asked(after, limit), visit_of(request).actor
        kind = "sandbox" if kind == "sandbox" else "customer"
        page_of = home.get_customers(runtime_of(request), actor, site_of(request).organisation_id, asked, kind=kind)
        context = home.customers_page(page_of, asked, kind=kind)
        return page(request, "partners/tenants.html", context, nav=staff_nav(request))

    @get("/t/{tenant_id:uuid}", opt={"door": "tenant"}, sync_to_thread=True)
    def workspace(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """A tenant's front door leads to its newest onboarding."""
        with begin_work(request, tenant_id) as work:
            found, kind = picture.list_onboardings(work), work.tenant.kind
            if kind == "sandbox" and not found:
                told = {"name": work.tenant.name, "path": f"/t/{tenant_id}"}
                reason = picture.why_empty(work)
                context = {"tenant": told, "reason": saying(request)(reason) if reason else ""}
                return page(request, "partners/sandbox_empty.html", context, nav=staff_nav(request))
        return redirect(request, f"/t/{tenant_id}/onboardings/{found[0][0]}" if found else "/customers")


class OnboardingPages(Controller):
    """One onboarding, as the reader's side sees it."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        view: FromQuery[str] = "plan",
    ) -> Response[str]:
        """The customer's status page, or the partner's plan."""
        with begin_work(request, tenant_id) as work:
            name, context = whole_page(request, work, onboarding_id, view)
        context |= {"ended": _ended(request, context)}  # after that session: nobody holds two connections at once
        return page(request, f"onboarding/{name}.html", context, nav=staff_nav(request))

    @get("/stream", sync_to_thread=False)
    def stream(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Stream:
        """The live part of the same page: its current state, and again after every change."""

        def draw() -> str:
            with begin_work(request, tenant_id) as work:
                side, context = whole_page(request, work, onboarding_id, "plan")
            part = "_status_live" if side == "customer_status" else "_plan_live"
            return draw_fragment(request, f"onboarding/{part}.html", context)

        return live_stream(request, f"live:{tenant_id}", draw)

    @get("/steps", sync_to_thread=True)
    def steps(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[str]:
        """Every step of both sides."""
        with begin_work(request, tenant_id) as work:
            context = customer.steps_page(see(request, work, onboarding_id))
        return page(request, "onboarding/customer_steps.html", context)

    @get("/tasks/{task:str}", sync_to_thread=True)
    def task(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], task: FromPath[str]
    ) -> Response[str]:
        """One task: a form, or what its kind needs."""
        with begin_work(request, tenant_id) as work:
            name, context = step_page(work, see(request, work, onboarding_id), task)
        context |= {"command_key": new_command_key()}
        return page(request, f"onboarding/{name}.html", context, nav=staff_nav(request))

    @get("/gates/{key:str}", sync_to_thread=True)
    def gate(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], key: FromPath[str]
    ) -> Response[str]:
        """A gate to be decided."""
        with begin_work(request, tenant_id) as work:
            context = gate.gate_page(work, see(request, work, onboarding_id), key)
        context |= {"command_key": new_command_key()}
        return page(request, "onboarding/gate_review.html", context, nav=staff_nav(request))

    @get("/trace", sync_to_thread=True)
    def trace(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[str]:
        """From closed deal to first value."""
        with begin_work(request, tenant_id) as work:
            context = partner.trace_page(work, see(request, work, onboarding_id)) | {"names": names(request, work)}
        return page(request, "onboarding/trace.html", context, nav=staff_nav(request))


class OnboardingForms(Controller):
    """What people send: each form is one command, counted once by its key."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @post("/tasks/{task:str}/completion", sync_to_thread=True)
    def complete(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Finish a task."""

        def operation(work: Work) -> dict[str, object]:
            seen = see(request, work, onboarding_id)
            item = seen.item(task)
            answers, proof = typed_answers(item, form), evidence_of(item, form)
            check_all_were_asked(customer.asked_now(seen, item, answers), form)
            operations.complete_task(work, onboarding_id=onboarding_id, task=task, answers=answers, evidence=proof)
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        except SlipwayError as error:
            if error.status != 422:  # noqa: PLR2004 - what was typed can be mended only where it was typed
                raise
            return self._again(request, tenant_id, onboarding_id, task=task, form=form, error=error)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}")

    @post("/tasks/{task:str}/questions", status_code=200, sync_to_thread=True)
    def questions(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """What a form asks now that these answers are typed; nothing is kept."""
        with begin_work(request, tenant_id) as work:
            require(work, Permission.TASK_COMPLETE)
            seen = see(request, work, onboarding_id)
            asked = customer.questions(seen, seen.item(task), typed_answers(seen.item(task), form))
        context = asked | {"values": form.typed, "errors": [], "prefix": form.first("prefix")}
        return fragment(request, "onboarding/work/_questions.html", context)

    @post("/milestones/{key:str}/proof", sync_to_thread=True)
    def prove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Give a milestone's evidence."""

        def operation(work: Work) -> dict[str, object]:
            proof = evidence_of(see(request, work, onboarding_id).item(key), form) or Evidenced()
            operations.prove_milestone(work, onboarding_id=onboarding_id, milestone=key, evidence=proof)
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}")

    @post("/packet/{field:str}", sync_to_thread=True)
    def correct(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        field: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Give or correct one fact of the packet."""

        def operation(work: Work) -> dict[str, object]:
            value = typed_value(see(request, work, onboarding_id), field, form)
            operations.change_packet(work, onboarding_id=onboarding_id, facts={field: value})
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, self._gate_path(request, tenant_id, onboarding_id))

    @post("/gates/{key:str}/decision", sync_to_thread=True)
    def decide(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Press one of a gate's buttons."""
        decision, reason = form.first("decision"), form.first("reason")

        def operation(work: Work) -> dict[str, object]:
            operations.decide_gate(work, onboarding_id=onboarding_id, gate=key, decision=decision, reason=reason)
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        except SlipwayError as error:
            if error.status not in {409, 422}:
                raise
            context = gate_again(request, tenant_id, onboarding_id, key)
            context |= {"reason": reason, "errors": [("reason", in_words(error.message, saying(request)))]}
            return page(request, "onboarding/gate_review.html", context, status=error.status, nav=staff_nav(request))
        return redirect(request, f"/t/{tenant_id}/onboardings/{onboarding_id}")

    @staticmethod
    def _again(
        request: PageRequest, tenant_id: UUID, onboarding_id: UUID, *, task: str, form: Form, error: SlipwayError
    ) -> Response[str]:
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            item = seen.item(task)
            side, again = item.side, customer.questions(seen, item, typed_answers(item, form))
            context = customer.task_page(work, seen, task) if side == "customer" else whole(request, work, seen, "plan")
        wrong = wrong_fields(error, saying(request))
        context |= {"command_key": new_command_key()}
        if side == "customer":
            context |= {"values": form.typed, "errors": wrong} | again
            for place in context["places"]:
                place["error"] = dict(wrong).get(place["id"], "")
            return page(request, "onboarding/customer_task.html", context, status=error.status)
        context["stream"] = ""  # a live update would take away what was typed and what is wrong with it
        for stage in context["stages"]:
            for entry in stage["entries"]:
                if entry["key"] == task and entry["form"]:
                    entry["form"] |= {"given": form.typed, "errors": wrong, "open": True} | again
        return page(request, "onboarding/partner_onboarding.html", context, status=error.status, nav=staff_nav(request))

    @staticmethod
    def _gate_path(request: PageRequest, tenant_id: UUID, onboarding_id: UUID) -> str:
        with begin_work(request, tenant_id) as work:
            gates = [item.key for item in see(request, work, onboarding_id).definition.of_kind("gate")]
        return f"/t/{tenant_id}/onboardings/{onboarding_id}" + (f"/gates/{gates[0]}" if gates else "")


def see(request: PageRequest, work: Work, onboarding_id: UUID) -> Picture:
    """The onboarding in the reader's language. Raises NotPermitted, OnboardingMissing."""
    return get_picture(work, onboarding_id, say=saying(request), language=locale_of(request).language)


def whole_page(request: PageRequest, work: Work, onboarding_id: UUID, view: str) -> tuple[str, dict[str, Any]]:
    """Which page the reader's side gets, and what is on it."""
    seen = see(request, work, onboarding_id)
    if work.rights & CUSTOMER_ROLES:
        return "customer_status", customer.status_page(work, seen)
    return "partner_onboarding", whole(request, work, seen, view)


def whole(request: PageRequest, work: Work, seen: Picture, view: str) -> dict[str, Any]:
    """The partner's page with what only the door knows: the brand's name and a fresh command key."""
    shown = view if view in VIEWS else "plan"
    own: dict[str, Any] = {"names": names(request, work), "command_key": new_command_key()}
    own["runs"] = {"template": seen.definition.id, "version": seen.definition.version}
    return partner.partner_page(work, seen, shown) | own


def _ended(request: PageRequest, context: dict[str, Any]) -> End | None:
    """For staff of work that goes on: that its version is to be left."""
    runs = context.get("runs")
    if runs is None or context["onboarding"]["ended_at"]:
        return None
    runtime, organisation_id = runtime_of(request), site_of(request).organisation_id
    with partner_session(runtime.databases, organisation_id, actor=visit_of(request).actor.label) as (session, _now):
        return end_of(ends_of(runtime, session, runs["template"]), number=runs["version"])


def names(request: PageRequest, work: Work) -> dict[str, str]:
    """What the two sides are called."""
    return {"partner": site_of(request).brand.name, "customer": work.tenant.name}


def wanted_home(request: PageRequest, shown: Asked) -> home.Wanted:
    """What the reader asks of the home page."""
    asked = request.query_params  # a parameter called `scope` would be ASGI's own
    return home.Wanted(
        scope="mine" if asked.get("scope") == "mine" else "team",
        state=asked["state"] if asked.get("state") in STATES else "",
        everything=asked.get("needs") == "all",
        page=shown,
        reader=visit_of(request).actor.id,
        say=saying(request),
        language=locale_of(request).language,
    )


def gate_again(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, key: str) -> dict[str, Any]:
    """The gate's page as it stands now, with a fresh command key."""
    with begin_work(request, tenant_id) as work:
        context = gate.gate_page(work, see(request, work, onboarding_id), key)
    return context | {"command_key": new_command_key()}


def saying(request: PageRequest) -> Callable[[str], str]:
    """A message id in the reader's language."""
    return translations(locale_of(request).language).gettext
