"""Open exceptions as Prometheus reads them: of each type how many, and how old the oldest is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text

from tenants.engines import Databases
from tenants.sessions import lookup_session


def count_exceptions(databases: Databases) -> bytes:
    """Over all customers of this installation. Raises DatabaseAway."""
    with lookup_session(databases, actor="metrics") as (session, now):
        rows = session.execute(text("SELECT type, number, oldest FROM control.open_exceptions()")).all()
    registry = CollectorRegistry()
    number = Gauge("slipway_exceptions_open", "Exceptions that nobody has resolved.", ["type"], registry=registry)
    oldest = Gauge(
        "slipway_exceptions_oldest_seconds", "Age of the oldest open exception.", ["type"], registry=registry
    )
    for row in rows:
        number.labels(row.type).set(row.number)
        oldest.labels(row.type).set(max(0.0, (now - row.oldest).total_seconds()))
    return generate_latest(registry)
