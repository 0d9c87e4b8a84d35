"""The JSON doors that change the course of an onboarding: hold, resume, leave out, roll back, cancel."""

from functools import partial

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import steering
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.queries.wire.items import get_item
from app.onboarding.queries.wire.onboardings import show_onboarding
from app.onboarding.wishes import HoldWish, Reason, RollBackWish, Said
from app.web.wire.doors import commands


class CourseDoors(Controller):
    """What changes the course of one onboarding."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/hold", "onboardings.hold", steering.HOLD)
    def hold(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Put it on hold: nobody moves it, and its clocks stand still."""
        sent = of.read(body, HoldWish)

        def command(work: Work) -> object:
            to, code = of.onboarding_id, sent.reason_code
            return operations.hold_onboarding(work, onboarding_id=to, reason_code=code, reason=sent.reason)

        return of.once(sent, command, show_onboarding)

    @commands("/resumption", "onboardings.resume", steering.RESUME)
    def resume(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """End the hold: clocks go on, and dates move by the business time that it was held."""
        sent = of.read(body, Said)

        def command(work: Work) -> object:
            return operations.resume_onboarding(work, onboarding_id=of.onboarding_id, reason=sent.reason)

        return of.once(sent, command, show_onboarding)

    @commands("/items/{key:str}/skip", "items.skip", steering.SKIP)
    def skip(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Leave a task, milestone or stage out, with all that is open below it."""
        sent = of.read(body, Reason)

        def command(work: Work) -> object:
            return operations.skip_item(work, onboarding_id=of.onboarding_id, item=key, reason=sent.reason)

        return of.once(sent, command, partial(get_item, key=key))

    @commands("/rollbacks", "onboardings.rollBack", steering.ROLL_BACK)
    def roll_back(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Begin a stage and every later one anew; what was done in another system becomes a problem for a person."""
        sent = of.read(body, RollBackWish)

        def command(work: Work) -> object:
            return operations.roll_back(work, onboarding_id=of.onboarding_id, stage=sent.stage, reason=sent.reason)

        return of.once(sent, command, show_onboarding)

    @commands("/cancellation", "onboardings.cancel", steering.CANCEL)
    def cancel(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Stop it for good."""
        sent = of.read(body, Reason)

        def command(work: Work) -> object:
            return operations.cancel_onboarding(work, onboarding_id=of.onboarding_id, reason=sent.reason)

        return of.once(sent, command, show_onboarding)
