"""A fresh sale for each journey: a customer nobody has heard of, whose handoff packet is not yet complete."""

from __future__ import annotations

from app.demo.world.northwind import NORTHWIND
from app.demo.world.shapes import Contact, Sale

PARTNER = NORTHWIND
SEGMENT = "small"
# Left out of the deal: the gate blocks until somebody fills them in.
MISSING = ("business_outcome", "success_criteria")
_COMPLETE = next(sale for sale in NORTHWIND.sales if sale.segment == SEGMENT)


def fresh_sale(mark: str) -> Sale:
    """A sale of this run; `mark` makes its names the only ones of their kind."""
    account = f"Willowbrook Clinics {mark}"
    known = dict(_COMPLETE.packet) | {"legal_account_name": f"{account} Ltd"}
    return Sale(
        key=f"willowbrook-{mark}",
        account=account,
        domain=f"willowbrook-{mark}.example",
        country="United Kingdom",
        segment=SEGMENT,
        contact=Contact("Amara", "Osei", "Operations manager", f"amara.osei@willowbrook-{mark}.example"),
        closed=8,
        packet={name: text for name, text in known.items() if name not in MISSING},
        seats=60,
        answers={"workplaces": 54, "covered": 54, "people": 51, "sites": 1},
    )


def missing_facts() -> dict[str, str]:
    """What sales says when asked about the fields that were left out."""
    return {name: _COMPLETE.packet[name] for name in MISSING}
