"""The HTML doors of webhooks that go out, of a partner's home and of one workspace."""
