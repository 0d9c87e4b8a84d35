"""The queue doors of connectors: runs, what connections sign in with, webhooks both ways, records compared."""

from app.connectors.jobs import connections, drift, inbound, runs, webhooks

__all__ = ["connections", "drift", "inbound", "runs", "webhooks"]
