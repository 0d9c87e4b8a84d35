"""Endpoints and deliveries as plain data for pages. What a stranger answered is cut, and stays text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from app.audit.words import SAID
from app.connectors.webhooks.forms import EVERYTHING
from app.connectors.webhooks.log import Attempt
from app.connectors.webhooks.operations.endpoints import host_of
from app.connectors.webhooks.queries import Sent
from app.connectors.webhooks.rules import BY_HAND, DISABLED_AFTER, Endpoint

_FEW: Final = 3
_MOST_OF_AN_ANSWER: Final = 300  # characters


def shown_in_list(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint beside others: never its whole address."""
    return {
        "id": endpoint.id,
        "host": host_of(endpoint.url),
        "description": endpoint.description,
        "everything": EVERYTHING in endpoint.types,
        "types": list(endpoint.types[:_FEW]),
        "more": len(endpoint.types[_FEW:]),
        "health": endpoint.health,
        "by_hand": endpoint.reason == BY_HAND,
        "delivered_at": endpoint.delivered_at,
    }


def shown_endpoint(endpoint: Endpoint, now: datetime, *, may: bool) -> dict[str, Any]:
    """An endpoint by itself; its address only for who may change it."""
    signing = endpoint.signing(now)
    return shown_in_list(endpoint) | {
        "url": endpoint.url if may else "",
        "types": list(endpoint.types),
        "more": 0,
        "reason": endpoint.reason,
        "ordered": endpoint.ordered,
        "thin": endpoint.thin,
        "customers": endpoint.customers,
        "made_at": endpoint.made_at,
        "keys": [msgspec.structs.asdict(key) for key in signing],
        "challenge": msgspec.structs.asdict(endpoint.challenge),
    }


def shown_trouble(endpoint: Endpoint, now: datetime) -> dict[str, Any] | None:
    """How long it has taken nothing, and when that ends in its being disabled; None where there is no trouble."""
    trouble = endpoint.trouble
    if trouble is None:
        return None
    return {
        "since": trouble.since,
        "lasts": now - trouble.since,
        "count": trouble.count,
        "said": trouble.said,
        "again_at": trouble.again_at if trouble.again_at and trouble.again_at > now else None,
        "share": min(max((now - trouble.since) / DISABLED_AFTER, 0.0), 1.0),
        "ends_at": trouble.since + DISABLED_AFTER,
    }


def shown_delivery(sent: Sent, now: datetime, names: Mapping[UUID, str]) -> dict[str, Any]:
    """How an event fares, with every attempt that is known, the newest first."""
    delivery = sent.delivery
    return {
        "id": sent.event_id,
        "type": delivery.type,
        "words": SAID.get(delivery.type, ""),
        "at": delivery.at,
        "customer": {"id": theirs, "name": names.get(theirs, "")} if (theirs := delivery.tenant_id) else None,
        "state": delivery.state,
        "tries": delivery.tries,
        "asked": delivery.asked,
        "next_at": delivery.next_at if delivery.next_at and delivery.next_at > now else None,
        "attempts": [_shown_attempt(each) for each in reversed(delivery.attempts)],
    }


def _shown_attempt(attempt: Attempt) -> dict[str, Any]:
    text = attempt.excerpt.strip()
    cut = f"{text[:_MOST_OF_AN_ANSWER]}…" if len(text) > _MOST_OF_AN_ANSWER else text
    return {
        "at": attempt.at,
        "code": "egress" if attempt.code.startswith("egress_") else attempt.code,
        "status": attempt.status,
        "ms": attempt.ms,
        "excerpt": cut,
    }
