"""The queue doors of connectors: runs, what connections sign in with, validations, webhooks out and in."""

from app.connectors.jobs import connections, inbound, integrations, runs, webhooks

__all__ = ["connections", "inbound", "integrations", "runs", "webhooks"]
