"""Guarded outbound HTTP, the only way out of the house: `egress` decides where a call may go, `client` makes it."""
