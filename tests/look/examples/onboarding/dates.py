"""The dates of one onboarding: as the partner changes them and as the customer reads them."""

from __future__ import annotations

from typing import Any

from tests.look.examples.customer import EXAMPLES as OF_CUSTOMER
from tests.look.examples.facts import KEY, Context, days, said
from tests.look.examples.partner import EXAMPLES as OF_PARTNER

_SLIPPED = {"was": days(4), "becomes": days(6), "days": 2, "by": "", "reason": "", "at": days(-1)}
_CHOSEN = {"was": days(6), "becomes": days(9), "days": 3, "at": days(0), "by": "Dana Weber"}
_WHY = [
    _CHOSEN | {"why": "This date was chosen.", "reason": "The customer's administrator is on holiday until Friday."},
    _SLIPPED | {"why": "“Connect the directory” ended later than expected."},
]
_ROW: dict[str, Any] = {
    "key": "task.kickoff",
    "kind": "task",
    "title": said("Hold the kickoff"),
    "side": "partner",
    "state": "done",
    "late": False,
    "at": days(-12),
    "baseline_at": days(-12),
    "moved_days": 0,
    "latest_at": None,
    "to_spare": None,
    "chosen": False,
    "x_baseline": 120.0,
    "x_at": 120.0,
    "why": [],
    "paused": [],
    "reminders": 0,
    "reminded_at": None,
    "reminder_at": None,
}
_ROWS = [
    _ROW,
    _ROW
    | {"key": "task.mailboxes", "title": said("Tell us about your mailboxes"), "side": "customer", "state": "open"}
    | {"at": days(9), "baseline_at": days(4), "moved_days": 3, "to_spare": -1, "chosen": True, "why": _WHY}
    | {"x_baseline": 520.0, "x_at": 800.0, "reminders": 2, "reminded_at": days(-2), "reminder_at": days(1)}
    | {"paused": [{"since": days(-1), "why": "Waiting on customer admin"}]},
    _ROW
    | {"key": "milestone.moved", "kind": "milestone", "title": said("Mailboxes moved"), "state": "waiting"}
    | {"at": days(14), "baseline_at": days(15), "moved_days": -1, "to_spare": 4, "x_baseline": 1000.0, "x_at": 950.0},
]
_LIVE = {"day": days(12).date(), "expected": days(14), "late_by": 2}
_FEED: Context = {"action": "/t/0192f0c1/dates/feed", "key": KEY, "made_at": None, "dates": "", "steps": ""}
_ADDRESS = "https://northwind.example/calendar/9mXr0c4Yq8nZl2"
_MADE = {"made_at": days(0), "dates": f"{_ADDRESS}/0192f0c1/dates.ics", "steps": f"{_ADDRESS}/steps.ics"}
_SHOWN: Context = {
    "feed": _FEED,
    "rows": _ROWS,
    "go_live": _LIVE,
    "names": {"partner": "Northwind", "customer": "Contoso"},
}
_MOVES = [_WHY[0] | {"title": said("Mailboxes moved")}]
_STEPS = [{"id": "task.mailboxes", "label": said("Tell us about your mailboxes")}]
_TYPED = {"step": "task.mailboxes", "day": "2026-12-07", "reason": ""}
_STAFF: Context = (
    OF_PARTNER["onboarding/partner_onboarding.html"][0]
    | _SHOWN
    | {"view": "dates", "may": True, "action": "/t/0192f0c1/dates", "steps": _STEPS, "errors": [], "tried": None}
    | {"typed": {"step": "", "day": "", "reason": ""}, "seen": 7}
)
_TRIED = {"step": "Tell us about your mailboxes", "moves": _MOVES, "go_live": _LIVE}
_CUSTOMER: Context = OF_CUSTOMER["onboarding/customer_steps.html"][0] | _SHOWN
_TIMES = {"zone": "Europe/Berlin", "weekdays": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "17:00"}
_SIDES = [
    {"side": "partner", "days_off": [days(30).date(), days(31).date()], "more": 64} | _TIMES,
    {"side": "customer", "days_off": [], "more": 0} | _TIMES | {"zone": "America/New_York", "weekdays": [0, 1, 2, 3]},
]
_TYPED_TIMES = {"side": "customer", "zone": "America/New_York", "weekdays": ["0", "1"], "opens": "08:30"} | {
    "closes": "16:00",
    "country": "US",
    "subdivision": "NY",
    "days": "2026-12-24",
    "reason": "",
}
_FORM: Context = {
    "typed": _TYPED_TIMES,
    "errors": [],
    "zones": ["America/New_York", "Europe/Berlin", "UTC"],
    "countries": [{"id": "DE", "label": "Germany"}, {"id": "US", "label": "United States"}],
    "tried": None,
    "seen": 7,
    "key": KEY,
}
_TRIED_TIMES = _FORM | {"tried": {"moves": _MOVES, "go_live": _LIVE}}
_UNFIT = _FORM | {"errors": [("weekdays", "Choose at least one day of the week.")]}
_AT_TIMES: Context = _STAFF | {"sides": _SIDES, "back": "/t/0192f0c1/dates", "action": "/t/0192f0c1/dates/times"}
_CALLED: Context = {"called": _SHOWN["names"], "days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/dates/_times_tried.html": [
        {
            "form": _TRIED_TIMES,
            "typed": _TYPED_TIMES,
            "wrong": {},
            "side": "Contoso",
            "action": "/t/0192f0c1/dates/times",
        },
    ],
    "onboarding/dates/times.html": [
        *(_AT_TIMES | {"form": form} for form in (None, _FORM, _TRIED_TIMES, _UNFIT)),
        _AT_TIMES | {"form": None, "may": False},
    ],
    "onboarding/dates/_times_form.html": [
        {"form": form, "action": "/t/0192f0c1/dates/times"} | _CALLED for form in (_FORM, _TRIED_TIMES, _UNFIT)
    ],
    "onboarding/dates/partner.html": [
        _STAFF,
        _STAFF | {"typed": _TYPED, "tried": _TRIED, "go_live": _LIVE | {"late_by": 0, "expected": days(11)}},
        _STAFF | {"typed": _TYPED, "errors": [("day", "This day is over; choose one that is still to come.")]},
        _STAFF | {"may": False, "go_live": None},
    ],
    "onboarding/dates/customer.html": [_CUSTOMER, _CUSTOMER | {"go_live": None, "feed": _FEED | _MADE}],
    "onboarding/dates/_feed.html": [{"feed": _FEED}, {"feed": _FEED | {"made_at": days(-9)}}, {"feed": _FEED | _MADE}],
    "onboarding/dates/_go_live.html": [{"go_live": _LIVE}, {"go_live": _LIVE | {"late_by": 0, "expected": days(11)}}],
    "onboarding/dates/_choose.html": [_STAFF, _STAFF | {"typed": _TYPED, "tried": _TRIED}],
    "onboarding/dates/_moves.html": [{"moves": _MOVES}, {"moves": []}],
    "onboarding/dates/_steps.html": [_SHOWN],
}
