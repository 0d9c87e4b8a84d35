"""Two brands as different as brands are, for looking and for tests: everything must be right in both."""

from __future__ import annotations

from app.partners.brand import Brand, view
from app.web.frame import BrandView, HelpContact, Legal, Link

NORTHWIND = Brand("Northwind Services", "#2f5bd7", radius=8, font="inter")
ALPENWERK = Brand("Alpenwerk ERP", "#e8a317", surface="#faf7f0", radius=2, font="figtree")
BRANDS = {"northwind": NORTHWIND, "alpenwerk": ALPENWERK}
VIEWS: dict[str, BrandView] = {
    "northwind": view(
        NORTHWIND,
        origin="https://northwind.example",
        legal=Legal("Northwind Services Ltd", "12 Quay Street, Bristol BS1 4DB", (Link("Privacy", "/privacy"),)),
        contact=HelpContact("Dana Weber", "dana@northwind.example", "Onboarding lead", "+44 117 496 0123"),
    ),
    "alpenwerk": view(
        ALPENWERK,
        origin="https://alpenwerk.example",
        legal=Legal("Alpenwerk GmbH", "Seestraße 4, 82319 Starnberg", (Link("Impressum", "/impressum"),)),
        contact=HelpContact("Jonas Brandl", "jonas@alpenwerk.example", "Projektleitung"),
    ),
}
