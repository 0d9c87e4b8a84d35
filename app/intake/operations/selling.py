"""Which service package a deal was sold with, decided where it is admitted: known for certain, or a person decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.intake.models import Deal, Workflow
from app.intake.rules import Admission
from app.kernel.work import Work
from app.readiness.operations import VerdictFacts, record_verdict
from app.templates.packages.matching import FACTS, RULE_VERSION, Sold, Unclear, choose
from app.templates.packages.queries import find_template, list_offers

SYSTEM_ONLY = {"with_package": "part of the decision on a deal, which the reading job makes"}


def with_package(work: Work, deal: Deal, workflow: Workflow, admission: Admission) -> Admission:
    """The admission with what was sold, or why the deal waits; the verdict is stored.

    A partner without packages is not asked.
    """
    offers = list_offers(work.session) if admission.answer == "admitted" else []
    if not offers:
        return admission
    template = find_template(work.session, workflow.template_digest)
    found = choose(offers, deal.facts, template)
    inputs: dict[str, Any] = {"facts": {name: deal.facts.get(name) for name in FACTS}, "template": template}
    inputs["offers"] = {each.package.digest: not each.retired for each in offers}
    _store(work, deal, inputs, found)
    if isinstance(found, Unclear):
        return Admission(
            "held",
            found.reason,
            missing=(found.fact,),
            exception="package_unclear",
            reason_code="scope_mismatch",
        )
    return replace(admission, package=_pinned(found)) if found else admission


def _store(work: Work, deal: Deal, inputs: dict[str, Any], found: Sold | Unclear | None) -> None:
    """The verdict, with all that it was made from."""
    facts = VerdictFacts(
        kind="package_choice",
        subject_id=deal.id,
        rule_version=RULE_VERSION,
        inputs=inputs,
        result="held" if isinstance(found, Unclear) else found.package.id if found else "none",
        reason=found.reason if isinstance(found, Unclear) else _told(found),
    )
    record_verdict(work, facts)


def _pinned(sold: Sold) -> dict[str, Any]:
    """Enough to find the very version again."""
    package = sold.package
    about = {"id": package.id, "version": package.content.version, "digest": package.digest}
    return about | {"add_ons": list(sold.add_ons)}


def _told(sold: Sold | None) -> str:
    if sold is None:
        return "The deal speaks of no package."
    with_what = f" with {', '.join(sold.add_ons)}" if sold.add_ons else ""
    return f"Sold as {sold.package.id} {sold.package.content.version}{with_what}."
