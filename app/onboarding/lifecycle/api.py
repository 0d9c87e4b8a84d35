"""The JSON door that starts what follows an onboarding."""

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import RawBody

from app.kernel.work import Work
from app.onboarding.api import described
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.lifecycle.operations import ask_for_next
from app.onboarding.lifecycle.rules import successor_id
from app.onboarding.schemas import NextOut, NextWish
from app.web.guard.backlog import BEGINS_WORK
from app.web.wire.doors import commands


class LifecycleDoors(Controller):
    """What follows an onboarding."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/next", "onboardings.startNext", described.NEXT, opt=BEGINS_WORK)
    def begin(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Start now what the template says follows, once. A job begins it under the id of the answer."""
        sent = of.read(body, NextWish)
        made = NextOut(successor_id(of.onboarding_id, sent.lifecycle), sent.lifecycle, of.onboarding_id)

        def command(work: Work) -> object:
            wish = {"lifecycle": sent.lifecycle, "reason": sent.reason}
            return ask_for_next(work, onboarding_id=of.onboarding_id, **wish)

        return of.once(sent, command, lambda _work, _seen: made)
