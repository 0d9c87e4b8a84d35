"""The marketplace as Prometheus reads it: what waits and how long, what was refused and why, who has not heard."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sqlalchemy import text

from app.marketplace.rules import ENDED, State
from tenants.engines import Databases
from tenants.sessions import lookup_session

REFUSED: Final = Counter(
    "slipway_marketplace_installations_refused", "Packages that this process did not take, by the trouble.", ["reason"]
)
_FACTS = text("SELECT fact, label, number, oldest FROM control.count_market()")
# Of each fact: what its number is called, what its age is called if anybody asks for it, and its label.
_TOLD: Final = {
    "versions": ("versions", "Submitted versions by state.", "state"),
    "failed": ("checks_failed", "Submissions that stand refused by an automatic check.", "check"),
    "unheard": ("notices_unheard", "Organisations that hold an ended version and were not told.", "state"),
}


def count_market(databases: Databases) -> bytes:
    """Over all organisations of this installation. Raises DatabaseAway."""
    with lookup_session(databases, actor="metrics") as (session, now):
        rows = session.execute(_FACTS).all()
    registry = CollectorRegistry()
    gauges = {fact: _gauge(registry, name, said, label) for fact, (name, said, label) in _TOLD.items()}
    for state in State:
        gauges["versions"].labels(state).set(0)
    for state in (State.DEPRECATED, *ENDED):
        gauges["unheard"].labels(state).set(0)
    installs = _gauge(registry, "installs", "Versions that organisations have taken.")
    waits = _gauge(registry, "review_oldest_seconds", "Age of the oldest submission that waits for a review.")
    unheard = _gauge(registry, "notices_unheard_oldest_seconds", "Since when an end is not heard.", "state")
    for fact, label, number, oldest in rows:
        if fact == "installs":
            installs.set(number)
        else:
            gauges[fact].labels(label).set(number)
        if fact == "unheard":
            unheard.labels(label).set(_age(now, oldest))
        if (fact, label) == ("versions", State.IN_REVIEW):
            waits.set(_age(now, oldest))
    return generate_latest(registry)


def _gauge(registry: CollectorRegistry, name: str, said: str, *labels: str) -> Gauge:
    return Gauge(f"slipway_marketplace_{name}", said, list(labels), registry=registry)


def _age(now: datetime, oldest: datetime) -> float:
    return max(0.0, (now - oldest).total_seconds())
