"""The service package that an onboarding was sold with: what it starts from, and what goes along to other versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.templates.overlay import Effective
from app.templates.overlays.checked import Checked
from app.templates.packages.document import Package, read_package
from app.templates.packages.stitching import sell
from app.templates.queries import get_pinned, get_published
from tenants.sessions import partner_session

_CHECKED = Checked()  # what this process has sold before


def package_at_home(home: Work, admitted: Mapping[str, Any]) -> Package | None:
    """The package of an admission, read where it was published. Raises TemplateMissing, PackageUnfit."""
    sold = admitted.get("package")
    return read_package(get_pinned(home.session, sold["digest"]).document) if sold else None


def with_sold(effective: Effective, package: Package | None, admitted: Mapping[str, Any]) -> Effective:
    """What the onboarding will run by. Raises TemplateRefused, PackageUnfit."""
    return sell(package, admitted["package"]["add_ons"], effective, _CHECKED) if package else effective


def told_of(package: Package | None, admitted: Mapping[str, Any]) -> dict[str, Any]:
    """What the onboarding keeps of it: its address, and what its pages say."""
    if package is None:
        return {}
    content, chosen = package.content, admitted["package"]["add_ons"]
    add_ons = [
        {"id": each.id, "title": each.title, "prices": msgspec.to_builtins(each.prices)}
        for each in map(package.add_on, chosen)
    ]
    kept: dict[str, Any] = {"id": package.id, "version": content.version, "digest": package.digest}
    kept |= {"title": content.title, "add_ons": add_ons, "prices": msgspec.to_builtins(content.prices)}
    kept |= {"tier": content.tier.title if content.tier else None, "excluded": content.excluded}
    return {"package": kept}


def sold_of(deal: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a running onboarding keeps of its package; None for one that was sold without."""
    found = deal.get("package")
    return found if isinstance(found, dict) else None


def on_another(
    runtime: Runtime, organisation_id: UUID, effective: Effective, sold: Mapping[str, Any] | None
) -> Effective:
    """Another version with what was sold upon it. Raises TemplateRefused where it does not fit, TemplateMissing."""
    if sold is None:
        return effective
    with partner_session(runtime.databases, organisation_id, actor="templates") as (session, _now):
        package = read_package(get_published(session, str(sold["digest"])))
    return sell(package, [each["id"] for each in sold["add_ons"]], effective, _CHECKED)


def sold_for_page(deal: Mapping[str, Any], *, told: bool = False) -> dict[str, Any] | None:
    """What was sold, for a page; `told` to the customer, who reads no prices among the steps."""
    sold = sold_of(deal)
    if sold is None:
        return None
    names = ("title", "tier", "excluded", "version")
    shown: dict[str, Any] = {name: sold.get(name) for name in names}
    shown["told"] = told
    shown["add_ons"] = [each["title"] for each in sold["add_ons"]]
    prices = [sold["prices"], *(each.get("prices", ()) for each in sold["add_ons"])]
    shown["prices"] = [] if told else [price for group in prices for price in group]
    return shown
