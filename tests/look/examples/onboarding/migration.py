"""Going on with another version of a template: choosing, what it would do, what has to be said, what waits."""

from __future__ import annotations

from typing import Any

from tests.look.examples.facts import Context, days
from tests.look.examples.partner import EXAMPLES as OF_PARTNER

_PLAN: dict[str, Any] = {
    "kept": 31,
    "finished": 12,
    "groups": [
        {
            "title": "Goes on under another name",
            "items": [{"title": "Hold the kickoff → First meeting", "state": "done"}],
        },
        {"title": "Is added, still to come", "items": [{"title": "Pilot with ten mailboxes", "state": ""}]},
        {"title": "Is left out", "items": [{"title": "Announce the go-live", "state": ""}]},
    ],
    "answers": 1,
    "moved": 6,
    "ends": False,
}
_TRIED: dict[str, Any] = _PLAN | {
    "version": "1.3.0",
    "plan": "sha256:77aa01",
    "map": '{"items":{"task.kickoff":"task.first_meeting"}}',
    "said": {"item.task.kickoff": "task.first_meeting"},
    "questions": [],
    "problems": [],
}
_ASKS: dict[str, Any] = {
    "questions": [
        {"id": "item.task.invite", "label": "Invite the administrator", "type": "select", "required": True}
        | {"help": "Somebody has worked on this, and the new version does not have it."}
        | {"options": [{"id": "-", "label": "Leave it out; what was done is kept"}]},
        {"id": "value.answers.kickoff.held_on", "label": "Hold the kickoff: Held on", "type": "text", "required": False}
        | {"help": "What was written here does not fit the new version."},
    ],
    "problems": [
        {"title": "Create the workspace", "text": "A call to another system is under way. Settle that first."},
    ],
}
_STAFF: Context = OF_PARTNER["onboarding/partner_onboarding.html"][0] | {
    "view": "course",
    "runs": "Managed services 1.2.0",
    "held": False,
    "versions": [{"id": "sha256:2f1c9d", "label": "Managed services 1.3.0"}],
    "waiting": None,
    "made": [],
    "action": "/t/0192f0c1/onboardings/0192f0c2/migration",
    "given": {},
    "errors": [],
    "tried": None,
}
_WAITING: Context = {
    "waiting": {
        "version": "1.3.0",
        "by": "Dana Weber",
        "at": days(-1),
        "reason": "The kickoff is shorter now.",
        "plan": "sha256:77aa01",
        "still": True,
        "own": False,
        "shown": _PLAN,
    },
}
_STALE: Context = {"waiting": _WAITING["waiting"] | {"still": False, "own": True, "shown": None}}
_MADE: Context = {"made": [{"was": "1.1.0", "becomes": "1.2.0", "at": days(-9), "left": ["Old survey"]}]}
_GIVEN: Context = {"given": {"to": "sha256:2f1c9d", "reason": ""}}
_CHOSEN: Context = _STAFF | _GIVEN | {"tried": _TRIED}
EXAMPLES: dict[str, list[Context]] = {
    "onboarding/migration/partner.html": [
        _CHOSEN,
        _STAFF | _WAITING | _MADE,
        _STAFF | _GIVEN | {"tried": _TRIED | _ASKS},
        _STAFF | {"versions": [], "held": True},
        _STAFF | {"versions": []},
    ],
    "onboarding/migration/_choose.html": [_STAFF, _CHOSEN, _CHOSEN | {"errors": [("reason", "Write down why.")]}],
    "onboarding/migration/_plan.html": [{"shown": _PLAN}, {"shown": _PLAN | {"ends": True, "groups": []}}],
    "onboarding/migration/_waiting.html": [_STAFF | _WAITING, _STAFF | _STALE],
}
