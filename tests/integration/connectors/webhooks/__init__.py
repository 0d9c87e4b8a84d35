"""Tests of webhooks that go out."""
