"""The queue doors of connectors: runs of actions, and webhooks that go out."""

from app.connectors.jobs import runs, webhooks

__all__ = ["runs", "webhooks"]
