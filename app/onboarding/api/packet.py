"""The JSON doors of the facts that were handed over."""

from litestar import Controller, Response, patch
from litestar.di import NamedDependency
from litestar.params import RawBody

from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.api import described
from app.onboarding.api.answers import ASKED, Asked
from app.onboarding.api.doors import ONBOARDING
from app.onboarding.queries.wire.items import get_packet
from app.onboarding.schemas import PacketChange
from app.web.wire.doors import commands, reads
from app.web.wire.reading import JSON, MERGE_PATCH


class PacketDoors(Controller):
    """The packet of one onboarding."""

    path = f"{ONBOARDING}/packet"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @reads("/", "packet.read", described.PACKET)
    def packet(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """Read the facts that were handed over, each with its block rule and where it came from."""
        return of.show(get_packet)

    @commands("/", "packet.change", described.CHANGE_PACKET, method=patch)
    def change(self, of: NamedDependency[Asked], body: RawBody) -> Response[bytes]:
        """Give, correct or withdraw facts of the packet; the others stay as they are."""
        sent = of.read(body, PacketChange, media=(MERGE_PATCH, JSON))

        def command(work: Work) -> object:
            return operations.change_packet(work, onboarding_id=of.onboarding_id, facts=sent.facts)

        return of.once(sent, command, get_packet)
