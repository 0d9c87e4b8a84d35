"""The people, times and frames that the examples share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.web.frame import Chrome, Link

Context = dict[str, Any]

NOW = datetime(2026, 3, 9, 10, 30, tzinfo=UTC)
KEY = "0192f0c1-7d1e-7000-8000-000000000001"
TENANT = "/t/0192f0c1/onboardings/0192f0c2"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def days(number: float) -> datetime:
    """So many days from the examples' now."""
    return NOW + timedelta(days=number)


def said(english: str, german: str) -> dict[str, str]:
    """A text as a template holds it."""
    return {"en": english, "de": german}


PARTNER = Chrome(
    path="/",
    person="Dana Weber",
    role="Onboarding lead",
    csrf="c5rf",
    nav=(Link("Home", "/"), Link("Customers", "/customers"), Link("Workflows", "/workflows")),
    jumps=(
        Link("Home", "/", "home"),
        Link("Customers", "/customers", "building"),
        Link("Contoso", f"{TENANT}", "route"),
        Link("Fabrikam", f"{TENANT}", "route"),
    ),
    sign_out="/sign-out",
)
CUSTOMER = Chrome(path=TENANT, person="Maria Lopez", csrf="c5rf", sign_out="/sign-out")
