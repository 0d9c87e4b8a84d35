"""Roles of a partner's staff: none of its own, several, one in each state of its form, and for who may only look."""

from __future__ import annotations

from dataclasses import replace

from app.access.decisions import permissions_of
from app.access.pages.offering import BASES, default_roles, to_take_away
from app.access.policy.words import word_of
from tests.look.examples.facts import KEY, PARTNER, Context, days

_CHROME = replace(PARTNER, path="/settings/roles")
_PLACE = {"name": "Northwind", "path": "/"}
_GATE, _DEAL = "onboarding:gate:decide", "intake:deal:admit"
_ADMIN = permissions_of(frozenset({"partner_admin"}))


def _role(name: str, base: str, *removed: str, holders: tuple[str, ...] = (), more: int = 0) -> Context:
    return {
        "id": "0192f0c1-bbbb-7000-8000-000000000001",
        "name": name,
        "base": base,
        "removed": [word_of(each) for each in removed],
        "holders": holders,
        "more": more,
        "changed_at": days(-12),
        "version": '"000000000001-1763762400.000000"',
    }


_LEAD = _role("Lead without gates", "onboarding_lead", _GATE, holders=("Dana Kowalski", "Lea Lindqvist"))
_MANY = _role(
    "Betreuung für Bestandskundschaft",
    "onboarding_lead",
    *(_GATE, _DEAL, "identity:member:invite", "access:delegation:request", "tenancy:tenant:create"),
    holders=tuple(f"Paul Bergström-Hallgrímsson {number}" for number in range(3)),
    more=17,
)
_BOOKS = _role("Books", "finance", "onboarding:packet:edit")
_LIST: Context = {
    "chrome": _CHROME,
    "place": _PLACE,
    "may_define": True,
    "own": [_MANY, _BOOKS, _LEAD],
    "defaults": default_roles(),
}
_NEW: Context = {
    "chrome": _CHROME,
    "place": _PLACE,
    "role": None,
    "may_define": True,
    "bases": list(BASES),
    "base": "",
    "groups": [],
    "typed": {"name": "", "removed": []},
    "errors": [],
    "refused": "",
    "command_key": KEY,
}
_FORM: Context = _NEW | {"base": "onboarding_lead", "groups": to_take_away("onboarding_lead", _ADMIN)}
_OWNER: Context = {"base": "partner_owner", "groups": to_take_away("partner_owner", _ADMIN)}
_CHANGE: Context = _FORM | {"role": _LEAD, "typed": {"name": "Lead without gates", "removed": [_GATE]}}
EXAMPLES: dict[str, list[Context]] = {
    "access/roles/roles.html": [
        _LIST,
        _LIST | {"own": []},
        _LIST | {"may_define": False},
        _LIST | {"own": [], "may_define": False},
    ],
    "access/roles/role.html": [
        _NEW,
        _FORM,
        _FORM
        | _OWNER
        | {
            "typed": {"name": "", "removed": ["audit:trail:keep"]},
            "errors": [
                ("name", "Fill in this field."),
                ("removed", "Take away what you may not do yourself: nobody can give what they do not hold."),
            ],
        },
        _CHANGE,
        _CHANGE
        | {
            "typed": {"name": "Lead", "removed": [_GATE, _DEAL]},
            "errors": [("", "The role has changed since you read it. Read it again, then change it.")],
        },
        _CHANGE | {"refused": "People hold this role. Give them another one first, then remove it."},
        _CHANGE | {"role": _BOOKS, "base": "finance", "groups": to_take_away("finance", _ADMIN)},
        _CHANGE | {"role": _MANY, "may_define": False},
    ],
}
