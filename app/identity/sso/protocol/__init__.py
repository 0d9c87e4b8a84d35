"""OpenID Connect as a client speaks it: the guarded line, the provider's own account, its keys, its tokens."""
