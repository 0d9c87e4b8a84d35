"""The JSON doors of webhooks that go out."""
