"""One form, one command: what every form about an onboarding brings, and how it counts once and is given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.intake.queries import get_exception_key
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.pages.doors import saying, see, whole
from app.onboarding.sending import told_at
from app.web.begin import begin_work, run_form
from app.web.forms import Form
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
Shown = dict[str, Any]
_MOVED_ON, _WRONG = 409, 422  # the state of things, or what was typed: told where it was typed


@dataclass(frozen=True, slots=True)
class Sent:
    """A form about one onboarding: who sends it, about which one, and what was typed.

    A door reads its fields by `text`, names one command, and says on which view its form stands.
    """

    request: PageRequest
    tenant_id: UUID
    onboarding_id: UUID
    form: Form

    def text(self, name: str) -> str:
        """What was typed into a field."""
        return self.form.first(name)

    def run(
        self, command: Callable[[Work], object], *, view: str, find: Callable[[Shown], Shown | None], after: str = ""
    ) -> Response[str]:
        """Run the command once for the form's key, then lead to the onboarding, or to its view `after`.

        What is refused for what was typed, or because things have moved on, is told on that `view`, at the form that
        `find` names, with what was typed; where that form is gone, above the view. Raises what else is refused.
        """

        def once(work: Work) -> dict[str, object]:
            command(work)
            return {}

        try:
            run_form(self.request, self.tenant_id, key=self.form.command_key, body=self.form.typed, operation=once)
        except SlipwayError as error:
            if error.status not in {_MOVED_ON, _WRONG}:
                raise
            return self._again(error, view, find)
        path = f"/t/{self.tenant_id}/onboardings/{self.onboarding_id}"
        return redirect(self.request, f"{path}?view={after}" if after else path)

    def _again(self, error: SlipwayError, view: str, find: Callable[[Shown], Shown | None]) -> Response[str]:
        """The view once more, as things are now."""
        with begin_work(self.request, self.tenant_id) as work:
            context = whole(self.request, work, see(self.request, work, self.onboarding_id), view)
        form = find(context)
        told = told_at(error, form["fields"] if form else [], saying(self.request))
        if form is None:
            context["errors"] = told
        else:
            form.update(given=self.form.typed, errors=told)
        name, nav = "onboarding/partner_onboarding.html", staff_nav(self.request)
        return page(self.request, name, context, status=error.status, nav=nav)


@dataclass(frozen=True, slots=True)
class CourseForm(Sent):
    """A form of the course of an onboarding."""

    def steer(self, word: str, command: Callable[[Work], object]) -> Response[str]:
        """Run the command of the form that is called so."""

        def find(context: Shown) -> Shown | None:
            return next((form for form in context["course"] if form["id"] == word), None)

        return self.run(command, view="course", find=find)


@dataclass(frozen=True, slots=True)
class ExceptionForm(Sent):
    """A form about one exception of an onboarding."""

    exception_id: UUID

    def act(self, word: str, command: Callable[[Work, str], object]) -> Response[str]:
        """Run the command of the form that is called so; it is given the engine's name of the exception."""

        def named(work: Work) -> object:
            return command(work, get_exception_key(work, self.onboarding_id, self.exception_id))

        def find(context: Shown) -> Shown | None:
            lines = (line for line in context["exceptions"] if line["id"] == str(self.exception_id))
            return next((form for line in lines for form in line["forms"] if form["id"] == word), None)

        return self.run(named, view="exceptions", find=find, after="exceptions")


def read_course_form(
    request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], form: NamedDependency[Form]
) -> CourseForm:
    """What a door of the course is given."""
    return CourseForm(request, tenant_id, onboarding_id, form)


def read_exception_form(
    request: PageRequest,
    tenant_id: FromPath[UUID],
    onboarding_id: FromPath[UUID],
    exception_id: FromPath[UUID],
    form: NamedDependency[Form],
) -> ExceptionForm:
    """What a door of an exception is given."""
    return ExceptionForm(request, tenant_id, onboarding_id, form, exception_id)
