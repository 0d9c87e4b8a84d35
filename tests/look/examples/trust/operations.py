"""The operator's page of jobs: quiet, at work, with troubles, after many were retried, refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from uuid import UUID

from app.kernel.queue.care.found import Group
from app.tenancy.care.showing import shown
from tests.look.examples.facts import KEY, PARTNER, Context

_FIRST, _SECOND, _THIRD = (UUID(int=number) for number in (1, 2, 3))
_NAMES = {_FIRST: "Contoso", _SECOND: "Fabrikam Verwaltungsgesellschaft", _THIRD: "Tailspin"}
_GROUPS = [
    Group("ready", "connectors.deliver_webhook", "default", _FIRST, 84_213, 12, 5_400.0, 312.0),
    Group("running", "connectors.execute_run", "default", _SECOND, 14, 1, 9.0, 0.0),
    Group("ready", "onboarding.upgrade", "bulk", _THIRD, 310, 0, 700.0, 41.0),
    Group("failed", "notifications.send_letter", "default", _SECOND, 6, 6, 260_000.0, 0.0),
    Group("poisoned", "templates.walk_draft", "bulk", _THIRD, 1, 1, 90_000.0, 0.0),
    Group("cancelled", "connectors.execute_run", "default", _FIRST, 3, 0, 50_000.0, 0.0),
]
_KEPT = {"state": "", "kind": "", "tenant": "", "older": ""}
_PAGE: Context = {
    "chrome": replace(PARTNER, path="/operations/jobs"),
    **shown(_GROUPS, _GROUPS, _NAMES),
    "kept": _KEPT,
    "narrowed": False,
    "outcome": None,
    "refused": "",
    "reason": "",
    "command_key": KEY,
}
_JOB = SimpleNamespace(id=UUID(int=7), kind="tests.from_another_build")
_OUTCOME = SimpleNamespace(
    counts=Counter(retried=1_204, changed=2, refused=1),
    chosen=1_207,
    troubles=[(_JOB, "No such job is known to this build.")],
)
_FAILED = [group for group in _GROUPS if group.state == "failed"]
EXAMPLES: dict[str, list[Context]] = {
    "tenancy/jobs.html": [
        _PAGE,
        _PAGE | shown([], [], {}),
        _PAGE
        | shown(_GROUPS, _FAILED, {})
        | {"kept": _KEPT | {"state": "failed"}, "narrowed": True, "outcome": _OUTCOME},
        _PAGE
        | {
            "refused": "Say why, in at most 500 characters: it is kept in the trail.",
            "hidden": 12,
            "kept": _KEPT | {"kind": "onboarding.upgrade"},
            "narrowed": True,
        },
        _PAGE | shown(_GROUPS, [], {}) | {"kept": _KEPT | {"kind": "gone"}, "narrowed": True},
    ],
    "tenancy/_act.html": [_PAGE],
    "tenancy/_outcome.html": [_PAGE | {"outcome": _OUTCOME}],
}
