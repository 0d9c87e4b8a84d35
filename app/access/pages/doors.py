"""The HTML doors of access: who can see a workspace, and a partner's access over all its customers."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, Meta, Struct

from app.access.decisions import can
from app.access.operations.answering import (
    approve_delegation,
    decline_delegation,
    end_delegation,
    narrow_delegation,
)
from app.access.operations.asking import break_glass, map_groups, request_delegation, withdraw_delegation
from app.access.pages import showing
from app.access.pages.forms import has_forms, partner_forms
from app.access.pages.words import keep_only
from app.access.permissions import Permission
from app.access.policy.delegations import BeyondGranted, day_end
from app.access.queries.delegations import at_home, get_delegation, is_customer, list_delegations
from app.access.queries.explaining import explain_decision, find_assigned
from app.access.queries.groups import list_groups, name_groups
from app.access.queries.index import IndexQuery, Wanted, list_index, name_all
from app.access.schemas import DelegationAnswer, DelegationOut, DelegationWish, GlassWish, GroupGrants, GroupWish
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.web.begin import NothingHere, begin_work, run_form, runtime_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark, translations

PageRequest = Request[Any, Any, Any]
Operation = Callable[[Work], object]
_REASON = Annotated[str, Meta(max_length=500)]
_TICKS = ("roles", "may", "grant")
_PARTS: tuple[Wanted, ...] = ("open", "requested", "expiring", "over")


class AnswerForm(Struct, frozen=True):
    """What a customer's form about one access sends: what stays, until when, from which version."""

    may: list[str] = []
    ends_on: date | None = None
    reason: _REASON = ""
    version: int = 0


class WishForm(Struct, frozen=True):
    """What the partner's forms send."""

    roles: list[str]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    ends_on: date | None = None
    hours: Annotated[int, Meta(ge=1, le=4)] = 1
    renewal_of: UUID | None = None


