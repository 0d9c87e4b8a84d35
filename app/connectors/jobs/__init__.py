"""The queue doors of connectors: runs, what connections sign in with, validations, webhooks, records compared."""

from app.connectors.jobs import connections, drift, inbound, integrations, runs, webhooks

__all__ = ["connections", "drift", "inbound", "integrations", "runs", "webhooks"]
