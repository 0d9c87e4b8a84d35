"""Webhooks that go out: none, usual, failing, unverified, disabled; for who may change them and who may only read."""

from __future__ import annotations

from dataclasses import replace

from app.connectors.webhooks.rules import BY_HAND, FAILED_TOO_LONG
from tests.look.examples.facts import CUSTOMER, KEY, NOW, PARTNER, Context, days

_ID = "0192f0c1-cccc-7000-8000-000000000001"
_PATH = "/t/0192f0c1/webhooks"
_PLACE: Context = {
    "chrome": replace(PARTNER, path=_PATH),
    "place": {"name": "Contoso", "path": "/t/0192f0c1/settings", "home": False},
    "path": _PATH,
    "connections": "/t/0192f0c1/connections",
    "command_key": KEY,
}
_THEIRS: Context = _PLACE | {"chrome": replace(CUSTOMER, path=_PATH)}
_SECRET = "whsec_" + "bmV2ZXItdXNlZC1hbnl3aGVyZS1hdC1hbGwtb25seQ=="
_PUBLIC = "whpk_Qm9keSBrbm93cyB0aGlzIGtleTogaXQgaXMgbm9uZSE="


def _in_list(host: str, health: str, *types: str, delivered: float | None = -0.01, **more: object) -> Context:
    return {
        "id": _ID,
        "host": host,
        "description": "",
        "everything": not types,
        "types": list(types[:3]),
        "more": len(types[3:]),
        "health": health,
        "by_hand": False,
        "delivered_at": None if delivered is None else days(delivered),
    } | more


def _endpoint(health: str = "healthy", **more: object) -> Context:
    return (
        _in_list(
            "hooks.contoso.com", health, "onboarding.*", "intake.deal.started", description="Billing and our own CRM"
        )
        | {
            "url": "https://hooks.contoso.com/in/7f1c2b9a4e?source=onboarding",
            "reason": "",
            "ordered": True,
            "thin": False,
            "customers": False,
            "made_at": days(-40),
            "keys": [{"hint": "nQ4=", "public": _PUBLIC, "until": None}],
            "challenge": {"digest": "", "sent_at": None, "said": ""},
        }
        | more
    )


def _group(name: str, title: str, *types: tuple[str, str], chosen: int = 0) -> Context:
    offers = [{"value": f"{name}.{kind}", "words": words} for kind, words in types]
    return {"all": f"{name}.*", "title": title, "offers": offers, "chosen": chosen}


def _offers(chosen: int = 0) -> list[Context]:
    return [
        _group("connectors", "Connected systems", ("connection.added", "connected another system")),
        _group("intake", "Deals", ("deal.admitted", "admitted a deal"), ("deal.started", "began work on a deal")),
        _group(
            "onboarding",
            "Onboarding",
            ("gate.decided", "decided at a gate"),
            ("task.completed", ""),
            ("onboarding.resumed_after_its_plan_was_replaced", "let the onboarding go on"),
            chosen=chosen,
        ),
    ]


_EMPTY: Context = {"url": "", "description": "", "hears": "everything", "types": [], "names": ""}
_CHOSEN: Context = {
    "url": "https://hooks.contoso.com/in/7f1c2b9a4e?source=onboarding",
    "description": "Billing and our own CRM",
    "hears": "some",
    "types": ["onboarding.*", "onboarding.task.completed"],
    "names": "onboarding.task.*\nintake.deel.started",
    "ordered": True,
    "thin": False,
}
_FORM: Context = {"typed": _EMPTY, "errors": [], "unknown": [], "offers": _offers()}
_WRONG: Context = {
    "typed": _CHOSEN | {"url": "http://10.0.0.7/hook"},
    "errors": [
        ("url", "Only https addresses can be called."),
        ("names", "Some of the events do not exist. The catalogue names them all."),
    ],
    "unknown": ["intake.deel.started"],
    "offers": _offers(2),
}
_LIST: Context = {
    "may_change": True,
    "room": True,
    "form": _FORM,
    "endpoints": [
        _in_list("hooks.contoso.com", "healthy", description="Billing and our own CRM"),
        _in_list("events.a-rather-long-name.operations.contoso.com", "strained", "onboarding.*", "intake.*"),
        _in_list("n8n.contoso.com", "unverified", *(f"onboarding.task.{n}" for n in "abcde"), delivered=None),
        _in_list("staging.contoso.com", "disabled", "tenancy.*", delivered=-12, by_hand=True),
        _in_list("old.contoso.com", "disabled", "tenancy.*", delivered=-60),
        _in_list("warehouse.contoso.com", "failing", "onboarding.gate.decided", delivered=-1),
    ],
}


