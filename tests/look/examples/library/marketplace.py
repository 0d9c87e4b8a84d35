"""The marketplace as partners and the operator see it, drawn from templates of the library."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any

from app.marketplace.checking.facts import listing_facts
from app.marketplace.pages.showing import card_of
from app.marketplace.queries.finding import facets
from app.marketplace.queries.market import Card, Rating
from app.marketplace.queries.offers import Report
from app.marketplace.queries.plans import plan
from app.templates.library import open_shelf
from app.templates.overlay import Effective
from tests.look.examples.facts import KEY, NOW, PARTNER, Context, days

_FINGERPRINT = "3f1a 77c0 9b2e 41d8 0c5f 6a12 88e4 b3d9"
_CHROME = replace(PARTNER, path="/marketplace")
_ID = "0192f0c1-7d1e-7000-8000-00000000000"


@cache
def _effective(shelf: str = "msp/managed-services") -> Effective:
    return open_shelf(shelf).effective()


def _card(number: int, shelf: str, publisher: str, **more: Any) -> Card:
    effective = _effective(shelf)
    facts = listing_facts(effective, effective.compile())
    usual: dict[str, Any] = {
        "listing_id": f"{_ID}{number}",
        "version_id": f"{_ID}{number}",
        "organisation_id": _ID,
        "publisher": publisher,
        "template_id": effective.document["id"],
        "version": "1.2.0",
        "visibility": "public",
        "state": "listed",
        "changelog": "The kickoff asks for the holiday calendar of both sides.\nTwo texts are shorter.",
        "facts": facts,
        "digest": f"sha256:{'a' * 64}",
        "submitted_at": NOW - timedelta(days=3 * number),
        "notice": None,
        "reviewed": True,
        "key": "",
        "installs": 14,
        "installed": False,
        "stars": 4.4,
        "ratings": 5,
    }
    return Card(**usual | more)


_CARDS = [
    _card(1, "msp/managed-services", ""),
    _card(2, "msp/renewal", "Alder Distribution", visibility="sub_partners", reviewed=False, stars=None, ratings=0),
    _card(3, "saas/two-region-launch", "Lumen Software", installed=True),
    _card(4, "erp/rollout", "Harbor ERP", state="deprecated", installs=1),
]
_NOTICE = {"reason": "The last task asked for a password.", "replaced_by": "1.3.0", "ends_on": "2026-06-30"}


def _shown(card: Card, has: str = "") -> dict[str, Any]:
    return card_of(card, "en") | {"fingerprint": _FINGERPRINT, "has": has, "held": "1.1.0" if has == "older" else ""}


_LIST: Context = {
    "chrome": _CHROME,
    "q": "",
    "asked": dict.fromkeys(("audience", "lifecycle", "language", "publisher", "length", "rating"), ""),
    "facets": facets(_CARDS, {}),
    "narrowed": False,
    "cards": [_shown(card, has) for card, has in zip(_CARDS, ("older", "own", "this", ""), strict=True)],
    "over": [
        _shown(replace(_CARDS[0], state=state, notice=_NOTICE)) for state in ("taken_down", "deprecated", "withdrawn")
    ],
    "may_publish": True,
    "may_review": False,
}
_LISTING: Context = {
    "chrome": _CHROME,
    **plan(_effective(), "board", "en"),
    "listing": _shown(_CARDS[0]),
    "versions": [_shown(_CARDS[0]), _shown(replace(_CARDS[0], version="1.1.0", state="deprecated", installed=True))],
    "ratings": [
        Rating(5, "Saved us two weeks of writing our own.", None, days(-4), False),
        Rating(3, "Good, but long.", "Northwind", days(-9), True),
    ],
    "may_publish": True,
    "command_key": KEY,
    "refused": "",
    "typed": {},
}
_PASSED = [
    {"name": "form", "passed": True, "figures": {"bytes": 48213}, "problems": []},
    {"name": "sound", "passed": True, "figures": {"elements": 61}, "problems": []},
    {"name": "tests", "passed": True, "figures": {"tests": 4}, "problems": []},
    {"name": "histories", "passed": True, "figures": {"histories": 20}, "problems": []},
    {"name": "texts", "passed": True, "figures": {"languages": 2}, "problems": []},
]
_STUCK = {"place": "gate.launch", "message": "Nobody can go on from here.", "fix": "7"}
_FAILED = [*_PASSED[:3], {"name": "histories", "passed": False, "figures": {"histories": 20}, "problems": [_STUCK]}]
_OFFER: dict[str, Any] = {
    "id": f"{_ID}1",
    "listing_id": f"{_ID}1",
    "template_id": "northwind-remote-start",
    "title": "Remote start in a week",
    "version": "1.1.0",
    "publisher": "Northwind Managed Services",
    "visibility": "public",
    "state": "in_review",
    "changelog": "First version for everybody.",
    "checks": _PASSED,
    "submitted_at": days(-1),
    "submitted_by": "Dana Kowalski",
    "decision": None,
    "notice": None,
    "installs": 0,
    "may_withdraw": True,
    "may_deprecate": False,
}
_DECLINED = {"by": "Otto Berg", "reason": "Say in the description for whom it is."}
_OFFERS: Context = {
    "chrome": replace(PARTNER, path="/marketplace/offers"),
    "offers": [
        _OFFER,
        _OFFER | {"version": "1.0.0", "state": "failed", "checks": _FAILED, "may_withdraw": False},
        _OFFER | {"version": "0.9.0", "state": "declined", "decision": _DECLINED, "may_withdraw": False},
        _OFFER | {"id": f"{_ID}2", "title": "Renewal", "state": "listed", "installs": 3, "may_deprecate": True},
        _OFFER
        | {"id": f"{_ID}3", "title": "Old start", "state": "taken_down", "notice": _NOTICE, "may_withdraw": False},
    ],
    "fingerprint": _FINGERPRINT,
    "command_key": KEY,
    "refused": "",
}
_FORM: Context = {
    "chrome": replace(PARTNER, path=f"/marketplace/offers/new/{'a' * 64}"),
    "template": {
        "address": "a" * 64,
        "title": "Remote start",
        "id": "remote-start",
        "version": "1.1.0",
        "adapted": True,
        "untold": [],
    },
    "typed": {},
    "errors": [],
    "command_key": KEY,
}
_IMPORTS: Context = {
    "chrome": replace(PARTNER, path="/marketplace/imports"),
    "trusted": [{"publisher": "Alder Distribution", "fingerprint": _FINGERPRINT, "by": "Dana Kowalski"}],
    "unknown": None,
    "refused": "",
    "problems": [],
    "command_key": KEY,
}
_UNKNOWN = {"name": "Alder Distribution", "key": "Alder+00+AA", "fingerprint": _FINGERPRINT}
_ASKED = "Whoever packed this is unknown here. Compare the fingerprint with your publisher by another way."
_ALTERED = "Not as it was packed: template. Its address is of other content."
_REVIEWS: Context = {
    "chrome": replace(PARTNER, path="/marketplace/reviews"),
    "waiting": [_OFFER],
    "listed": [_OFFER | {"state": "listed", "title": "Managed services", "installs": 14}],
    "reports": [Report(_ID, "old-start", "It asks for passwords.", "Cora Lind", "Contoso", days(-2))],  # type: ignore[arg-type]  # an id
}
_CHANGES = [
    {"path": "stages.kickoff.tasks.calendar", "kind": "added", "before": "", "after": "Tell us your holidays"},
    {"path": "version", "kind": "changed", "before": "1.0.0", "after": "1.1.0"},
]
_REVIEW: Context = {
    "chrome": replace(PARTNER, path=f"/marketplace/reviews/{_ID}1"),
    **plan(_effective(), "timeline", "en"),
    "offer": _OFFER | {"fingerprint": _FINGERPRINT, "package": f"sha256:{'b' * 64}"},
    "changes": _CHANGES,
    "may_decide": True,
    "may_take_down": False,
    "command_key": KEY,
    "refused": "",
}
_LETTER: Context = {
    "name": "Maria Lopez",
    "link": "https://northwind.example/sign-in/abcdef",
    "title": "remote-start 1.0.0",
    "text": "The last task asked for a password.",
    "onboarding": "1.1.0",
    "by": "2026-06-30",
}
_KINDS = ("listing_deprecated", "listing_withdrawn", "listing_taken_down")
EXAMPLES: dict[str, list[Context]] = {
    "marketplace/market.html": [
        _LIST,
        _LIST | {"cards": [], "over": [], "q": "nothing", "narrowed": True},
        _LIST | {"cards": [], "over": [], "may_publish": False, "may_review": True},
    ],
    "marketplace/_card.html": [{"card": _shown(card)} for card in _CARDS],
    "marketplace/_picture.html": [{"picture": _CARDS[0].facts["picture"]}],
    "marketplace/listing.html": [
        _LISTING,
        _LISTING
        | {"listing": _shown(replace(_CARDS[0], state="taken_down", notice=_NOTICE), "this"), "refused": _ALTERED}
        | plan(_effective(), "needs", "en"),
    ],
    "marketplace/_words_said.html": [_LISTING, _LISTING | {"ratings": [], "listing": _shown(_CARDS[2], "this")}],
    "marketplace/_checks.html": [{"checks": _PASSED}, {"checks": _FAILED}],
    "marketplace/offers.html": [_OFFERS, _OFFERS | {"offers": [], "fingerprint": ""}],
    "marketplace/offer.html": [
        _FORM,
        _FORM | {"errors": [("changelog", "Say in a few words what is in this version.")]},
        _FORM | {"template": _FORM["template"] | {"untold": ["de"]}},
    ],
    "marketplace/imports.html": [
        _IMPORTS,
        _IMPORTS | {"unknown": _UNKNOWN, "refused": _ASKED, "trusted": []},
        _IMPORTS | {"refused": _ALTERED},
    ],
    "marketplace/reviews.html": [_REVIEWS, _REVIEWS | {"waiting": [], "listed": [], "reports": []}],
    "marketplace/review.html": [_REVIEW, _REVIEW | {"may_decide": False, "may_take_down": True, "changes": None}],
    **{
        f"emails/{folder}/{part}": letters
        for part in ("subject.txt", "body.txt", "body.html")
        for folder, letters in {
            "listing_ended": [_LETTER | {"kind": kind} for kind in _KINDS],
            "reviewed": [_LETTER | {"kind": "review_declined"}, _LETTER | {"kind": "review_listed", "text": ""}],
            "review_wanted": [_LETTER | {"kind": "review_wanted", "onboarding": "Northwind", "text": "The first one."}],
        }.items()
    },
}
