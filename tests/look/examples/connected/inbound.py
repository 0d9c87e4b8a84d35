"""Messages that come in: set up and not, changing over, with what was held back; to change and only to read."""

from __future__ import annotations

from dataclasses import replace

from tests.look.examples.facts import CUSTOMER, KEY, PARTNER, Context, days

_ID = "0192f0c1-eeee-7000-8000-000000000001"
_PATH = "/t/0192f0c1/inbound"
_PLACE: Context = {
    "chrome": replace(PARTNER, path=_PATH),
    "place": {"name": "Contoso", "path": "/t/0192f0c1/settings"},
    "path": _PATH,
    "connections": "/t/0192f0c1/connections",
    "command_key": KEY,
}
_THEIRS: Context = _PLACE | {"chrome": replace(CUSTOMER, path=_PATH)}
_ADDRESS: Context = {"hint": "Qm9keS", "made_at": days(-40), "until": None}
_SECRET: Context = {"number": 1, "set_at": days(-40), "until": None}


def _hook(**more: object) -> Context:
    return {
        "id": _ID,
        "name": "Contoso billing",
        "system": "Stripe",
        "state": "active",
        "scheme": "stripe",
        "types": [
            {"name": "customer.subscription.*", "summary": "A subscription began, changed or ended"},
            {"name": "invoice.paid", "summary": "An invoice was paid"},
        ],
        "addresses": [_ADDRESS],
        "secrets": [_SECRET],
    } | more


def _came(number: int, state: str, kind: str = "", **more: object) -> Context:
    told = {"id": f"evt_1Nqk{number:04}", "type": kind, "object": f"sub_{number:08}"}
    return {
        "id": f"0192f0c1-ffff-7000-8000-{number:012}",
        "at": days(-number / 9),
        "state": state,
        "reason": "",
        "said": "",
        "size": 1_840 + number,
        "asked": 0,
        "headers": [("content-type", "application/json; charset=utf-8"), ("user-agent", "Stripe/1.0")],
        "messages": [told] if kind else [],
        "replayable": True,
    } | more


def _list(name: str, *deliveries: Context, **more: object) -> Context:
    return {"name": name, "deliveries": list(deliveries), "older": "", "later": False} | more


_LONG = "customer.subscription.pending_update_that_was_applied"
_BATCH = [{"id": f"62515:25:{n}", "type": "deal.propertyChange", "object": str(5100000000 + n)} for n in range(9)]
_TAKEN = _list(
    "came",
    _came(1, "received", "invoice.paid", replayable=False),
    _came(2, "announced", _LONG, asked=2),
    _came(3, "announced", messages=_BATCH),
    *(_came(number, "announced", "customer.subscription.updated") for number in range(4, 12)),
    older=_ID,
)
_HELD = _list(
    "held",
    _came(1, "unverified", reason="wrong"),
    _came(2, "unverified", reason="stale", replayable=False),
    _came(3, "unreadable", reason="unreadable", said="It holds no message_id where the manifest says that it stands."),
    _came(4, "failed", "invoice.paid", reason="failed", said="The body is not an array of HubSpot events: Expected."),
    *(_came(5 + n, "unverified", reason=why) for n, why in enumerate(("missing", "repeated", "oversized"))),
    *(_came(8 + n, "unverified", reason=why) for n, why in enumerate(("malformed", "early", "unfit", "no_secret"))),
    later=True,
)
_FORMS: Context = {
    "address": {"typed": 24, "errors": [], "room": True},
    "secret": {"typed": 24, "errors": [], "room": True},
}
_ONE: Context = _PLACE | {
    "hook": _hook(),
    "may_change": True,
    "trouble": "",
    "held": _list("held"),
    "taken": _TAKEN,
    "forms": _FORMS,
}
_NEW = _ONE | {"hook": _hook(addresses=[], secrets=[]), "taken": _list("came")}
_CHANGING = _ONE | {
    "hook": _hook(
        addresses=[_ADDRESS | {"until": days(0.8)}, _ADDRESS | {"hint": "x7Q_ab", "made_at": days(-0.2)}],
        secrets=[_SECRET | {"until": days(0.8)}, _SECRET | {"number": 2, "set_at": days(-0.2)}],
    ),
    "forms": {"address": {"typed": 24, "errors": [], "room": False}, "secret": _FORMS["secret"] | {"room": False}},
}
_WRONG = _ONE | {
    "trouble": "None of the secrets that are active now fits this delivery. Set the right one, then try again.",
    "held": _HELD,
    "forms": {
        "address": _FORMS["address"] | {"typed": "never", "errors": [("hours", "Write a whole number from 0 to 168.")]},
        "secret": _FORMS["secret"]
        | {
            "errors": [
                (
                    "value",
                    "This is not what the system gives out to check its messages with. Copy it again.",
                )
            ]
        },
    },
}
_READER = _THEIRS | {key: _ONE[key] for key in ("hook", "trouble", "taken")} | {
    "may_change": False,
    "held": _HELD,
    "forms": None,
}  # fmt: skip
_IDLE = _NEW | {"hook": _hook(state="suspended", addresses=[], secrets=[])}
_NO_SECRET = _hook(secrets=[], name="Stripe")
EXAMPLES: dict[str, list[Context]] = {
    "connectors/inbound/hooks.html": [
        _PLACE
        | {
            "hooks": [
                _hook(),
                _NO_SECRET,
                _hook(name="HubSpot of the northern branch, sales", system="HubSpot", addresses=[], secrets=[]),
                _hook(state="suspended"),
            ]
        },
        _THEIRS | {"hooks": []},
    ],
    "connectors/inbound/hook.html": [_ONE, _NEW, _CHANGING, _WRONG, _READER, _IDLE],
    "connectors/inbound/address.html": [
        _PLACE | {"hook": _hook(), "url": f"https://portal.northwind.com/hooks/{'x7Q_ab' * 7}Q"},
        _THEIRS | {"hook": _hook(), "url": ""},
    ],
    "connectors/inbound/closing.html": [_PLACE | {"hook": _hook()}],
    "connectors/inbound/_address.html": [_ONE, _NEW, _CHANGING, _WRONG, _READER],
    "connectors/inbound/_secret.html": [_ONE, _NEW, _CHANGING, _WRONG, _READER],
    "connectors/inbound/_deliveries.html": [
        _ONE | {"list": _TAKEN},
        _WRONG | {"list": _HELD},
        _READER | {"list": _HELD},
    ],
}
