"""Webhooks that go out: which events a tenant's endpoints hear, how they are signed, sent, tried again and told of."""
