"""Which events an endpoint hears, as a form offers and shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.audit.words import KINDS, SAID
from app.connectors.webhooks.forms import EVERYTHING
from app.connectors.webhooks.rules import Endpoint
from app.kernel.catalogue.schemas import list_types


def offers(chosen: Iterable[str]) -> list[dict[str, Any]]:
    """The types of events by the first word of their names, each with its words; a group with a chosen one is open."""
    groups: dict[str, list[dict[str, str]]] = {}
    for kind in list_types():
        offer = {"value": kind.type, "words": SAID.get(kind.type, "")}
        groups.setdefault(kind.type.partition(".")[0], []).append(offer)
    ticked = set(chosen)
    return [
        {
            "all": f"{name}.*",
            "title": KINDS.get(name, name),
            "offers": found,
            "chosen": len(ticked & {f"{name}.*", *(each["value"] for each in found)}),
        }
        for name, found in groups.items()
    ]


def chosen_of(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as the form would have sent it: what no box stands for is typed."""
    boxes = {name for group in offers(()) for name in (group["all"], *(each["value"] for each in group["offers"]))}
    everything = EVERYTHING in endpoint.types
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "hears": "everything" if everything else "some",
        "types": [name for name in endpoint.types if name in boxes],
        "names": "" if everything else "\n".join(name for name in endpoint.types if name not in boxes),
        "ordered": endpoint.ordered,
        "thin": endpoint.thin,
        "customers": endpoint.customers,
    }
