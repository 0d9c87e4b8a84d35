"""The HTML doors of an exception: answer, give away, retry, resolve, agree to what is proposed."""

from __future__ import annotations

from litestar import Controller, Response, post
from litestar.di import NamedDependency, Provide

from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.operations.trouble import Route, Verdict
from app.onboarding.pages.doors import ONBOARDING, see
from app.onboarding.pages.sent import ExceptionForm, read_exception_form
from app.onboarding.queries.steering.edited import find_places
from app.onboarding.sending import moment_of, person_of, resolution_of, statement, typed_input


class ExceptionForms(Controller):
    """Each form is one command, counted once by its key; a refusal gives back what was typed."""

    path = f"{ONBOARDING}/exceptions/{{exception_id:uuid}}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False
    dependencies = {"sent": Provide(read_exception_form, sync_to_thread=False)}  # noqa: RUF012 - the same

    @post("/answer", sync_to_thread=True)
    def answer(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Respond for the first time."""

        def command(work: Work, key: str) -> object:
            note = sent.text("note")
            return operations.answer_exception(work, onboarding_id=sent.onboarding_id, exception=key, note=note)

        return sent.act("answer", command)

    @post("/route", sync_to_thread=True)
    def route(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Give it to another role, or to somebody by name."""

        def command(work: Work, key: str) -> object:
            whose = Route(role=sent.text("role") or None, person=person_of(sent.text("person")))
            to, note = sent.onboarding_id, sent.text("note")
            return operations.route_exception(work, onboarding_id=to, exception=key, whose=whose, reason=note)

        return sent.act("route", command)

    @post("/retry", sync_to_thread=True)
    def retry(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Try again later."""

        def command(work: Work, key: str) -> object:
            zone = see(sent.request, work, sent.onboarding_id).state.partner.zone
            at, note = moment_of(sent.text("at"), zone), sent.text("note")
            to = sent.onboarding_id
            return operations.schedule_retry(work, onboarding_id=to, exception=key, at=at, reason=note)

        return sent.act("retry", command)

    @post("/agreement", sync_to_thread=True)
    def agree(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Agree to what is proposed, or decline it."""

        def command(work: Work, key: str) -> object:
            said = Verdict(sent.text("agreed") == "yes", sent.text("proposal"), sent.text("note"))
            return operations.decide_proposal(work, onboarding_id=sent.onboarding_id, exception=key, verdict=said)

        return sent.act("agreement", command)

    @post("/resolution", sync_to_thread=True)
    def resolve(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Say how it ended, or roll back to a stage."""

        def command(work: Work, key: str) -> object:
            return operations.resolve_exception(
                work,
                onboarding_id=sent.onboarding_id,
                exception=key,
                resolution=resolution_of(sent.text("resolution")),
                reason=sent.text("note"),
                evidence=statement(sent.text("note")),
                stage=sent.text("stage") or None,
            )

        return sent.act("rollback" if sent.text("resolution") == "roll_back" else "resolution", command)

    @post("/edited", sync_to_thread=True)
    def retry_edited(self, sent: NamedDependency[ExceptionForm]) -> Response[str]:
        """Try again at once, with other values for the action."""

        def command(work: Work, key: str) -> object:
            seen, note = see(sent.request, work, sent.onboarding_id), sent.text("note")
            return operations.resolve_exception(
                work,
                onboarding_id=sent.onboarding_id,
                exception=key,
                resolution="retry",
                reason=note,
                given=typed_input(find_places(work, seen, key), sent.form),
            )

        return sent.act("edited", command)
