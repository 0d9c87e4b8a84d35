"""The queue doors of hooks: let `control` follow an address, announce what came in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.connectors.inbound.operations.addresses import follow_all, is_open, let_control_follow
from app.connectors.inbound.operations.announcing import announce_delivery, hold_delivery
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.work import Work


@job("connectors.follow_address", attempts=30)
def follow_address(run: JobRun, *, hook_id: str, digest: str) -> Outcome:
    """Let an address lead to its workspace while it is open there, and nowhere afterwards."""
    with run.work() as work:
        leads = is_open(work, UUID(hook_id), digest)
    let_control_follow(run.runtime, run.tenant, UUID(hook_id), digest, leads=leads)
    return Done()


@job("connectors.follow_addresses", attempts=30)
def follow_addresses(run: JobRun, *, event_id: str) -> Outcome:
    """A workspace has come from another installation: its addresses lead to it here, too."""
    del event_id
    with run.finish() as work:
        follow_all(work)
    return Done()


def let_go(work: Work, args: dict[str, Any], reason: str) -> None:
    """The delivery's job came to no end of its own: it waits for a person."""
    place = UUID(args["hook_id"]), UUID(args["delivery_id"])
    hold_delivery(work, *place, connector=args["connector"], said=reason)


@job("connectors.announce_delivery", given_up=let_go)
def announce(run: JobRun, *, hook_id: str, delivery_id: str, connector: str, asked: int) -> Outcome:
    """Announce each message of a delivery, in the transaction that completes the job."""
    with run.finish() as work:
        announce_delivery(work, UUID(hook_id), UUID(delivery_id), connector=connector, asked=asked)
    return Done()
