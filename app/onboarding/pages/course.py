"""The HTML doors through which a partner's people change the course of an onboarding."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.connectors.settings.undoing import compensate_run
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.lifecycle.operations import ask_for_next
from app.onboarding.pages.doors import ONBOARDING
from app.onboarding.pages.sent import CourseForm, read_course_form
from app.onboarding.sending import person_of


class CourseForms(Controller):
    """Each form is one command, counted once by its key; a refusal gives back what was typed."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False
    dependencies = {"sent": Provide(read_course_form, sync_to_thread=False)}  # noqa: RUF012 - the same

    @post("/hold", sync_to_thread=True)
    def hold(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Put it on hold."""

        def command(work: Work) -> object:
            said = {"reason_code": sent.text("reason_code"), "reason": sent.text("reason")}
            return operations.hold_onboarding(work, onboarding_id=sent.onboarding_id, **said)

        return sent.steer("hold", command)

    @post("/resumption", sync_to_thread=True)
    def resume(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """End the hold."""

        def command(work: Work) -> object:
            return operations.resume_onboarding(work, onboarding_id=sent.onboarding_id, reason=sent.text("reason"))

        return sent.steer("resumption", command)

    @post("/assignments", sync_to_thread=True)
    def assign(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Give a step to somebody, or back to its role."""

        def command(work: Work) -> object:
            chosen, said = person_of(sent.text("person")), {"item": sent.text("item"), "reason": sent.text("reason")}
            return operations.assign_item(work, onboarding_id=sent.onboarding_id, person=chosen, **said)

        return sent.steer("assignments", command)

    @post("/skips", sync_to_thread=True)
    def skip(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Leave a step out."""

        def command(work: Work) -> object:
            said = {"item": sent.text("item"), "reason": sent.text("reason")}
            return operations.skip_item(work, onboarding_id=sent.onboarding_id, **said)

        return sent.steer("skips", command)

    @post("/rollbacks", sync_to_thread=True)
    def roll_back(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Begin a stage and every later one anew."""

        def command(work: Work) -> object:
            said = {"stage": sent.text("stage"), "reason": sent.text("reason")}
            return operations.roll_back(work, onboarding_id=sent.onboarding_id, **said)

        return sent.steer("rollbacks", command)

    @post("/next", sync_to_thread=True)
    def begin_next(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Start what follows."""

        def command(work: Work) -> object:
            said = {"lifecycle": sent.text("lifecycle"), "reason": sent.text("reason")}
            return ask_for_next(work, onboarding_id=sent.onboarding_id, **said)

        return sent.steer("next", command)

    @post("/cancellation", sync_to_thread=True)
    def cancel(self, sent: NamedDependency[CourseForm]) -> Response[str]:
        """Stop it for good."""

        def command(work: Work) -> object:
            return operations.cancel_onboarding(work, onboarding_id=sent.onboarding_id, reason=sent.text("reason"))

        return sent.steer("cancellation", command)

    @post("/runs/{run_id:uuid}/compensation", sync_to_thread=True)
    def undo(self, sent: NamedDependency[CourseForm], run_id: FromPath[UUID]) -> Response[str]:
        """Have what a call did undone in the other system."""

        def command(work: Work) -> object:
            return compensate_run(work, run_id, reason=sent.text("reason"), onboarding_id=sent.onboarding_id)

        return sent.steer(f"undo-{run_id}", command)