class GroupsForm(Struct, frozen=True):
    """Which of the partner's groups has which role: a tick each, the group's id and the role."""

    grant: list[Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:.")]] = []
    version: int = 0


class AccessPages(Controller):
    """Who can see a workspace: for its own people, and for the partner's."""

    path = "/t/{tenant_id:uuid}/access"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], why: FromQuery[str] = "") -> Response[str]:
        """All access there is, in words; `why` asks the reason of one decision about the reader."""
        return draw(request, tenant_id, why=why)

    @post("/requests", sync_to_thread=True)
    def ask(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """The partner asks the customer for access."""
        renewed = form.first("renewal_of")
        return wished(request, tenant_id, form, f"renewal-{renewed[-8:]}" if renewed else "ask", asking)

    @post("/emergency", sync_to_thread=True)
    def break_the_glass(
        self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Somebody of the partner lets themselves in."""
        return wished(request, tenant_id, form, "emergency", breaking)

    @post("/{delegation_id:uuid}/groups", sync_to_thread=True)
    def map_staff(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        delegation_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """The partner says which of its groups of staff have which of the roles."""
        filled, place = form.fill(GroupsForm), f"groups-{delegation_id.hex[-8:]}"
        if filled.value is None:
            return draw(request, tenant_id, place=place, errors=filled.errors, typed=typed_in(form), status=422)
        return sent(request, tenant_id, form, place, mapping(request, delegation_id, filled.value))

    @post("/{delegation_id:uuid}/{step:str}", sync_to_thread=True)
    def take_step(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        delegation_id: FromPath[UUID],
        step: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """One of the forms of one access: approval, narrowing, refusal, withdrawal, end."""
        filled = form.fill(AnswerForm)
        place = f"{step}-{delegation_id.hex[-8:]}"
        if filled.value is None:
            return draw(request, tenant_id, place=place, errors=filled.errors, typed=typed_in(form), status=422)
        return sent(request, tenant_id, form, place, stepping(step, delegation_id, filled.value))


class MyAccessPages(Controller):
    """The partner's access to all of its customers, from the index."""

    path = "/delegations"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """A page of it: open, asked for, about to end, or over; by the beginning of a customer's name."""
        given = {name: str(value) for name, value in request.query_params.items() if value}
        state: Wanted = next((part for part in _PARTS if part == given.get("state")), "open")
        asked = IndexQuery(state=state, q=given.get("q", "")[:120], cursor=given.get("after", UNSET))
        listed = list_index(runtime_of(request), visit_of(request).actor, asked)
        lines = showing.index_lines(listed.items, saying(request))
        context = {"state": state, "q": asked.q, "lines": lines, "older": listed.next or "", "first": "after" in given}
        return page(request, "access/delegations.html", context, nav=staff_nav(request))


def draw(
    request: PageRequest,
    tenant_id: UUID,
    *,
    why: str = "",
    place: str = "",
    errors: list[tuple[str, str]] | None = None,
    typed: dict[str, Any] | None = None,
    status: int = 200,
) -> Response[str]:
    """The page as it stands, with what was typed into the form at `place` and what is wrong with it."""
    say, visit, runtime = saying(request), visit_of(request), runtime_of(request)
    asked = why if why in set(Permission) else ""
    organisation = visit.tenant.organisation_id if visit.tenant else tenant_id
    assigned = find_assigned(runtime, visit.actor.id, organisation) if asked else []
    with begin_work(request, tenant_id, outside=True) as work:
        shown, customer, now = list_delegations(work), is_customer(work), work.database_now
        told = explain_decision(work, Permission(asked), assigned=assigned) if asked else None
        rights, tenant = (work.rights if customer else at_home(work).rights), work.tenant
    names, may = name_all(runtime, {one.organisation_id for one in shown}), offered(rights, customer=customer)
    context = showing.access_page(shown, names, now, say) | {
        "side": "customer" if customer else "partner",
        "tenant": {"name": tenant.name, "path": f"/t/{tenant_id}"},
        "may": may,
        "forms": forms_of(request, shown, place, typed or {}) if may["ask"] else {},
        "offers": showing.role_offers(say),
        "emergency_offers": showing.role_offers(say, emergency=True),
        "questions": showing.asked_about(say),
        "why": showing.explanation_page(told, say) if told else None,
        "action": f"/t/{tenant_id}/access",
        "place": place,
        "typed": typed or {},
        "errors": [error for error in errors or () if error[0]],
        "trouble": next((say(said) for field, said in errors or () if not field), ""),
        "command_key": new_command_key(),
    }
    return page(request, "access/access.html", context, status=status, nav=staff_nav(request))


def offered(rights: frozenset[str], *, customer: bool) -> dict[str, bool]:
    """What the page offers its reader to do."""
    return {
        "approve": can(rights, Permission.DELEGATION_APPROVE),
        "end": can(rights, Permission.DELEGATION_REVOKE),
        "ask": not customer and can(rights, Permission.DELEGATION_REQUEST),
        "break": not customer and can(rights, Permission.DELEGATION_BREAK_GLASS),
        "connect": not customer and can(rights, Permission.DIRECTORY_MANAGE),
    }


def forms_of(
    request: PageRequest, shown: Sequence[DelegationOut], place: str, typed: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The partner's forms about each open access, with the groups that its directories send."""
    mine = [one for one in shown if has_forms(one)]
    if not mine:
        return {}
    chosen = {group.id for one in mine for group in one.groups}
    groups = list_groups(runtime_of(request), visit_of(request).actor, chosen)
    return partner_forms(shown, groups, place, typed, saying(request))


def wished(
    request: PageRequest, tenant_id: UUID, form: Form, place: str, operation: Callable[[WishForm], Operation]
) -> Response[str]:
    """A form of the partner: read it, carry it out, or show what is wrong with it."""
    filled = form.fill(WishForm)
    if filled.value is None:
        return draw(request, tenant_id, place=place, errors=filled.errors, typed=typed_in(form), status=422)
    return sent(request, tenant_id, form, place, operation(filled.value))


def sent(request: PageRequest, tenant_id: UUID, form: Form, place: str, operation: Operation) -> Response[str]:
    """Carry the form out once for its key; what can be mended is mended where it was typed."""

    def perform(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=perform, outside=True)
    except SlipwayError as error:
        if error.status not in {409, 412, 422} and not isinstance(error, BeyondGranted):
            raise
        wrong = [(_FIELDS.get(where, ""), sentence) for where, sentence in error.errors] or [("", error.message)]
        return draw(request, tenant_id, place=place, errors=wrong, typed=typed_in(form), status=error.status)
    return redirect(request, f"/t/{tenant_id}/access")


_STEPS = frozenset({"approval", "narrowing", "refusal", "withdrawal", "end"})
_FIELDS = {"/groups": "grant", "/roles": "roles", "/ends_at": "ends_on", "/reason": "reason"}


def stepping(step: str, delegation_id: UUID, given: AnswerForm) -> Operation:
    """The operation behind a form of one access. Raises NothingHere for a step that there is not."""
    if step not in _STEPS:
        raise NothingHere(mark("The address may be mistyped, or it was never meant for your account."))
    versions = frozenset({f'"{given.version}"'})

    def answered(work: Work) -> DelegationAnswer:
        shown = get_delegation(work, delegation_id)
        until = None if given.ends_on in {None, shown.ends_at.date()} else last_moment(given.ends_on)
        return DelegationAnswer(keep_only(shown.roles, given.may), until, given.reason)

    def take(work: Work) -> object:
        if step == "approval":
            return approve_delegation(work, delegation_id, answered(work), versions=versions)
        if step == "narrowing":
            return narrow_delegation(work, delegation_id, answered(work), versions=versions)
        if step == "refusal":
            return decline_delegation(work, delegation_id, reason=given.reason, versions=versions)
        if step == "withdrawal":
            return withdraw_delegation(work, delegation_id, reason=given.reason)
        return end_delegation(work, delegation_id, reason=given.reason)

    return take


def asking(given: WishForm) -> Operation:
    """The operation behind the partner's request."""
    return lambda work: request_delegation(
        work,
        DelegationWish(
            given.roles, given.reason, last_moment(given.ends_on) or work.database_now, renewal_of=given.renewal_of
        ),
    )


def breaking(given: WishForm) -> Operation:
    """The operation behind breaking the glass."""
    return lambda work: break_glass(work, GlassWish(given.roles, given.reason, given.hours))


def mapping(request: PageRequest, delegation_id: UUID, given: GroupsForm) -> Operation:
    """The operation behind the ticks of groups."""
    ticked: dict[UUID, list[str]] = {}
    for each in given.grant:
        group, _, role = each.partition(":")
        ticked.setdefault(UUID(group), []).append(role)
    known = name_groups(runtime_of(request), visit_of(request).actor, ticked.keys())
    wanted = GroupGrants([GroupWish(group, roles) for group, roles in ticked.items()])
    versions = frozenset({f'"{given.version}"'})
    return lambda work: map_groups(work, delegation_id, wanted, known=known, versions=versions)


def typed_in(form: Form) -> dict[str, Any]:
    """What was typed; the ticks as lists, however many there are."""
    return form.typed | {name: form.every(name) for name in _TICKS}


def last_moment(day: date | None) -> datetime | None:
    """The end that a typed day means, where one was typed."""
    return day_end(day) if day else None


def saying(request: PageRequest) -> Callable[[str], str]:
    """A message id in the reader's language."""
    return translations(locale_of(request).language).gettext
