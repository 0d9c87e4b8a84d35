"""Webhooks that go out, over real HTTP to a receiver that answers as it is told."""
