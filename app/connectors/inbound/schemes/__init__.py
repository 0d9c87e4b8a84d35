"""How deliveries prove themselves, one file for each way. Pure: bytes, secrets and a time in, a verdict out."""

from app.connectors.inbound.schemes.arrival import Arrival, DeliveryRefused, Reason, Verified
from app.connectors.inbound.schemes.verify import is_usable, proof_headers, verify

__all__ = ["Arrival", "DeliveryRefused", "Reason", "Verified", "is_usable", "proof_headers", "verify"]
