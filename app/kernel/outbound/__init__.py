"""Guarded outbound HTTP: `egress` decides where a call may go, `client` makes it. The only way out of the house."""
