"""The queue doors of connectors: runs of actions, what connections sign in with, and webhooks that go out."""

from app.connectors.jobs import connections, runs, webhooks

__all__ = ["connections", "runs", "webhooks"]
