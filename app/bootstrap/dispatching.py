"""The dispatcher process, put together."""

from __future__ import annotations

from app.bootstrap.schedules import schedules
from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import Running
from app.kernel.queue.broker import make_broker
from app.kernel.queue.loop import Dispatcher
from app.kernel.queue.wake import Doorbell
from app.kernel.work import JOBS


def make_dispatcher(running: Running) -> Dispatcher:
    """A dispatcher over every cell; its window is twice the worker's threads (running and queued, DESIGN 16)."""
    settings = running.settings
    return Dispatcher(
        databases=running.runtime.databases,
        broker=make_broker(settings.redis_url),
        subscriptions=SUBSCRIPTIONS,
        doorbell=Doorbell(settings.redis_url, JOBS),
        window=2 * settings.worker_threads,
        at_once=settings.tenant_jobs,
        schedules=schedules(
            running.runtime,
            warm_slots=settings.warm_slots,
            drift_hours=settings.drift_hours,
            mark_days=settings.mark_days,
        ),
    )
