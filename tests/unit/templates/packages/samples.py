"""A package of managed services with two add-ons, for the tests here and elsewhere. Not a test."""

from __future__ import annotations

from typing import Any

from app.templates.library import find_component
from app.templates.packages.additions import with_parts
from app.templates.packages.document import Package, package_of, read_content
from tests.unit.templates.samples import managed_services

BOTH = ("backup", "courses")
ROLES = {"trainer": "csm", "customer": "customer_owner"}


def gold(**said: Any) -> dict[str, Any]:
    """Its document as a draft holds it, with some of it said otherwise."""
    backup = {
        "id": "restore",
        "place": "milestone.people_ready",
        "task": {"title": {"en": "Prove a restore"}, "kind": "check", "owner": "service_desk_lead"},
    }
    courses = {"id": "training", "place": "stage.rollout", "component": "component/training@1.0.0", "given": ROLES}
    document: dict[str, Any] = {
        "package": "managed-gold",
        "template": "msp-managed-services",
        "title": {"en": "Managed Gold", "de": "Managed Gold"},
        "called": ["GOLD-24"],
        "tier": {
            "title": {"en": "Gold"},
            "timers": {"kickoff_scheduled": [{"business_hours": 4}, {"business_hours": 8}]},
            "exceptions": {"billing_mismatch": {"business_hours": 2}},
        },
        "add_ons": [
            {"id": "backup", "title": {"en": "Backup"}, "called": ["BKP"], "adds": [backup]},
            {"id": "courses", "title": {"en": "Courses", "de": "Kurse"}, "adds": [courses]},
        ],
        "quotas": {"members": 25},
        "prices": [{"interval": "monthly", "text": {"en": "49 € a seat"}}],
    }
    return document | said


def package(*, version: str = "1.0.0", **said: Any) -> Package:
    """The same as it is published."""
    content = with_parts(read_content(gold(**said)), managed_services().document["locales"], find_component)
    return package_of(content, version=version, partner="northwind")
