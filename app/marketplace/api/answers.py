"""What the doors of the marketplace answer: cards, submissions and plans in the shapes of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response

from app.audit.note import NoteBroken, read_key
from app.kernel.work import Work
from app.marketplace.queries.market import Card, StoredPackage
from app.marketplace.queries.offers import Arriving, Submission
from app.marketplace.queries.plans import VIEWS, effective_of, fingerprint, plan
from app.marketplace.schemas import (
    Accepted,
    CheckOut,
    CheckProblem,
    DecisionOut,
    NoticeOut,
    OfferOut,
    PlanOut,
    ReviewedBy,
    SignatureOut,
    VersionOut,
)
from app.marketplace.signing import is_countersigned, package_hash
from app.web.begin import home_of, run_once
from app.web.wire.answering import answer_done, write
from app.web.wire.reading import read_key as read_once

PageRequest = Request[Any, Any, Any]
_FACTS: Final = ("title", "description", "audience", "lifecycle", "days", "counts", "systems", "people")
_CARD: Final = ("listing_id", "version", "publisher", "visibility", "state", "changelog", "installs", "installed")
_MORE: Final = ("reviewed", "stars", "ratings", "digest", "submitted_at")


def once(request: PageRequest, sent: object, operation: Callable[[Work], dict[str, object]]) -> tuple[Any, bool]:
    """Do it in the home once for its `Idempotency-Key`; also whether this is the answer of an earlier time."""
    return run_once(request, home_of(request).id, key=read_once(request), body=sent, operation=operation)


def accept(
    request: PageRequest, about: UUID, sent: msgspec.Struct, operation: Callable[[Work], object]
) -> Response[bytes]:
    """Decide something once; everybody else sees it when the job that follows is through."""

    def perform(work: Work) -> dict[str, object]:
        operation(work)
        return {}

    _result, replayed = once(request, msgspec.to_builtins(sent), perform)
    return answer_done(write(Accepted(about)), status=202, replayed=replayed)


def card_fields(card: Card) -> dict[str, Any]:
    """What every shape of a version has."""
    facts = card.facts
    return {
        "id": card.version_id,
        "template": card.template_id,
        **{name: facts[name] for name in _FACTS},
        **{name: getattr(card, name) for name in (*_CARD, *_MORE)},
        "languages": list(facts["locales"]),
        "adaptations": facts["adapted"],
        "notice": notice_out(card.notice),
    }


def version_out(card: Card) -> VersionOut:
    """A version as lists tell it."""
    return VersionOut(**card_fields(card))


def notice_out(notice: Mapping[str, Any] | None) -> NoticeOut | None:
    """What is told of a version's end."""
    return msgspec.convert(dict(notice), NoticeOut) if notice else None


def checks_out(results: Iterable[Mapping[str, Any]]) -> list[CheckOut]:
    """What the automatic checks found."""
    return [
        CheckOut(each["name"], each["passed"], each["figures"], [CheckProblem(**one) for one in each["problems"]])
        for each in results
    ]


def plan_out(stored: StoredPackage, language: str) -> PlanOut:
    """The plan of a package that is as it was signed. Raises PackageAltered, PackageUnreadable."""
    effective = effective_of(stored.package, stored.key)
    views = {name: plan(effective, name, language) for name in VIEWS}
    return PlanOut(language=views["board"]["language"], **{name: views[name]["shown"] for name in VIEWS})


def signature_out(stored: StoredPackage) -> SignatureOut:
    """Whose word the package is, and the operator's word for it where that holds."""
    word, operator = stored.countersigned or "", stored.operator_key or ""
    reviewed = ReviewedBy(operator, fingerprint(operator), word) if _holds(stored, word, operator) else None
    return SignatureOut(stored.key, fingerprint(stored.key), package_hash(stored.package), reviewed)


def offer_fields(one: Submission) -> dict[str, Any]:
    """What every shape of a submission has."""
    names = ("id", "listing_id", "version", "digest", "visibility", "state", "changelog", "publisher", "installs")
    return {
        **{name: getattr(one, name) for name in (*names, "submitted_at")},
        "template": one.template_id,
        "checks": checks_out(one.checks["results"]),
        "submitted_by": str(one.submitted_by["name"]),
        "decision": msgspec.convert(dict(one.decision), DecisionOut) if one.decision else None,
        "notice": notice_out(one.notice),
    }


def arriving_out(one: Arriving, listing_id: UUID) -> OfferOut:
    """A submission whose checks run."""
    told: dict[str, Any] = {"state": "checking", "changelog": "", "publisher": "", "checks": [], "installs": 0}
    names = ("id", "version", "digest", "visibility", "submitted_at", "submitted_by")
    told |= {name: getattr(one, name) for name in names}
    return OfferOut(**told, template=one.template_id, listing_id=listing_id, decision=None, notice=None)


def _holds(stored: StoredPackage, word: str, operator: str) -> bool:
    try:
        return is_countersigned(stored.version_id, stored.package, word, read_key(operator))
    except NoteBroken:
        return False