def _try(at: float, code: str, status: int | None = None, excerpt: str = "", ms: int = 84) -> Context:
    return {"at": days(at), "code": code, "status": status, "ms": ms, "excerpt": excerpt}


def _delivery(number: int, kind: str, words: str, state: str, *tries: Context, **more: object) -> Context:
    return {
        "id": f"0192f0c1-dddd-7000-8000-{number:012}",
        "type": kind,
        "words": words,
        "at": days(-number / 50),
        "state": state,
        "tries": len(tries),
        "asked": 0,
        "next_at": None,
        "attempts": list(tries),
        "customer": None,
    } | more


_TAKEN = _try(-0.1, "delivered", 204)
_BROKEN = _try(
    -0.2, "refused", 502, "<html><head><title>502 Bad Gateway</title></head><body>nginx/1.25</body></html>", 312
)
_OFTEN = [
    _delivery(number, "onboarding.task.completed", "finished a step", "delivered", _TAKEN) for number in range(5, 40)
]


def _sent(*deliveries: Context, **more: object) -> Context:
    counts = {
        state: sum(each["state"] == state for each in deliveries)
        for state in ("delivered", "waiting", "failed", "held")
    }
    return {"deliveries": list(deliveries), "counts": counts, "older": "", "later": False} | more


_SENT = _sent(
    _delivery(1, "onboarding.gate.decided", "decided at a gate", "waiting", _BROKEN, next_at=days(0.02)),
    _delivery(2, "connectors.webhook.tested", "", "delivered", _TAKEN),
    _delivery(
        3, "intake.deal.started", "began work on a deal", "failed", _BROKEN, _try(-0.3, "silent", ms=15_000), asked=1
    ),
    _delivery(4, "onboarding.task.completed", "finished a step", "held"),
    *_OFTEN,
    older=_ID,
)
_CHANGE: Context = {"typed": _CHOSEN, "errors": [], "unknown": [], "open": False, "seen": "a1", "offers": _offers(2)}
_STILL_SIGNS = "The key before this one still signs. Wait until its time is over, or let no key before sign any more."
_FORMS: Context = {
    "change": _CHANGE,
    "code": {"typed": "", "errors": []},
    "rotate": {"typed": 24, "errors": []},
    "room": True,
    "may_hear": True,
}
_ONE: Context = _PLACE | {
    "endpoint": _endpoint(),
    "trouble": None,
    "may_change": True,
    "missed": None,
    "now": NOW,
    "sent": _SENT,
    "forms": _FORMS,
}
_TROUBLE: Context = {
    "since": days(-2.2),
    "lasts": days(2.2) - NOW,
    "count": 37,
    "said": "502",
    "again_at": days(0.005),
    "share": 0.44,
    "ends_at": days(2.8),
}
_STRAINED = _ONE | {"endpoint": _endpoint("strained"), "trouble": _TROUBLE}
_ROTATING = [
    {"hint": "9Tk=", "public": _PUBLIC, "until": None},
    {"hint": "nQ4=", "public": _PUBLIC, "until": days(0.8)},
]
_TWO_KEYS = _ONE | {
    "endpoint": _endpoint(thin=True, keys=_ROTATING),
    "sent": _sent(*_OFTEN, later=True),
    "forms": _FORMS
    | {
        "rotate": {
            "typed": 24,
            "errors": [("hours", _STILL_SIGNS)],
        },
    },
}
_CHANGED_WRONG = _ONE | {
    "sent": _sent(),
    "forms": _FORMS | {"change": _CHANGE | _WRONG | {"open": True}, "room": False},
}
_CODE_SENT = {"digest": "d1", "sent_at": days(-0.01), "said": ""}
_UNVERIFIED = _ONE | {
    "endpoint": _endpoint("unverified", delivered_at=None, challenge=_CODE_SENT),
    "sent": _sent(),
    "forms": _FORMS | {"code": {"typed": "ABCD", "errors": [("code", "This is not the code that was sent last.")]}},
}
_LOST = _UNVERIFIED | {
    "endpoint": _endpoint(
        "unverified", delivered_at=None, challenge=_CODE_SENT | {"said": "The peer could not be reached."}
    ),
    "forms": _FORMS,
}
_DISABLED = _ONE | {
    "endpoint": _endpoint("disabled", reason=FAILED_TOO_LONG),
    "trouble": _TROUBLE,
    "missed": 12,
    "sent": _sent(*_OFTEN[:3], _delivery(4, "onboarding.task.completed", "finished a step", "held")),
}
_READER = (
    _THEIRS
    | {key: _STRAINED[key] for key in ("trouble", "missed", "now", "sent")}
    | {"endpoint": _endpoint("strained", url=""), "may_change": False, "forms": None}
)
_STOPPED = _DISABLED | {"endpoint": _endpoint("disabled", reason=BY_HAND, by_hand=True), "trouble": None, "missed": 0}
_ACME: Context = {"id": "0192f0c1-ffff-7000-8000-000000000001", "name": "Acme Robotics"}
_HOME = _ONE | {
    "place": {"name": "Northwind", "path": "/settings", "home": True},
    "endpoint": _endpoint(customers=True),
    "sent": _sent(
        _delivery(1, "onboarding.gate.decided", "decided at a gate", "delivered", _TAKEN, customer=_ACME),
        _delivery(2, "onboarding.task.completed", "finished a step", "failed", _try(-0.1, "no_access"), customer=_ACME),
        *_OFTEN[:4],
    ),
    "forms": _FORMS | {"change": _CHANGE | {"typed": _CHOSEN | {"customers": True}, "open": True}},
}
_NEW = _endpoint("unverified")
_ASKED: Context = {"endpoint": _endpoint(), "missed": None, "action": f"{_PATH}/{_ID}/disablement"}
EXAMPLES: dict[str, list[Context]] = {
    "connectors/webhooks/endpoints.html": [
        _PLACE | _LIST,
        _PLACE | _LIST | {"endpoints": []},
        _THEIRS | _LIST | {"may_change": False, "form": None},
        _PLACE | _LIST | {"form": _WRONG, "errors": _WRONG["errors"]},
        _PLACE | _LIST | {"room": False},
        _THEIRS | _LIST | {"endpoints": [], "may_change": False, "form": None},
    ],
    "connectors/webhooks/endpoint.html": [
        _ONE,
        _STRAINED,
        _UNVERIFIED,
        _DISABLED,
        _READER,
        _TWO_KEYS,
        _LOST,
        _STOPPED,
        _CHANGED_WRONG,
        _HOME,
    ],
    "connectors/webhooks/secret.html": [
        _PLACE | {"endpoint": _NEW, "secret": _SECRET, "public": _PUBLIC, "fresh": True},
        _PLACE | {"endpoint": _endpoint(keys=_ROTATING), "secret": _SECRET, "public": _PUBLIC, "fresh": False},
        _THEIRS | {"endpoint": _NEW, "secret": "", "public": _PUBLIC, "fresh": True},
    ],
    "connectors/webhooks/confirm.html": [
        _PLACE | _ASKED | {"step": "disable"},
        _PLACE | _ASKED | {"step": "remove"},
        _THEIRS | _ASKED | {"step": "repeat", "missed": 12},
        _PLACE | _ASKED | {"step": "repeat", "missed": 0},
    ],
    "connectors/webhooks/_fields.html": [_PLACE | {"form": _FORM}, _PLACE | {"form": _WRONG}],
    "connectors/webhooks/_types.html": [_PLACE | {"form": _FORM}, _PLACE | {"form": _WRONG}],
    "connectors/webhooks/_health.html": [_STRAINED, _UNVERIFIED, _DISABLED],
    "connectors/webhooks/_change.html": [_ONE, _TWO_KEYS],
    "connectors/webhooks/_facts.html": [_ONE, _TWO_KEYS, _READER],
    "connectors/webhooks/_deliveries.html": [_ONE, _UNVERIFIED, _READER],
}
