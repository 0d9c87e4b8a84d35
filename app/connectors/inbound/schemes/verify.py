"""From a manifest's `webhooks:` to the scheme that verifies; which header proves what, which secret fits a scheme."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.connectors.inbound.schemes import generic, hubspot, standard, stripe, token
from app.connectors.inbound.schemes.arrival import Arrival, DeliveryRefused, Verified
from app.connectors.inbound.schemes.ed25519 import read_public_key
from app.connectors.kit.webhooks import Webhooks
from app.vault.secret import Secret


def verify(webhooks: Webhooks, arrival: Arrival, *, secrets: Sequence[Secret], now: datetime) -> Verified:
    """Check the raw bytes before anything reads them. Any of the active secrets will do: they change with an overlap.

    `now` is the world's time (`world_time`), or for a delivery that was kept the time at which it came. Raises
    DeliveryRefused.
    """
    if not secrets:
        raise DeliveryRefused("no_secret")
    id_header = webhooks.message_id.header
    match webhooks.scheme:
        case "standard_webhooks":
            return standard.verify(arrival, secrets, now, webhooks.header_prefix)
        case "hubspot_v3":
            return hubspot.verify(arrival, secrets, now)
        case "stripe":
            return stripe.verify(arrival, secrets, now)
        case "jwt" if webhooks.jwt:
            return token.verify(arrival, secrets, now, webhooks.jwt)
        case "ed25519" if webhooks.ed25519:
            return generic.verify_ed25519(arrival, secrets, now, webhooks.ed25519, id_header)
    declared = {"github": generic.GITHUB, "slack": generic.SLACK}.get(webhooks.scheme) or webhooks.hmac
    if declared is None:  # the manifest's schema refuses it
        raise LookupError(f"The scheme {webhooks.scheme} needs its own section.")
    return generic.verify_hmac(arrival, secrets, now, declared, id_header)


def proof_headers(webhooks: Webhooks) -> tuple[str, ...]:
    """The headers that a delivery is verified by: kept where it may be verified again, and never shown."""
    match webhooks.scheme:
        case "standard_webhooks":
            return standard.headers(webhooks.header_prefix)
        case "hubspot_v3":
            return hubspot.HEADERS
        case "stripe":
            return (stripe.HEADER,)
        case "jwt" if webhooks.jwt:
            return () if webhooks.jwt.in_body else (webhooks.jwt.header,)
    declared = {"github": generic.GITHUB, "slack": generic.SLACK}.get(webhooks.scheme) or webhooks.signature
    return generic.headers(declared, webhooks.message_id.header) if declared else ()


def is_usable(webhooks: Webhooks, secret: Secret) -> bool:
    """Whether a value can be a secret of this scheme at all: a key that nothing would ever fit is a typing mistake."""
    match webhooks.scheme:
        case "standard_webhooks":
            return standard.is_key(secret)
        case "ed25519":
            return read_public_key(secret) is not None
        case "jwt" if webhooks.jwt:
            return any(token.read_key(secret, algorithm) is not None for algorithm in webhooks.jwt.algorithms)
    return bool(secret.reveal_bytes().strip())
