"""The queue doors of connectors: runs of actions, webhooks that go out, and those that come in."""

from app.connectors.jobs import inbound, runs, webhooks

__all__ = ["inbound", "runs", "webhooks"]
