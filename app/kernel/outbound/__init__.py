"""Guarded outbound HTTP, the only way out of the house: `client` makes the calls that `kernel.egress` allows."""

from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    OutboundResponse,
    PeerOutcomeUnknown,
    PeerUnreachable,
)

__all__ = ["OutboundClient", "OutboundRequest", "OutboundResponse", "PeerOutcomeUnknown", "PeerUnreachable"]
