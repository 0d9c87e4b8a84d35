"""The queue doors of connectors: runs, what connections sign in with, webhooks that go out, and those that come in."""

from app.connectors.jobs import connections, inbound, runs, webhooks

__all__ = ["connections", "inbound", "runs", "webhooks"]
