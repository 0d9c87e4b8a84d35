"""The JSON doors of optional and repeated parts."""

from functools import partial

from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding.api import described
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.parts import operations
from app.onboarding.queries.wire.items import get_item
from app.onboarding.schemas import Decline, GonePart, NewPart
from app.web.wire.doors import commands


class PartDoors(Controller):
    """What changes the parts of an onboarding that not every one needs."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @commands("/items/{key:str}/decline", "items.decline", described.DECLINE)
    def decline(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Say that an optional step of your side is not needed. Nothing waited for it."""
        sent = of.read(body, Decline)

        def command(work: Work) -> object:
            return operations.decline_item(work, onboarding_id=of.onboarding_id, item=key, reason=sent.reason)

        return of.once(sent, command, partial(get_item, key=key))

    @commands("/items/{key:str}/parts", "items.addPart", described.ADD_PART)
    def add(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Let a repeated part happen once more. The answer is the group; its newest item has the highest number."""
        sent = of.read(body, NewPart)

        def command(work: Work) -> object:
            return operations.add_part(work, onboarding_id=of.onboarding_id, item=key, name=sent.name)

        return of.once(sent, command, partial(get_item, key=key))

    @commands("/items/{key:str}/removal", "items.removePart", described.REMOVE_PART)
    def remove(self, of: NamedDependency[Asked], key: FromPath[str], body: RawBody) -> Response[bytes]:
        """Take away one of several in which nothing was done. The answer is the group that it was in."""
        sent = of.read(body, GonePart)

        def command(work: Work) -> object:
            return operations.remove_part(work, onboarding_id=of.onboarding_id, item=key, reason=sent.reason)

        return of.once(sent, command, partial(get_item, key=key.partition("#")[0]))
