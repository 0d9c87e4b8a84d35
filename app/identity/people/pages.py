"""The HTML doors of people: who belongs to a workspace, who works for a partner; invite, change, remove."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.policy.names import CUSTOM
from app.access.queries.custom_roles import list_custom_roles
from app.access.require import require
from app.access.schemas import CustomRoleOut
from app.identity.operations import ensure_person
from app.identity.people import rules
from app.identity.people.following import follow_soon
from app.identity.people.members import Invited, change_member, invite_member, remove_member
from app.identity.people.queries import (
    PeoplePage,
    Someone,
    find_colleague,
    get_member,
    list_members,
    list_owners,
    list_staff,
    works_in,
)
from app.identity.people.schemas import InvitationForm, RemovalForm, RolesForm
from app.identity.people.staff import Colleague, change_staff, invite_staff
from app.identity.rules import clean_address
from app.kernel.errors import Conflict, Forbidden, Invalid, SlipwayError
from app.kernel.paging import CursorKey
from app.kernel.work import Work
from app.web.begin import NothingHere, begin_work, home_of, run_form, runtime_of, site_of, trace_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Errors = list[tuple[str, str]]
_IN_THE_FORM = (Conflict, Invalid, rules.RoleBeyondYours, rules.OwnRole)


class PeoplePages(Controller):
    """The people of one workspace."""

    path = "/t/{tenant_id:uuid}/people"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], after: FromQuery[str] = "") -> Response[str]:
        """Who belongs here, and a form to invite somebody for who may."""
        return _members_page(request, tenant_id, after=after)

    @post("/", sync_to_thread=True)
    def invite(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Ask somebody in."""
        filled = form.fill(InvitationForm)
        if (said := filled.value) is None:
            return _members_page(request, tenant_id, typed=_typed(form), errors=filled.errors, status=422)
        _ask(request, tenant_id, Permission.MEMBER_INVITE)
        invited = _invited(request, said)
        try:
            _run(request, tenant_id, form, lambda work: invite_member(work, invited))
        except _IN_THE_FORM as error:
            return _members_page(request, tenant_id, typed=_typed(form), errors=_places(error), status=error.status)
        return self._followed(request, tenant_id, invited.person_id)

    @get("/{person_id:uuid}", sync_to_thread=True)
    def person(self, request: PageRequest, tenant_id: FromPath[UUID], person_id: FromPath[UUID]) -> Response[str]:
        """One of them, and what they may be."""
        return _member_page(request, tenant_id, person_id)

    @post("/{person_id:uuid}", sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], person_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Give them another role."""
        filled = form.fill(RolesForm)
        said = filled.value or RolesForm()
        try:
            _run(
                request,
                tenant_id,
                form,
                lambda work: change_member(work, person_id, role=said.role, reason=said.reason or None),
            )
        except _IN_THE_FORM as error:
            return _member_page(request, tenant_id, person_id, typed=_typed(form), errors=_places(error))
        return redirect(request, f"/t/{tenant_id}/people")

    @post("/{person_id:uuid}/remove", sync_to_thread=True)
    def remove(
        self, request: PageRequest, tenant_id: FromPath[UUID], person_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """End their belonging here."""
        reason = (form.fill(RemovalForm).value or RemovalForm()).reason or None
        try:
            _run(request, tenant_id, form, lambda work: remove_member(work, person_id, reason=reason))
        except _IN_THE_FORM as error:
            return _member_page(request, tenant_id, person_id, errors=_places(error))
        return self._followed(request, tenant_id, person_id)

    def _followed(self, request: PageRequest, tenant_id: UUID, person_id: UUID) -> Response[str]:
        tenant = visit_of(request).tenant
        if tenant is not None:
            follow_soon(runtime_of(request), tenant, person_id, trace_id=trace_of(request))
        return redirect(request, f"/t/{tenant_id}/people")


class StaffPages(Controller):
    """The staff of the partner whose host this is."""

    path = "/people"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, after: FromQuery[str] = "") -> Response[str]:
        """Who works here, and a form to invite somebody for who may."""
        return _staff_page(request, after=after)

    @post("/", sync_to_thread=True)
    def invite(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Ask somebody in."""
        filled = form.fill(InvitationForm)
        if (said := filled.value) is None:
            return _staff_page(request, typed=_typed(form), errors=filled.errors, status=422)
        _ask(request, home_of(request).id, Permission.STAFF_MANAGE)
        person_id = _person(request, said.email, said.name)
        known = find_colleague(runtime_of(request), _organisation(request), person_id)
        email, locale = clean_address(said.email) or said.email, locale_of(request).language
        colleague = known or Colleague(person_id, email, said.name, locale, frozenset())
        roles, reason, own = frozenset(said.roles), said.reason or None, _own_meanings(request)
        try:
            _run_at_home(request, form, lambda work: invite_staff(work, colleague, roles=roles, reason=reason, own=own))
        except _IN_THE_FORM as error:
            return _staff_page(request, typed=_typed(form), errors=_places(error), status=error.status)
        return self._followed(request, person_id)

    @get("/{person_id:uuid}", sync_to_thread=True)
    def person(self, request: PageRequest, person_id: FromPath[UUID]) -> Response[str]:
        """One of them, and what they may be."""
        return _colleague_page(request, person_id)

    @post("/{person_id:uuid}", sync_to_thread=True)
    def change(self, request: PageRequest, person_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Give them other roles."""
        said = form.fill(RolesForm).value or RolesForm()
        if not said.roles:
            errors = [("roles", mark("Choose at least one, or remove the person below."))]
            return _colleague_page(request, person_id, typed=_typed(form), errors=errors)
        return self._change(request, person_id, form, frozenset(said.roles), said.reason)

    @post("/{person_id:uuid}/remove", sync_to_thread=True)
    def remove(self, request: PageRequest, person_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """They do not work here any more."""
        reason = (form.fill(RemovalForm).value or RemovalForm()).reason
        return self._change(request, person_id, form, frozenset(), reason)

    def _change(
        self, request: PageRequest, person_id: UUID, form: Form, roles: frozenset[str], reason: str
    ) -> Response[str]:
        colleague = _colleague(request, person_id)
        owners = list_owners(runtime_of(request), _organisation(request))
        own, why = _own_meanings(request), reason or None

        def changing(work: Work) -> None:
            change_staff(work, colleague, roles=roles, reason=why, owners=owners, own=own)

        try:
            _run_at_home(request, form, changing)
        except _IN_THE_FORM as error:
            return _colleague_page(request, person_id, typed=_typed(form), errors=_places(error))
        return self._followed(request, person_id)

    def _followed(self, request: PageRequest, person_id: UUID) -> Response[str]:
        follow_soon(runtime_of(request), home_of(request), person_id, trace_id=trace_of(request))
        return redirect(request, "/people")


def _run(request: PageRequest, tenant_id: UUID, form: Form, change: Callable[[Work], None]) -> None:
    def operation(work: Work) -> dict[str, object]:
        change(work)
        return {}

    run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)


def _run_at_home(request: PageRequest, form: Form, change: Callable[[Work], None]) -> None:
    home = home_of(request)
    _run(request, home.id, form, change)


def _ask(request: PageRequest, tenant_id: UUID, permission: Permission) -> None:
    """Before somebody is made known to the installation at the word of who may not invite them. Raises NotPermitted."""
    with begin_work(request, tenant_id) as work:
        require(work, permission)


def _person(request: PageRequest, email: str, name: str) -> UUID:
    """The person of that address, made known to the installation; what they may do comes of the operation."""
    return ensure_person(runtime_of(request).databases, email=email, name=name, locale=locale_of(request).language)


def _invited(request: PageRequest, said: InvitationForm) -> Invited:
    person_id, email = _person(request, said.email, said.name), clean_address(said.email) or said.email
    works_here = works_in(runtime_of(request), person_id, _organisation(request))
    language, reason = locale_of(request).language, said.reason or None
    return Invited(person_id, email, said.name, language, said.role, works_here, reason)


def _organisation(request: PageRequest) -> UUID:
    tenant = visit_of(request).tenant
    return tenant.organisation_id if tenant is not None else site_of(request).organisation_id


def _colleague(request: PageRequest, person_id: UUID) -> Colleague:
    found = find_colleague(runtime_of(request), site_of(request).organisation_id, person_id)
    if found is None:
        raise rules.PersonUnknown(rules.NOBODY)
    return found


def _own_roles(request: PageRequest) -> list[CustomRoleOut]:
    """The partner's own roles. Raises NotPermitted."""
    return list_custom_roles(runtime_of(request), visit_of(request).actor).items


def _own_meanings(request: PageRequest) -> rules.Own:
    return {each.assigned_as: each.means for each in _own_roles(request)}


def _members_page(
    request: PageRequest,
    tenant_id: UUID,
    *,
    after: str = "",
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    status: int = 200,
) -> Response[str]:
    with begin_work(request, tenant_id) as work:
        found = list_members(work, key=_key(request), after=after)
        place = {"name": work.tenant.name, "path": f"/t/{tenant_id}"}
        may = can(work.rights, Permission.MEMBER_INVITE)
        offers = rules.offered(work.rights, rules.CUSTOMER_ORDER) if may else []
    context = _list(request, found, place, f"/t/{tenant_id}/people", offers, typed, errors)
    context |= {"staff": False, "first": bool(after)}
    return page(request, "identity/people/people.html", context, status=status, nav=staff_nav(request))


def _member_page(
    request: PageRequest,
    tenant_id: UUID,
    person_id: UUID,
    *,
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
) -> Response[str]:
    with begin_work(request, tenant_id) as work:
        require(work, Permission.MEMBER_INVITE)
        person = get_member(work, person_id)
        place = {"name": work.tenant.name, "path": f"/t/{tenant_id}"}
        offers = rules.offered(work.rights, rules.CUSTOMER_ORDER)
    return _one(request, person, place, f"/t/{tenant_id}/people", offers, typed, errors)


def _staff_page(
    request: PageRequest,
    *,
    after: str = "",
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    status: int = 200,
) -> Response[str]:
    home, runtime = home_of(request), runtime_of(request)
    own = _own_roles(request)
    with begin_work(request, home.id) as work:
        require(work, Permission.TENANT_READ)
        offers = _offered_staff(work, own)
    found = list_staff(runtime, home.organisation_id, key=_key(request), after=after)
    context = _list(request, found, {"name": home.name, "path": "/"}, "/people", offers, typed, errors)
    context |= {"staff": True, "first": bool(after), "own": _called(own)}
    return page(request, "identity/people/people.html", context, status=status, nav=staff_nav(request))


def _colleague_page(
    request: PageRequest, person_id: UUID, *, typed: dict[str, Any] | None = None, errors: Errors | None = None
) -> Response[str]:
    home, colleague = home_of(request), _colleague(request, person_id)
    own = _own_roles(request)
    with begin_work(request, home.id) as work:
        offers = _offered_staff(work, own)
        now = work.database_now
    if not offers:
        raise NothingHere(rules.NOBODY)
    person = Someone(colleague.person_id, colleague.name, colleague.email, tuple(sorted(colleague.held)), now)
    place = {"name": home.name, "path": "/"}
    return _one(request, person, place, "/people", offers, typed, errors, own=_called(own))


def _offered_staff(work: Work, own: list[CustomRoleOut]) -> list[str]:
    means = {each.assigned_as: each.means for each in own}
    return rules.offered(work.rights, rules.PARTNER_ORDER, means) if can(work.rights, Permission.STAFF_MANAGE) else []


def _called(own: list[CustomRoleOut]) -> dict[str, dict[str, str]]:
    """What the partner's own roles are called, by what each is assigned as."""
    return {each.assigned_as: {"name": each.name, "base": each.base} for each in own}


def _list(
    request: PageRequest,
    found: PeoplePage,
    place: dict[str, str],
    path: str,
    offers: list[str],
    typed: dict[str, Any] | None,
    errors: Errors | None,
) -> dict[str, Any]:
    return {
        "place": place,
        "path": path,
        "people": found.people,
        "total": found.total,
        "older": found.older,
        "offers": offers,
        "own": {},
        "typed": typed or {},
        "errors": errors or [],
        "me": visit_of(request).actor.id,
        "command_key": new_command_key(),
    }


def _one(
    request: PageRequest,
    person: Someone | None,
    place: dict[str, str],
    path: str,
    offers: list[str],
    typed: dict[str, Any] | None,
    errors: Errors | None,
    *,
    own: Mapping[str, Mapping[str, str]] | None = None,
) -> Response[str]:
    if person is None:
        raise rules.PersonUnknown(rules.NOBODY)
    # What is held and cannot be given stays in sight; of a role that is gone nothing is held.
    kept = (role for role in person.roles if role in (own or ()) or not role.startswith(CUSTOM))
    shown = list(dict.fromkeys([*offers, *kept]))
    context = {
        "staff": own is not None,
        "place": place,
        "path": path,
        "person": person,
        "offers": shown,
        "own": own or {},
        "typed": typed or {},
        "errors": errors or [],
        "command_key": new_command_key(),
    }
    status = 422 if errors else 200
    return page(request, "identity/people/person.html", context, status=status, nav=staff_nav(request))


def _typed(form: Form) -> dict[str, Any]:
    return {**form.typed, "roles": form.every("roles") or form.every("role")}


def _places(error: SlipwayError) -> Errors:
    """Where it belongs in the form; what has no place of its own stands above it."""
    return error.errors or [("role" if isinstance(error, Forbidden) else "", error.message)]


def _key(request: PageRequest) -> bytes:
    return runtime_of(request).service(CursorKey).value
